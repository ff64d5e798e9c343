"""The process behind a port of this machine: its start, CPU time, limits, program, and the program's Go version."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from pprof_exporter.clock import Clock, SystemClock
from pprof_exporter.profile import BuildInfo, KnownGoVersion, go_version_from_binary, read_build_info
from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits
from pprof_exporter.scrape.state.memory_limits import LocalBounds
from pprof_exporter.scrape.target.cgroup import CgroupReader
from pprof_exporter.scrape.target.linux_listeners import LinuxListeners
from pprof_exporter.scrape.target.listeners import ConnectionListeners, Listener, Listeners
from pprof_exporter.scrape.target.local_address import is_this_machine, own_addresses
from pprof_exporter.scrape.target.memory_limit import read_gomemlimit
from pprof_exporter.threads import Threads

# Programs whose build information is remembered: all versions of all targets of one machine.
_MAX_PROGRAMS = 256
# Targets whose process is remembered: more than one exporter monitors.
_MAX_OWNERS = 4096
# Seconds. A node of Kubernetes has hundreds of interfaces, and listing them takes milliseconds.
_ADDRESSES_VALID = 60.0


@dataclass(frozen=True, slots=True)
class LocalProcess:
    """The process that listens on a port of this machine. It may be a proxy in front of the program."""

    pid: int
    started: float
    """Unix seconds. The same as long as the process lives, although the system's answer moves with its clock."""
    executable: str
    """Path of its program as the process sees it; empty if the system does not tell."""
    cpu_seconds: float
    """User and system time since its start."""
    go: KnownGoVersion
    """From its binary; empty if that is not readable, or no Go program."""
    cgroup: CgroupLimits | None = None
    """None: no cgroup of it is visible, as on other systems than Linux."""
    bounds: LocalBounds | None = None


