"""The processes that listen on ports of this machine."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

from pprof_exporter.clock import Clock

# Seconds. Listing the sockets of all processes takes 0.27 s with 22,000 of them, and a hundred targets start at once.
_VALID = 5.0


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listened on a port when the sockets were listed."""

    pid: int
    descriptor: int
    socket: str
    """Name of the socket, such as `socket:[12345]`; empty where the system does not tell (all but Linux)."""

    def still_listens(self) -> bool:
        """Whether there is such a process and, on Linux, it has the same socket. Takes no list of sockets."""
        return psutil.pid_exists(self.pid) and _socket_of(self.pid, self.descriptor) == self.socket


class Listeners:
    """Owners of ports, from one list for all. Not thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._owners: defaultdict[int, dict[int | None, Listener | None]] = defaultdict(dict)
        self._valid_until = 0.0

    def owner(self, port: int, *, fresh: bool) -> Listener | None:
        """The process that listens on a TCP port; None if there is none, several, or its id is unknown.

        With `fresh`, and where what was listed does not hold any more, the sockets are listed now. Raises
        `psutil.Error` and `OSError` if the system denies access.
        """
        if fresh or self._clock.steady() > self._valid_until or not self._holds(port):
            self._refresh()
        owners = self._owners.get(port, {})
        return next(iter(owners.values())) if len(owners) == 1 else None

    def _holds(self, port: int) -> bool:
        """Whether the port is listed, and what is known of its owners still holds."""
        owners = self._owners.get(port, {})
        return bool(owners) and all(owner is None or owner.still_listens() for owner in owners.values())

    def _refresh(self) -> None:
        self._owners = defaultdict(dict)
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr:
                pid, descriptor = connection.pid, connection.fd
                known = Listener(pid, descriptor, _socket_of(pid, descriptor)) if pid is not None else None
                self._owners[connection.laddr.port].setdefault(pid, known)
        self._valid_until = self._clock.steady() + _VALID


def _socket_of(pid: int, descriptor: int) -> str:
    if not psutil.LINUX or descriptor < 0:
        return ""
    try:
        return str(Path("/proc", str(pid), "fd", str(descriptor)).readlink())
    except OSError:
        return ""
