"""One run of the zoo: the life, then the command `check`, every profile against Go, and who each program is."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.zoo.identity import Known, known
from tests.zoo.inhabitants import Inhabitant
from tests.zoo.life import Complaint, Life, Plan, inhabited, lived
from tests.zoo.profiles import Compared, compared

_LATE_TIMERS = 0.01
"""Share of the timers of the exporter's event loop, as the alert for it has it."""
_CHECK_TIMEOUT = 180.0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was seen, by program where it is about one."""

    life: Life
    absent: dict[str, str]
    checked: dict[str, list[str]]
    """What `pprof-exporter check` finds; an empty list is a program without findings."""
    exit_code: int
    """Of `pprof-exporter check` of all programs."""
    profiles: list[Compared]
    identities: list[Known]
    seconds: float
    """With the start of the programs, and all comparisons."""

    @property
    def programs(self) -> list[str]:
        return list(self.life.addresses)

    @property
    def late(self) -> str:
        """What the alert on the exporter's lag would say of the whole life; nothing if it would not fire.

        The machine is busy with the programs and other tests. What Linux says was waiting for a processor is no fault.
        """
        life = self.life
        own = life.late_timers - life.without_processor
        return "" if own <= _LATE_TIMERS * life.timers else self.timers()

    def timers(self) -> str:
        """A sentence on the timers of the exporter."""
        life = self.life
        return (
            f"{life.late_timers} of {life.timers} timers of the exporter were late; it waited for a processor "
            f"{life.without_processor} times"
        )

    def faults(self) -> Iterator[str]:
        """Whatever is wrong, one line each."""
        yield from (f"finding of {one}" for one in self.life.findings)
        yield from (f"alert of {one}" for one in self.life.alerts)
        yield from (f"check of {name}: {said}" for name, found in self.checked.items() for said in found)
        if self.late:
            yield self.late
        if self.exit_code:
            yield f"pprof-exporter check exits with {self.exit_code}"
        yield from (f"read differently, {one}" for one in self.profiles if not one.equal)
        yield from (f"identity of {one}" for one in self.identities if not one.right)

    def table(self) -> str:
        """A row for each program."""
        rows = [_HEAD, *(self._row(name) for name in self.programs)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.append(self.timers())
        return "\n".join([*lines, *(f"{name} is absent: {why}" for name, why in self.absent.items())])

    def _row(self, name: str) -> tuple[str, ...]:
        life = self.life
        used = life.metric(name, "pprof_cpu_used_seconds_total")
        accounted = life.metric(name, "pprof_cpu_accounted_seconds_total")
        read = [one for one in self.profiles if one.program == name]
        told = next(one.told for one in self.identities if one.program == name)
        return (
            name,
            told.go,
            _names(one for one in life.findings if one.program == name),
            _names(one for one in life.alerts if one.program == name),
            ", ".join(sorted({said.partition(":")[0] for said in self.checked[name]})) or "-",
            f"{used:.1f} s",
            f"{accounted / used:.2f}" if used else "-",
            f"{life.metric(name, 'pprof_cpu_samples_total'):.0f}",
            f"{sum(one.equal for one in read)} of {len(read)}",
        )


_HEAD = ("program", "Go", "findings", "alerts", "check", "CPU time", "coverage", "samples", "profiles equal")


def _names(complaints: Iterator[Complaint]) -> str:
    return ", ".join(sorted({f"{one.what} {one.level.partition(',')[0]}" for one in complaints})) or "-"


def run(plan: Plan, folder: Path) -> Report:
    """Start everything, watch it, compare, and end everything. `folder` is empty or new."""
    begun = time.monotonic()
    folder.mkdir(exist_ok=True)
    with inhabited(plan, folder) as zoo:
        life = lived(plan, zoo.living, folder)
        # Only one CPU profile at a time is served: one after the other.
        exit_code, checked = _checked(zoo.living)
        profiles = compared(zoo.living, folder / "profiles")
        identities = known(zoo.living, life, profiles)
    return Report(life, zoo.absent, checked, exit_code, profiles, identities, time.monotonic() - begun)


def _checked(living: Sequence[Inhabitant]) -> tuple[int, dict[str, list[str]]]:
    """Exit code of `pprof-exporter check` of all programs, and its findings of each."""
    command = [sys.executable, "-m", "pprof_exporter", "check", "--format=json", *(one.address for one in living)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=_CHECK_TIMEOUT)
    assert done.stdout, f"check says nothing: {done.stderr}"
    said = {one["target"]: one for one in json.loads(done.stdout)["targets"]}
    found = {}
    for one in living:
        target = said[one.address]
        texts = [
            f"{verdict['mode']} {finding['level']}: {finding['said']}"
            for verdict in target["verdicts"]
            for finding in verdict["findings"]
        ]
        found[one.name] = [*([target["problem"]] if target["problem"] else []), *texts]
    return done.returncode, found
