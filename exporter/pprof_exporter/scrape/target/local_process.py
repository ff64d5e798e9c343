"""The process behind a port of this machine: its start, CPU time, limits, program, and the program's Go version."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from pprof_exporter.clock import Clock, SystemClock
from pprof_exporter.profile import BuildInfo, KnownGoVersion, go_version_from_binary, read_build_info
from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits
from pprof_exporter.scrape.state.memory_limits import LocalBounds
from pprof_exporter.scrape.target.cgroup import CgroupReader
from pprof_exporter.scrape.target.linux_listeners import LinuxListeners
from pprof_exporter.scrape.target.listeners import ConnectionListeners, Listener, Listeners
from pprof_exporter.scrape.target.local_address import is_this_machine
from pprof_exporter.scrape.target.memory_limit import read_gomemlimit

# Programs whose build information is remembered: all versions of all targets of one machine.
_MAX_PROGRAMS = 256
# Targets whose process is remembered: more than one exporter monitors.
_MAX_OWNERS = 4096


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
    """Finds the process that gets the connections to a host and port. For all targets; thread-safe.

    A process that was found is remembered with its start time. Its socket is looked up again when it has ended or, on
    Linux, closed its socket, and from time to time in case that another process joined it on the port (SO_REUSEPORT).
    """

    def __init__(self, clock: Clock, listeners: Listeners | None = None) -> None:
        """`listeners` finds the owner of a port; None: in the way of this system."""
        self._clock = clock
        self._lock = threading.Lock()
        self._listeners = listeners or (LinuxListeners(clock) if psutil.LINUX else ConnectionListeners(clock))
        self._cgroups = CgroupReader()
        self._host_memory = psutil.virtual_memory().total
        self._owners: OrderedDict[tuple[str, int], _Owner] = OrderedDict()
        """By host and port."""
        self._builds: OrderedDict[_FileKey, BuildInfo | None] = OrderedDict()

    def find(self, host: str, port: int, *, fresh: bool = False) -> LocalProcess | None:
        """The process that listens there; None if the host is not this machine, or the system does not tell.

        `fresh`: the target has just come up or has a new process, so the port is looked up. It may block: call it in a
        thread.
        """
        with self._lock:
            try:
                return self._describe(self._owner(host, port, fresh=fresh)) if is_this_machine(host) else None
            except (psutil.Error, OSError):
                # On macOS, and for processes of other users, the system denies access; in a sandbox without netlink
                # sockets, the addresses of the machine too. Or the process just ended.
                self._owners.pop((host, port), None)
                return None

    def find_known(self, host: str, port: int) -> LocalProcess | None:
        """The same if the process was found before and still listens; None: `find` it. Takes less than a millisecond.

        It reads of the process what the kernel holds in memory. A hop to a thread costs more than that, and the lock of
        the interpreter, which each system call there gives up, then goes back and forth between it and the event loop.
        """
        if not self._lock.acquire(blocking=False):
            return None
        try:
            owner = self._owners.get((host, port))
            if (
                owner is None
                or not owner.is_current(self._clock.steady())
                or owner.program.link != _link(owner.process)
            ):
                return None
            return self._with_counters(owner)
        except (psutil.Error, OSError):
            return None
        finally:
            self._lock.release()

    def _owner(self, host: str, port: int, *, fresh: bool) -> _Owner | None:
        known = self._owners.pop((host, port), None)
        now = self._clock.steady()
        if known is not None and not fresh and known.is_current(now):
            return self._remember(host, port, known)
        changed = known is not None and not known.still_listens()
        listener = self._listeners.owner(host, port, fresh=fresh or changed)
        if listener is None:
            return None
        if known is not None and known.listener.pid == listener.pid and known.process.is_running():
            process, started, gomemlimit = known.process, known.started, known.gomemlimit
        else:
            process = psutil.Process(listener.pid)
            started = process.create_time()
            gomemlimit = read_gomemlimit(listener.pid) if psutil.LINUX else None
        look_up_at = now + self._listeners.look_again_after
        return self._remember(host, port, _Owner(listener, process, started, look_up_at, gomemlimit))

    def _remember(self, host: str, port: int, owner: _Owner) -> _Owner:
        self._owners[host, port] = owner
        if len(self._owners) > _MAX_OWNERS:
            self._owners.popitem(last=False)
        return owner

    def _describe(self, owner: _Owner | None) -> LocalProcess | None:
        if owner is None:
            return None
        owner.program = self._read_program(owner.process)
        return self._with_counters(owner)

    def _with_counters(self, owner: _Owner) -> LocalProcess:
        times = owner.process.cpu_times()
        return LocalProcess(
            pid=owner.process.pid,
            started=owner.started,
            executable=owner.program.executable,
            cpu_seconds=times.user + times.system,
            go=owner.program.go,
            cgroup=self._cgroups.read(owner.process.pid) if psutil.LINUX else None,
            bounds=LocalBounds(owner.gomemlimit, self._host_memory, psutil.cpu_count()),
        )

    def _read_program(self, process: psutil.Process) -> _Program:
        """What the process runs now: a process can replace its program (execve)."""
        link = _link(process)
        if not link:
            return _Program()
        # The link opens the file that runs, also when it was replaced or lies in another mount namespace.
        file = Path("/proc", str(process.pid), "exe") if psutil.LINUX else Path(link)
        try:
            build = self._build(file)
        except OSError:
            build = None
        return _Program(link, link.removesuffix(" (deleted)"), go_version_from_binary(build))

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
    look_up_at: float
    gomemlimit: int | None
    program: _Program = field(default_factory=_Program)

    def is_current(self, now: float) -> bool:
        """Whether it still listens, and it is not yet time to look whether another process joined it."""
        return now < self.look_up_at and self.still_listens()

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
