"""Reads the limits that the cgroups of a process on this machine set, and how often they throttle it. Linux only.

Sources: cgroups(7), proc_pid_mountinfo(5), and in the kernel
Documentation/admin-guide/cgroup-v2.rst and Documentation/scheduler/sched-bwc.rst.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits, CpuBandwidth

# Without a limit, version 1 shows the largest page-aligned number below 2^63; its value depends on the page size.
_UNLIMITED_BYTES = 2**62
_MICROSECONDS = 10**6
_NANOSECONDS = 10**9
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class _Mount:
    """A mounted hierarchy: `root` of its cgroups is at `point`. `controllers` is None for version 2, which has all."""

    root: PurePosixPath
    point: Path
    controllers: frozenset[str] | None


class CgroupReader:
    """Reads the cgroups of processes. `root` holds `proc` and the mount points; tests have their own tree.

    Not thread-safe. It raises nothing: what is not there, not readable or malformed is unknown.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._mounts: tuple[_Mount, ...] = ()

    def read(self, pid: int) -> CgroupLimits | None:
        """The limits of a process; None if no cgroup of it is visible here."""
        memberships = dict(_memberships(_text(self._root / "proc" / str(pid) / "cgroup")))
        if not memberships:
            return None
        # Hierarchies are mounted once, when the system or the container starts.
        self._mounts = self._mounts or tuple(self._read_mounts())
        memory = self._folders("memory", memberships)
        cpu = self._folders("cpu", memberships)
        if not memory and not cpu:
            return None
        limits = [limit for folder in memory if (limit := _memory_limit(folder)) is not None]
        bandwidths = (_bandwidth(folder) for folder in cpu)
        return CgroupLimits(min(limits, default=None), tuple(one for one in bandwidths if one is not None))

    def _folders(self, controller: str, memberships: dict[str, PurePosixPath]) -> list[Path]:
        """The folders of the cgroup and its visible ancestors, the innermost first."""
        # A controller of version 1 is not available in version 2, where a system has both.
        version_1 = controller in memberships
        path = memberships.get(controller if version_1 else "")
        if path is None:
            return []
        for mount in self._mounts:
            fits = controller in (mount.controllers or ()) if version_1 else mount.controllers is None
            # With `..` the cgroup is outside of the namespace.
            if not fits or ".." in path.parts or not path.is_relative_to(mount.root):
                continue
            inner = path.relative_to(mount.root)
            innermost = mount.point / inner
            if _is_folder(innermost):
                return [innermost, *list(innermost.parents)[: len(inner.parts)]]
        return []

    def _read_mounts(self) -> Iterator[_Mount]:
        for line in _text(self._root / "proc/self/mountinfo").splitlines():
            before, _, after = line.partition(" - ")
            fields, of_system = before.split(), after.split()
            if len(fields) < 5 or len(of_system) < 3 or of_system[0] not in {"cgroup", "cgroup2"}:
                continue
            root, point = (_ESCAPED.sub(lambda found: chr(int(found[1], 8)), field) for field in fields[3:5])
            controllers = frozenset(of_system[2].split(",")) if of_system[0] == "cgroup" else None
            yield _Mount(PurePosixPath(root), self._root / point.lstrip("/"), controllers)


def _memberships(text: str) -> Iterator[tuple[str, PurePosixPath]]:
    """The path of each controller of version 1, and that of version 2 under an empty name."""
    for line in text.splitlines():
        _, first, rest = line.partition(":")
        controllers, second, path = rest.partition(":")
        if first and second:
            for controller in controllers.split(","):
                yield controller, PurePosixPath(path)


def _memory_limit(folder: Path) -> int | None:
    text = _text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes")
    limit = _whole(text)
    return limit if limit is not None and limit < _UNLIMITED_BYTES else None


def _bandwidth(folder: Path) -> CpuBandwidth | None:
    both = _text(folder / "cpu.max").split()
    texts = both if len(both) == 2 else [_text(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
    # `max` and -1 stand for no limit.
    quota, period = (_whole(text) for text in texts)
    if not quota or not period:
        return None
    lines = (line.split() for line in _text(folder / "cpu.stat").splitlines())
    counters = {line[0]: value for line in lines if len(line) == 2 and (value := _whole(line[1])) is not None}
    if "nr_periods" not in counters or "nr_throttled" not in counters:
        return None
    return CpuBandwidth(
        path=str(folder),
        processors=quota / period,
        periods=counters["nr_periods"],
        throttled_periods=counters["nr_throttled"],
        throttled_seconds=counters["throttled_usec"] / _MICROSECONDS
        if "throttled_usec" in counters
        else counters.get("throttled_time", 0) / _NANOSECONDS,
    )


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "surrogateescape")
    except (OSError, ValueError):
        return ""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
