"""Three of thirty targets are upgraded: a host that becomes slow for all is no regression, slow upgraded ones are.

Each target is a process of its own behind a proxy that delays its replies. Two fleets live at the same time, each under
an exporter of its own, and one Prometheus with the shipped rules scrapes both.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from tests.e2e.scene import SCALE, scaled_rules
from tests.lab import exporter, free_ports, go, lines, prometheus
from tests.lab.exporter import Exporter, Scrape
from tests.lab.lines import Line
from tests.lab.pages import TargetPage, target_page
from tests.lab.scenes import at_most_twice
from tests.lab.service import Service, started

TARGETS, UPGRADED = 30, 3
BEFORE, AFTER = "1.26.6", "1.27.3"
EVERY = 2.0
"""Seconds between two fetches, and between two canaries."""
BASELINE = 18 * EVERY
"""Seconds before the upgrade: ten values are a baseline, and as many again are compared."""
ENOUGH = THRESHOLDS_BY_NAME["regression_observations"].value
"""Values that a median needs before and after."""
DELAY = 0.4
"""Seconds: eight times the smallest latency that is ever called a regression."""
FIRES_AFTER = 15 * 60 * SCALE + 15
"""Seconds until an alert fires that holds: its `for`, the rules that it rests on, and two scrapes."""
SLOW = ("fetch_duration_seconds:heap", "canary_duration_seconds:rest")
ALL, FEW = "slow-host", "slow-upgrade"


@dataclass(frozen=True, slots=True, repr=False)
class Fleet:
    """The targets of one exporter by their names at its proxies; the first `UPGRADED` of them were upgraded."""

    targets: tuple[str, ...]
    scrape: Scrape
    pages: Mapping[str, TargetPage]
    firing: tuple[tuple[str, str], ...]
    """Alert and target ("" for the fleet) of each alert of F20 that fires."""

    def with_f20(self) -> set[str]:
        """Targets whose page says that something is worse since their upgrade."""
        return {name for name, page in self.pages.items() if "F20" in page.found()}

    def beyond_control(self, target: str) -> dict[str, float]:
        """How much each slow signal changed, beyond how much it changed for those that were not upgraded."""
        found = {}
        for signal in SLOW:
            ratio = self.scrape.value("pprof_signal_change_ratio", target=target, signal=signal)
            control = self.scrape.value("pprof_signal_control_ratio", target=target, signal=signal)
            assert ratio is not None, f"{target} has no before and after of {signal}"
            assert control is not None, f"{target} has no control for {signal}"
            found[signal] = ratio / max(1, control)
        return found


def configuration(targets: list[str]) -> dict[str, Any]:
    """Only what is compared here, often; and CPU profiles, which show more of a process."""
    often = {"interval": f"{1000 * EVERY:.0f}ms"}
    profiles = {"heap": often, "canary": often, "cpu": {"interval": "30s", "window": "1s"}}
    off = ("allocs", "block", "goroutine", "goroutineleak", "memstats", "mutex", "threadcreate")
    return {
        "global": {"scrape_interval": f"{2000 * EVERY:.0f}ms", "profiling_budget": 1, "defer_at_most": "off"},
        "profiles": profiles | {name: {"enabled": False} for name in off},
        "scrape_configs": [
            {"job_name": "fleet", "static_configs": [{"targets": targets, "labels": {"service": "fleet"}}]}
        ],
    }


@pytest.fixture(scope="module")
def fleets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fleet]:
    """Both fleets as they were long enough after the upgrade of three targets of each."""
    return play(tmp_path_factory.mktemp("fleets"))


@at_most_twice
def play(folder: Path) -> dict[str, Fleet]:
    """Upgrade three targets of each fleet, and wait until all is judged."""
    old, new = go.build(BEFORE), go.build(AFTER)
    ports = iter(free_ports(2 * TARGETS))
    services = {
        name: [Service(name, old, address=f"127.0.0.1:{next(ports)}") for _ in range(TARGETS)] for name in (ALL, FEW)
    }
    everybody = [service for fleet in services.values() for service in fleet]
    with contextlib.ExitStack() as stack:
        stack.enter_context(started(everybody))
        proxies = stack.enter_context(lines.running([[service.address] for service in everybody]))
        behind = {ALL: proxies[:TARGETS], FEW: proxies[TARGETS:]}
        watching = {name: stack.enter_context(watched(folder / name, behind[name])) for name in services}
        server = stack.enter_context(prometheus.running(scraping(folder, watching)))
        time.sleep(BASELINE)
        for fleet in services.values():
            for service in fleet[:UPGRADED]:
                service.replace(new)
        for line in (*behind[ALL], *behind[FEW][:UPGRADED]):
            line.delay = DELAY
        upgraded_at = time.monotonic()
        last = {name: wait_until_compared(watching[name], behind[name]) for name in services}
        print(f"compared {time.monotonic() - upgraded_at:.0f} s after the upgrade")
        time.sleep(FIRES_AFTER)
        wait_until_quiet(server, watching)
        return {
            name: Fleet(
                tuple(line.address for line in behind[name]),
                last[name],
                {line.address: target_page(watching[name], line.address) for line in behind[name]},
                firing(server, name),
            )
            for name in services
        }


@contextlib.contextmanager
def watched(folder: Path, targets: list[Line]) -> Iterator[Exporter]:
    """An exporter of its own for a fleet."""
    folder.mkdir()
    config = folder / "exporter.json"
    config.write_text(json.dumps(configuration([line.address for line in targets])))
    with exporter.running(f"--config.file={config}", f"--storage.path={folder / 'store'}", "--scrape.audit=off") as one:
        yield one


def wait_until_compared(watching: Exporter, targets: list[Line]) -> Scrape:
    """Wait until the upgraded targets of a fleet have enough values since; return the metrics as they are then.

    While the exporter itself lags, on a machine with other work, no latency of anybody is judged: wait that out, too.
    """
    begun, shown = time.monotonic(), ""

    def enough(now: Scrape) -> bool:
        nonlocal shown
        counts = [
            now.value("pprof_signal_observations", target=line.address, signal=signal, epoch="now") or 0
            for line in targets[:UPGRADED]
            for signal in SLOW
        ]
        changes = [now.value("pprof_changes_total", target=line.address, change="go") for line in targets[:UPGRADED]]
        overloaded = now.value("pprof_exporter_overloaded")
        if shown != (shown := f"changes {changes}, values {counts}, overloaded {overloaded}"):
            print(f"{time.monotonic() - begun:.0f} s: {shown}")
        return min(counts) >= ENOUGH and not overloaded

    with contextlib.suppress(AssertionError):
        return watching.wait_for(enough, within=180)
    return watching.scrape()


def wait_until_quiet(server: prometheus.Prometheus, watching: Mapping[str, Exporter]) -> None:
    """Wait, not for ever, until the alerts of the slow upgrade fire and no exporter lags: it would judge nothing."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        lagging = [name for name, one in watching.items() if one.scrape().value("pprof_exporter_overloaded")]
        if firing(server, FEW) and not lagging:
            return
        time.sleep(2)