class LocalProcesses:
    """Finds the process that gets the connections to a host and port. For all targets.

    A process that was found is remembered with its start time. Its socket is looked up again when it has ended or, on
    Linux, closed its socket, and from time to time in case that another process joined it on the port (SO_REUSEPORT).

    A search goes through all descriptors of the machine, so it runs in a thread, one at a time. Everything else is what
    the kernel holds in memory, and is read in the event loop: in a thread each system call gives up the interpreter's
    lock, and waits up to 5 ms to have it back from a busy loop.
    """

    def __init__(self, clock: Clock, listeners: Listeners | None = None) -> None:
        """`listeners` finds the owner of a port; None: in the way of this system."""
        self._clock = clock
        self._searching = threading.Lock()
        self._thread = Threads("local-processes", 1)
        self._listeners = listeners or (LinuxListeners(clock) if psutil.LINUX else ConnectionListeners(clock))
        self._cgroups = CgroupReader()
        self._host_memory = psutil.virtual_memory().total
        self._owners: OrderedDict[tuple[str, int], _Owner] = OrderedDict()
        """By host and port."""
        self._addresses: frozenset[str] = frozenset()
        self._addresses_until = -math.inf
        self._builds: OrderedDict[_FileKey, BuildInfo | None] = OrderedDict()

    async def find(self, host: str, port: int, *, fresh: bool = False) -> LocalProcess | None:
        """The process that listens there; None if the host is not this machine, or the system does not tell.

        `fresh`: the target has just come up or has a new process, so the port is looked up.
        """
        try:
            if not is_this_machine(host, self._own_addresses):
                return None
            owner = None if fresh else self._current(host, port)
            if owner is None:
                owner = await self._thread.run(lambda: self._search((host, port), fresh=fresh))
            elif owner.program is None or owner.program.link != _link(owner.process):
                await self._thread.run(partial(self._read_program, owner))
            return None if owner is None else self._describe(owner)
        except (psutil.Error, OSError):
            # On macOS, and for processes of other users, the system denies access; in a sandbox without netlink
            # sockets, the addresses of the machine too. Or the process just ended.
            self._owners.pop((host, port), None)
            return None

    def _own_addresses(self) -> Collection[str]:
        now = self._clock.steady()
        if now >= self._addresses_until:
            self._addresses, self._addresses_until = own_addresses(), now + _ADDRESSES_VALID
        return self._addresses

    def _current(self, host: str, port: int) -> _Owner | None:
        """The process that was found there before; None if a search is due."""
        known, now = self._owners.get((host, port)), self._clock.steady()
        if known is None or not known.still_listens():
            return None
        if now < known.look_up_at or not self._searching.acquire(blocking=False):
            return known
        try:
            listener = self._listeners.known_owner(host, port)
        finally:
            self._searching.release()
        if listener is None or listener.pid != known.process.pid:
            return None
        known.listener, known.look_up_at = listener, now + self._listeners.look_again_after
        # Its file may have been replaced, and the new one executed, while nobody looked: the path is the same then.
        known.program = None
        return known

    def _search(self, place: tuple[str, int], *, fresh: bool) -> _Owner | None:
        """Find the process and what it runs. Blocks."""
        with self._searching:
            known = self._owners.pop(place, None)
            changed = known is not None and not known.still_listens()
            listener = self._listeners.owner(*place, fresh=fresh or changed)
            if listener is None:
                return None
            if known is None or known.listener.pid != listener.pid or not known.process.is_running():
                process = psutil.Process(listener.pid)
                gomemlimit = read_gomemlimit(listener.pid) if psutil.LINUX else None
                known = _Owner(listener, process, process.create_time(), gomemlimit)
            known.listener, known.look_up_at = listener, self._clock.steady() + self._listeners.look_again_after
            self._read_program(known)
            self._owners[place] = known
            if len(self._owners) > _MAX_OWNERS:
                self._owners.popitem(last=False)
            return known

    def _describe(self, owner: _Owner) -> LocalProcess:
        times, program = owner.process.cpu_times(), owner.program or _Program()
        return LocalProcess(
            pid=owner.process.pid,
            started=owner.started,
            executable=program.executable,
            cpu_seconds=times.user + times.system,
            go=program.go,
            cgroup=self._cgroups.read(owner.process.pid) if psutil.LINUX else None,
            bounds=LocalBounds(owner.gomemlimit, self._host_memory, psutil.cpu_count()),
        )

    def _read_program(self, owner: _Owner) -> None:
        """Find out what a process runs now: it can replace its program (execve). May wait for a file system."""
        link = _link(owner.process)
        # The link opens the file that runs, also when it was replaced or lies in another mount namespace.
        file = Path("/proc", str(owner.process.pid), "exe") if psutil.LINUX else Path(link)
        try:
            build = self._build(file) if link else None
        except OSError:
            build = None
        owner.program = _Program(link, link.removesuffix(" (deleted)"), go_version_from_binary(build))

    def _build(self, file: Path) -> BuildInfo | None:
        found = file.stat()
        key = found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
        if key in self._builds:
            self._builds.move_to_end(key)
            return self._builds[key]
        build = self._builds[key] = read_build_info(file)
        if len(self._builds) > _MAX_PROGRAMS:
            self._builds.popitem(last=False)
        return build


_FileKey = tuple[int, int, int, int]
"""Device, inode, time of modification in nanoseconds, and size."""


@dataclass(frozen=True, slots=True)
class _Program:
    """What a process runs; empty where the system does not tell."""

    link: str = ""
    """As the system shows it: on Linux with a mark when the file was replaced."""
    executable: str = ""
    go: KnownGoVersion = field(default_factory=KnownGoVersion)


@dataclass(slots=True)
class _Owner:
    """The process that listened on a port when the sockets were listed."""

    listener: Listener
    process: psutil.Process
    started: float
    gomemlimit: int | None
    look_up_at: float = 0.0
    """When to look whether another process joined it (steady time)."""
    program: _Program | None = None
    """What it runs; None: to be read again."""

    def still_listens(self) -> bool:
        """Whether the same process runs and, on Linux, has the same socket."""
        return self.process.is_running() and self.listener.still_listens()


def _link(process: psutil.Process) -> str:
    """The path of its program, as the system shows it; empty if it does not."""
    try:
        return os.readlink(f"/proc/{process.pid}/exe") if psutil.LINUX else process.exe()  # noqa: PTH115
    except (psutil.Error, OSError):
        return ""


LOCAL_PROCESSES = LocalProcesses(SystemClock())
"""Shared by all targets: there is one machine."""
