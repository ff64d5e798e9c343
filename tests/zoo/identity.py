"""Who a program is, by its binary and by the system: what the exporter has to say of it, too."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pprof_exporter.clock import SystemClock
from pprof_exporter.scrape.target.local_process import LocalProcesses
from tests.lab.go import version_of
from tests.zoo.inhabitants import Inhabitant
from tests.zoo.life import Life
from tests.zoo.profiles import Compared

_UNKNOWN = "unknown"
_CHANGES = ("pprof_restarts_total", "pprof_changes_total", "pprof_several_processes_info")
_TOLERANCE = 0.05
"""Seconds: the system counts the start of a process in hundredths."""


@dataclass(frozen=True, slots=True)
class Who:
    """What identifies a process. `build` is the digest of its build id, `started` in Unix time."""

    program: str
    go: str
    build: str
    pid: int
    started: float


@dataclass(frozen=True, slots=True)
class Known:
    """What a program is, and what the exporter knows of it."""

    program: str
    real: Who
    told: Who
    changed: dict[str, float]
    """Restarts, upgrades, and several processes at its address, if the exporter counts any. There were none."""
    log: str
    """What the exporter logged of it in that case."""

    @property
    def right(self) -> bool:
        """Whether everything is the same."""
        started = abs(self.real.started - self.told.started) < _TOLERANCE
        names = [(who.program, who.go, who.build, who.pid) for who in (self.real, self.told)]
        return started and names[0] == names[1] and not self.changed

    def __str__(self) -> str:
        return f"{self.program}: it is {self.real}; told is {self.told} with {self.changed or 'no change'}{self.log}"


def known(living: Sequence[Inhabitant], life: Life, profiles: Sequence[Compared]) -> list[Known]:
    """What the exporter knew of each program at the end of the life, and what it finds of the processes now."""
    processes = LocalProcesses(SystemClock())
    return [_known(one, life, profiles, processes) for one in living]


def _known(one: Inhabitant, life: Life, profiles: Sequence[Compared], processes: LocalProcesses) -> Known:
    build_ids = {seen.build_id for seen in profiles if seen.program == one.name and seen.build_id}
    assert len(build_ids) <= 1, f"{one.name}: its profiles have the build ids {build_ids}"
    build = blake2b(build_ids.pop().encode(), digest_size=6).hexdigest() if build_ids else _UNKNOWN
    go = version_of(one.executable)[0][0].removeprefix("go")
    real = Who(one.executable.name, go, build, one.process.pid, _started(one.process.pid))
    labels = life.info(one.name, "pprof_target_info")
    process = asyncio.run(processes.find("127.0.0.1", one.place.pprof))
    told = Who(
        labels.get("program", ""),
        labels.get("go_version", ""),
        labels.get("build", ""),
        process.pid if process is not None else 0,
        process.started if process is not None else 0,
    )
    changed = {family: count for family in _CHANGES if (count := life.metric(one.name, family))}
    log = "".join(f"\n  {line}" for line in life.log.splitlines() if changed and f"target={one.address} " in line)
    return Known(one.name, real, told, changed, log)


def _started(pid: int) -> float:
    """When a process started, in Unix time: field 22 of its stat counts from the start of the system (proc(5))."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    lines = Path("/proc/stat").read_text().splitlines()
    booted = next(int(line.split()[1]) for line in lines if line.startswith("btime"))
    return booted + ticks / os.sysconf("SC_CLK_TCK")
