"""The process behind a port of this machine: its start, CPU time, limits, program, and the program's Go version."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import psutil

from pprof_exporter.clock import Clock, SystemClock
from pprof_exporter.profile import BuildInfo, KnownGoVersion, go_version_from_binary, read_build_info
from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits
from pprof_exporter.scrape.state.memory_limits import LocalBounds
from pprof_exporter.scrape.target.cgroup import CgroupReader
from pprof_exporter.scrape.target.linux_listeners import LinuxListeners
from pprof_exporter.scrape.target.listeners import ConnectionListeners, Listener, Listeners
from pprof_exporter.scrape.target.memory_limit import read_gomemlimit

# Programs whose build information is remembered: all versions of all targets of one machine.
_MAX_PROGRAMS = 256


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
    """Finds the process that listens on a port. For all targets; thread-safe. Blocks: call it in a thread.

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
        self._owners: dict[int, _Owner] = {}
        self._builds: OrderedDict[_FileKey, BuildInfo | None] = OrderedDict()

    def find(self, host: str, port: int, *, fresh: bool = False) -> LocalProcess | None:
        """The process that listens on this port; None if the host is not this machine, or the system does not tell.

        `fresh`: the target has just come up or has a new process, so the port is looked up.
        """
        with self._lock:
            try:
                return self._describe(self._owner(port, fresh=fresh)) if is_this_machine(host) else None
            except (psutil.Error, OSError):
                # On macOS, and for processes of other users, the system denies access; in a sandbox without netlink
                # sockets, the addresses of the machine too. Or the process just ended.
                self._owners.pop(port, None)
                return None

    def _owner(self, port: int, *, fresh: bool) -> _Owner | None:
        known = self._owners.pop(port, None)
        changed = known is not None and not known.still_listens()
        if known is not None and not changed and not fresh and self._clock.steady() < known.look_up_at:
            self._owners[port] = known
            return known
        listener = self._listeners.owner(port, fresh=fresh or changed)
        if listener is None:
            return None
        if known is not None and known.listener.pid == listener.pid and known.process.is_running():
            process, started, gomemlimit = known.process, known.started, known.gomemlimit
        else:
            process = psutil.Process(listener.pid)
            started = process.create_time()
            gomemlimit = read_gomemlimit(listener.pid) if psutil.LINUX else None
        owner = _Owner(listener, process, started, self._clock.steady() + self._listeners.look_again_after, gomemlimit)
        self._owners[port] = owner
        return owner

    def _describe(self, owner: _Owner | None) -> LocalProcess | None:
        if owner is None:
            return None
        times = owner.process.cpu_times()
        executable, build = self._program(owner.process)
        return LocalProcess(
            pid=owner.process.pid,
            started=owner.started,
            executable=executable,
            cpu_seconds=times.user + times.system,
            go=go_version_from_binary(build),
            cgroup=self._cgroups.read(owner.process.pid) if psutil.LINUX else None,
            bounds=LocalBounds(owner.gomemlimit, self._host_memory, psutil.cpu_count()),
        )

    def _program(self, process: psutil.Process) -> tuple[str, BuildInfo | None]:
        """Path and build information of what the process runs now: a process can replace its program (execve)."""
        try:
            if psutil.LINUX:
                # The link opens the file that runs, also when it was replaced or lies in another mount namespace.
                file = Path("/proc", str(process.pid), "exe")
                executable = str(file.readlink()).removesuffix(" (deleted)")
            else:
                executable = process.exe()
                file = Path(executable)
        except (psutil.Error, OSError):
            return "", None
        try:
            return executable, self._build(file)
        except OSError:
            return executable, None

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
class _Owner:
    """The process that listened on a port when the sockets were listed."""

    listener: Listener
    process: psutil.Process
    started: float
    look_up_at: float
    gomemlimit: int | None

    def still_listens(self) -> bool:
        """Whether the same process runs and, on Linux, has the same socket."""
        return self.process.is_running() and self.listener.still_listens()


def may_be_this_machine(host: str) -> bool:
    """Whether `is_this_machine` needs to ask the system: other names are never those of this machine."""
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return host == "localhost"


def is_this_machine(host: str) -> bool:
    """Whether an address or name is this machine, without a name server."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if address.is_loopback:
        return True
    mine = {entry.address for entries in psutil.net_if_addrs().values() for entry in entries if _is_ip(entry.family)}
    return str(address) in mine


def _is_ip(family: int) -> bool:
    return family in (socket.AF_INET, socket.AF_INET6)


LOCAL_PROCESSES = LocalProcesses(SystemClock())
"""Shared by all targets: there is one machine."""
