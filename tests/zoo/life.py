"""A while of healthy life: the programs under load, an exporter that watches them, and the shipped rules in Prometheus.

Intervals and rules are shortened, so that minutes here are hours in earnest. Nothing else differs from what is shipped.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from tests.lab import exporter
from tests.lab import run as run_command
from tests.lab.exporter import Exporter, Scrape
from tests.lab.intervals import SHORTER, shortened
from tests.lab.pages import target_page
from tests.lab.prometheus import Prometheus
from tests.zoo import inhabitants, processor_waits
from tests.zoo.inhabitants import Inhabitant, Zoo
from tests.zoo.load import loaded

TIME_SCALE = 1 / 30
"""An hour of the rules is two minutes here. Half an hour still has ten CPU profiles."""
_ROUND = 2.0
"""Seconds between two looks at everything, and between two evaluations of the rules."""
_WINDOW = "3s"
"""Of CPU profiles. In shorter ones the sampling clock is not audited."""
_MUTEX = "20s"
"""Between two mutex profiles. VictoriaMetrics' handler sleeps for 10 s, which cannot be shortened, and no other profile
that takes its time comes meanwhile."""
_AUDIT = "1m"
_DISCOVERY = "exporter.sd.json"
"""Where the Prometheis find the exporter as soon as it is ready."""
_SETTINGS = {
    # Intervals are shortened less than the rules are. At full scale too this is three times the longest interval.
    "profile_stale": 1800 / SHORTER,
    # After one late moment an exporter says for 90 seconds that it is overloaded, which is 45 minutes here: never.
    "overloaded_share": 2,
}
_TOO_FEW_TIMERS = "PprofExporterLagging"
"""One timer in a hundred is late, for ten minutes. They are 40 of 1,200 here, of which one is more than one in a
hundred. `Report` judges those of the whole life."""
_LAG = "pprof_exporter_loop_lag_seconds"
_CALM = 0.3
"""Processors that a program uses at most once it has started."""
_SETTLES_WITHIN = 60.0
_INFO = "info"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it lasts, and what else wants the processors meanwhile."""

    seconds: float
    busy_loops: int = 0
    time_scale: float = TIME_SCALE


@dataclass(slots=True)
class Complaint:
    """A finding on the page of a program, or an alert of a Prometheus, on which somebody should act."""

    program: str
    """`exporter` for what is not about one program."""
    what: str
    """`F5`, or `PprofFetchSlow`."""
    level: str
    """Of a finding `warning`; of an alert its severity, its state and where: `warning, firing in prometheus-old`."""
    said: str
    """The last sentence or description."""
    first: float
    """Seconds of the life when it was first seen."""
    times: int = 1

    def __str__(self) -> str:
        return f"{self.program}: {self.what} ({self.level}) at {self.first:.0f} s, {self.times} times: {self.said}"


@dataclass(frozen=True, slots=True)
class Life:
    """What was seen in one life. `scrape` is the exporter's last page of metrics."""

    seconds: float
    findings: list[Complaint]
    alerts: list[Complaint]
    """Alerts of severity warning or critical that fired."""
    pending: list[Complaint]
    """Alerts that did not fire, of severity warning and critical. They are no fault, but explain one."""
    scrape: Scrape
    without_processor: int
    """Half seconds in which the exporter's event loop had to wait for a processor, long enough for a late timer."""
    addresses: dict[str, str]
    """By program."""
    log: str

    def metric(self, program: str, family: str, **labels: str) -> float:
        """The sum of the series of a program."""
        return sum(value for _, value in self.scrape.find(family, target=self.addresses[program], **labels))

    @property
    def late_timers(self) -> int:
        """Timers in the exporter's event loop that were later than its alert allows."""
        limit = THRESHOLDS_BY_NAME["loop_lag"].value
        return self.timers - round(self.scrape.value(f"{_LAG}_bucket", le=f"{limit:g}") or 0)

    @property
    def timers(self) -> int:
        """All timers by which the exporter measured its lag."""
        return round(self.scrape.value(f"{_LAG}_count") or 0)

    def info(self, program: str, family: str) -> dict[str, str]:
        """The labels of the one series of a program; empty without one."""
        found = self.scrape.find(family, target=self.addresses[program])
        assert len(found) <= 1, f"{program} has {len(found)} series of {family}"
        return found[0][0] if found else {}


@contextlib.contextmanager
def inhabited(plan: Plan, folder: Path) -> Iterator[Zoo]:
    """The programs under load."""
    every = f"{_ROUND:.0f}s"
    watching = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": every},
        "rule_files": [str(_rules(plan, folder))],
        "scrape_configs": [
            {
                "job_name": "pprof-exporter",
                "scrape_interval": every,
                "scrape_timeout": every,
                "file_sd_configs": [{"files": [str(folder / _DISCOVERY)], "refresh_interval": "1s"}],
            }
        ],
    }
    with (
        inhabitants.running(folder / "programs", watching) as zoo,
        loaded(zoo.living),
        _busy(plan.busy_loops),
    ):
        yield zoo


