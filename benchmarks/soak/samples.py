"""What the soak samples of a running exporter: its process, its page, its log, and its own count of objects."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MIB = 2**20
OBJECTS, BLOCKS, TASKS = "objects", "blocks", "tasks"
RESIDENT, DESCRIPTORS, THREADS, SERIES = "resident_mib", "descriptors", "threads", "series"
_TARGET = re.compile(r' target="?([^" ]+)')
_HIGHEST = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)
_FAMILY = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


@dataclass(slots=True)
class Samples:
    """Each figure over time, in seconds since the start."""

    process: psutil.Process
    url: str
    counts: Path
    """Where `benchmarks.soak.watched` writes."""
    began: float = field(default_factory=time.monotonic)
    figures: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    families: list[tuple[float, Counter[str]]] = field(default_factory=list)
    """Series of each family at some times."""
    cpu: float = 0
    highest: float = 0
    """MiB of resident memory, as the kernel noted it: no sample misses its peak."""
    _read: int = 0

    def take(self) -> str:
        """Take one sample; returns the page of metrics."""
        page = self._page()
        with self.process.oneshot():
            self._add(RESIDENT, self.process.memory_info().rss / MIB)
            self._add(DESCRIPTORS, float(self.process.num_fds()))
            self._add(THREADS, float(self.process.num_threads()))
            times = self.process.cpu_times()
        self.cpu = times.user + times.system
        self.highest = _highest_resident(self.process.pid)
        families = Counter(
            found[0] for line in page.splitlines() if not line.startswith("#") and (found := _FAMILY.match(line))
        )
        self._add(SERIES, float(families.total()))
        self.families.append((time.monotonic() - self.began, families))
        for counted in self._counted():
            for name in (OBJECTS, BLOCKS, TASKS):
                self.figures.setdefault(name, []).append((counted["at"] - self.began, counted[name]))
        return page

    def line(self) -> str:
        """The latest figures, with the highest resident memory so far."""
        minutes = (time.monotonic() - self.began) / 60
        latest = "  ".join(f"{name} {points[-1][1]:.0f}" for name, points in self.figures.items())
        return f"{minutes:6.2f} min  {latest}  most {self.highest:.0f}"

    def grown_families(self, after: float) -> list[tuple[str, int, int]]:
        """Families with more series at the end than at a time, those that grew most first."""
        first = next((families for at, families in self.families if at >= after), Counter[str]())
        last = self.families[-1][1]
        grown = [(name, first[name], count) for name, count in last.items() if count > first[name]]
        return sorted(grown, key=lambda row: row[1] - row[2])

    def _add(self, name: str, value: float) -> None:
        self.figures.setdefault(name, []).append((time.monotonic() - self.began, value))

    def _page(self) -> str:
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=60) as reply:  # noqa: S310 - of our own process
            return str(reply.read().decode())

    def _counted(self) -> Iterator[dict[str, float]]:
        with self.counts.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if line.endswith(b"\n"):
                    self._read += len(line)
                    yield json.loads(line)


def _highest_resident(pid: int) -> float:
    """VmHWM of proc_pid_status(5), in MiB. A soak needs Linux anyway, for its addresses of loopback."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    found = _HIGHEST.search(status)
    if found is None:
        raise ValueError(f"process {pid} has no VmHWM")
    return int(found[1]) / 1024


@dataclass(frozen=True, slots=True)
class LogVolume:
    """What an exporter has logged."""

    lines: int
    bytes: int
    tracebacks: int
    by_message: dict[str, int]
    by_target: dict[str, int]

    @classmethod
    def of(cls, text: str) -> LogVolume:
        """Of the log as logfmt."""
        lines = text.splitlines()
        messages = Counter(line.partition(" msg=")[2].partition(" target=")[0][:60] for line in lines)
        targets = Counter(found[1] for line in lines if (found := _TARGET.search(line)))
        return cls(len(lines), len(text.encode()), text.count("Traceback"), dict(messages), dict(targets))

    @property
    def lines_of_each(self) -> float:
        """Lines about a target, on average."""
        return sum(self.by_target.values()) / max(1, len(self.by_target))

    @property
    def most_of_a_target(self) -> int:
        """Lines about the target with most lines."""
        return max(self.by_target.values(), default=0)