def scraping(folder: Path, watching: Mapping[str, Exporter]) -> dict[str, Any]:
    """A Prometheus with the shipped rules, an hour of which is a minute; each fleet is a job."""
    return {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
        "rule_files": [str(scaled_rules(folder))],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [one.url.removeprefix("http://")]}]}
            for name, one in watching.items()
        ],
    }


def firing(server: prometheus.Prometheus, job: str) -> tuple[tuple[str, str], ...]:
    """Alert and target of each alert of F20 of a job."""
    asked = f'ALERTS{{alertstate="firing", alertname=~"Pprof(Upgrade|Fleet)Regression", job="{job}"}}'
    found = {(labels["alertname"], labels.get("target", "")) for labels, _ in server.query(asked)}
    return tuple(sorted(found))


def overloaded(fleet: Fleet) -> bool:
    return bool(fleet.scrape.value("pprof_exporter_overloaded"))


def test_a_host_that_is_slow_for_all_is_no_regression_of_those_that_were_upgraded(fleets: dict[str, Fleet]) -> None:
    fleet = fleets[ALL]
    for target in fleet.targets[:UPGRADED]:
        print(target, fleet.beyond_control(target), fleet.pages[target].cards)
    print(fleet.with_f20(), fleet.firing, "overloaded" if overloaded(fleet) else "")
    for target in fleet.targets[:UPGRADED]:
        # They are much slower than before, and so are all others.
        for signal in SLOW:
            assert (fleet.scrape.value("pprof_signal_change_ratio", target=target, signal=signal) or 0) > 5
        assert max(fleet.beyond_control(target).values()) <= 2
    assert fleet.with_f20() == set()
    assert fleet.firing == ()
    changed = fleet.scrape.find("pprof_changes_total", change="binary")
    assert sorted(labels["target"] for labels, value in changed if value) == sorted(fleet.targets[:UPGRADED])


def test_upgraded_targets_that_alone_are_slow_have_a_regression(fleets: dict[str, Fleet]) -> None:
    fleet = fleets[FEW]
    upgraded = set(fleet.targets[:UPGRADED])
    for target in upgraded:
        print(target, fleet.beyond_control(target), fleet.pages[target].cards)
    print(fleet.with_f20(), fleet.firing, "overloaded" if overloaded(fleet) else "")
    assert fleet.with_f20() == upgraded
    for target in upgraded:
        assert min(fleet.beyond_control(target).values()) > 2
    told = {target for alert, target in fleet.firing if alert == "PprofUpgradeRegression"}
    assert told == upgraded or ("PprofFleetRegression", "") in fleet.firing
    assert told <= upgraded