def lived(plan: Plan, living: Sequence[Inhabitant], folder: Path) -> Life:
    """Watch the programs for the time of the plan, and say what was seen."""
    config = folder / "exporter.json"
    job = {"job_name": "zoo", "static_configs": inhabitants.labelled(living)}
    settings = shortened()
    settings["profiles"]["cpu"]["window"] = _WINDOW
    settings["profiles"]["mutex"]["interval"] = _MUTEX
    config.write_text(json.dumps({**settings, "scrape_configs": [job]}))
    flags = (f"--config.file={config}", f"--storage.path={folder / 'store'}", f"--scrape.audit={_AUDIT}")
    _wait_until_calm(living)
    with exporter.running(*flags) as watching, processor_waits.counted(watching.process.pid) as waits:
        discovered = folder / f"{_DISCOVERY}.new"
        discovered.write_text(json.dumps([{"targets": [watching.url[7:]]}]))
        discovered.rename(folder / _DISCOVERY)
        begun = time.monotonic()
        seen = _Seen(living, begun)
        try:
            while time.monotonic() < begun + plan.seconds:
                asked = time.monotonic()
                seen.look(watching)
                time.sleep(max(0.1, asked + _ROUND - time.monotonic()))
            seen.look(watching)
            life = time.monotonic() - begun
            seen.look_back(life)
            scrape = watching.scrape()
        except OSError as error:
            raise AssertionError(f"{error}; the exporter says:\n{watching.log[-3000:]}") from error
        watching.stop()
        addresses = {one.name: one.address for one in living}
        return Life(life, seen.findings, seen.alerts, seen.pending, scrape, waits.long, addresses, watching.log)


class _Seen:
    """What the pages and the Prometheis have said since the life began."""

    def __init__(self, living: Sequence[Inhabitant], begun: float) -> None:
        self._living = living
        self._begun = begun
        self._servers = {one.name: Prometheus(one.url) for one in living if one.package.name == "prometheus"}
        self._found: dict[tuple[str, ...], Complaint] = {}

    @property
    def findings(self) -> list[Complaint]:
        return [complaint for key, complaint in self._found.items() if key[0] == "finding"]

    @property
    def alerts(self) -> list[Complaint]:
        return [complaint for key, complaint in self._found.items() if key[0] == "firing"]

    @property
    def pending(self) -> list[Complaint]:
        fired = {(complaint.program, complaint.what) for complaint in self.alerts}
        waited = [complaint for key, complaint in self._found.items() if key[0] == "pending"]
        return [one for one in waited if (one.program, one.what) not in fired]

    def look(self, watching: Exporter) -> None:
        """Read every page, and the alerts of every Prometheus."""
        for one in self._living:
            for card in target_page(watching, one.address).cards:
                for said in card.said or ("",):
                    self._note(("finding", one.name, card.mode, card.level), said)
        for name, server in self._servers.items():
            for alert in server.api("alerts")["alerts"]:
                self._alert(alert["state"], name, alert["labels"], alert["annotations"]["description"])

    def look_back(self, seconds: float) -> None:
        """Ask every Prometheus for what fired between two looks."""
        for name, server in self._servers.items():
            for labels, _ in server.query(f'max_over_time(ALERTS{{alertstate="firing"}}[{seconds:.0f}s])'):
                self._alert("firing", name, labels, "")

    def _alert(self, state: str, server: str, labels: dict[str, Any], said: str) -> None:
        severity = labels["severity"]
        if severity != _INFO and labels["alertname"] != _TOO_FEW_TIMERS:
            program, level = labels.get("service", "exporter"), f"{severity}, {state} in {server}"
            self._note((state, program, labels["alertname"], level), said)

    def _note(self, key: tuple[str, str, str, str], said: str) -> None:
        if (known := self._found.get(key)) is None:
            self._found[key] = Complaint(*key[1:], said, time.monotonic() - self._begun)
        else:
            known.said = said or known.said
            known.times += 1


def _wait_until_calm(living: Sequence[Inhabitant]) -> None:
    """Wait until the programs have started: seconds of that would be the first quarter of an hour of this life."""
    deadline = time.monotonic() + _SETTLES_WITHIN
    processes = [psutil.Process(one.process.pid) for one in living]
    for process in processes:
        process.cpu_percent()
    calm = 0
    while calm < 2 and time.monotonic() < deadline:
        time.sleep(_ROUND)
        busiest = max(process.cpu_percent() for process in processes)
        calm = calm + 1 if busiest <= 100 * _CALM else 0


def _rules(plan: Plan, folder: Path) -> Path:
    """The shipped rules in the time of this life."""
    file = folder / "pprof.rules.yaml"
    settings = [word for name, value in _SETTINGS.items() for word in ("--set", f"{name}={value:g}")]
    command = [sys.executable, "-m", "pprof_exporter", "rules", *settings, "--time-scale", str(plan.time_scale)]
    run_command([*command, "--output", str(file)])
    return file


@contextlib.contextmanager
def _busy(loops: int) -> Iterator[None]:
    """So many loops that take all the time they can get."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes += [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
