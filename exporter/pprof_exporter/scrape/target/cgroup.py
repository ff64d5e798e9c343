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
# Cgroups whose folders are remembered: more than a machine has targets.
_MAX_GROUPS = 1024
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class _Mount:
    """A mounted hierarchy: `root` of its cgroups is at `point`. `controllers` is None for version 2, which has all."""

    root: PurePosixPath
    point: Path
    controllers: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Folders:
    """Of a cgroup and its visible ancestors, the innermost first, where each controller has its files."""

    memory: list[str]
    cpu: list[str]


class CgroupReader:
    """Reads the cgroups of processes. `root` holds `proc` and the mount points; tests have their own tree.

    Not thread-safe. It raises nothing: what is not there, not readable or malformed is unknown.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._mounts: tuple[_Mount, ...] = ()
        self._found: dict[str, _Folders] = {}
        """By the cgroups of a process, as the kernel lists them."""

    def read(self, pid: int) -> CgroupLimits | None:
        """The limits of a process; None if no cgroup of it is visible here."""
        text = _text(f"{self._root}/proc/{pid}/cgroup")
        folders = self._found.get(text) or self._find(text)
        if not folders.memory and not folders.cpu:
            return None
        limits = [limit for folder in folders.memory if (limit := _memory_limit(folder)) is not None]
        bandwidths = (_bandwidth(folder) for folder in folders.cpu)
        return CgroupLimits(min(limits, default=None), tuple(one for one in bandwidths if one is not None))

    def _find(self, text: str) -> _Folders:
        memberships = dict(_memberships(text))
        # Hierarchies are mounted once, when the system or the container starts.
        self._mounts = self._mounts or tuple(self._read_mounts())
        memory, cpu = (
            [str(folder) for folder in self._folders(controller, memberships)] for controller in ("memory", "cpu")
        )
        found = _Folders(memory, cpu)
        # A cgroup exists as long as a process is in it. What is not visible may be later.
        if memory or cpu:
            if len(self._found) >= _MAX_GROUPS:
                self._found.clear()
            self._found[text] = found
        return found

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
        for line in _text(f"{self._root}/proc/self/mountinfo").splitlines():
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


def _memory_limit(folder: str) -> int | None:
    text = _text(f"{folder}/memory.max") or _text(f"{folder}/memory.limit_in_bytes")
    limit = _whole(text)
    return limit if limit is not None and limit < _UNLIMITED_BYTES else None


def _bandwidth(folder: str) -> CpuBandwidth | None:
    both = _text(f"{folder}/cpu.max").split()
    texts = both if len(both) == 2 else [_text(f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period")]
    # `max` and -1 stand for no limit.
    quota, period = (_whole(text) for text in texts)
    if not quota or not period:
        return None
    lines = (line.split() for line in _text(f"{folder}/cpu.stat").splitlines())
    counters = {line[0]: value for line in lines if len(line) == 2 and (value := _whole(line[1])) is not None}
    if "nr_periods" not in counters or "nr_throttled" not in counters:
        return None
    return CpuBandwidth(
        path=folder,
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


def _text(file: str) -> str:
    try:
        # Read for every profile: a Path and buffers would take longer than the system calls.
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
            return opened.read().decode("utf-8", "surrogateescape")
    except (OSError, ValueError):
        return ""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
