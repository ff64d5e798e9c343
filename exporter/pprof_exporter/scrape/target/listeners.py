"""The processes that listen on ports of this machine, by a list of all connections where nothing cheaper tells."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

import psutil

from pprof_exporter.clock import Clock
from pprof_exporter.scrape.target.local_address import Endpoint, address_bytes, listening_on

# Seconds for which a list serves other targets: a hundred of them start at once.
_VALID = 5.0
# The same where a target has just come up, or has a new process.
_VALID_AFTER_CHANGE = 1.0
# Seconds until a port on which nothing listened is looked up again; doubled each time.
_FIRST_WAIT = 5.0
_LONGEST_WAIT = 60.0
# Ports on which nothing listened, of all targets that there were.
_MOST_ABSENT = 4096


@dataclass(frozen=True, slots=True)
class Listener:
    """A process that listened on a port when the sockets were listed."""

    pid: int
    descriptor: int
    socket: str
    """Name of the socket, such as `socket:[12345]`; empty where the system does not tell (all but Linux)."""

    def still_listens(self) -> bool:
        """Whether there is such a process and, on Linux, it has the same socket. Takes no list of sockets."""
        if self.socket:
            return socket_of(self.pid, self.descriptor) == self.socket
        return psutil.pid_exists(self.pid)


class Listeners(Protocol):
    """Owners of ports, from one list for all targets. Not thread-safe."""

    look_again_after: float
    """Seconds after which a port is looked up again although its process still listens: another may have joined it."""

    def known_owner(self, host: str, port: int) -> Listener | None:
        """The same as `owner` for a process that was found before; None if that takes a search."""
        ...

    def owner(self, host: str, port: int, *, fresh: bool) -> Listener | None:
        """The process that gets TCP connections to a host of this machine and a port.

        None if there is none, several, or its id is unknown. `fresh`: the target has just come up or has a new process,
        so an older answer may be wrong. Raises `psutil.Error` and `OSError` if the system denies access.
        """
        ...


class ConnectionListeners:
    """Owners of ports by `psutil.net_connections`, for Windows and macOS.

    A list walks all connections of the machine. It is made for a port that was not looked up yet, and when a process
    has ended; for a port on which nothing listened after 5 s, and then ever more seldom.
    """

    # Nothing cheaper tells that a process closed its socket while it goes on, and another one took the port.
    look_again_after = 600.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._owners: dict[Endpoint, list[tuple[int | None, Listener | None]]] = {}
        """Process id and listener; None where the system does not tell."""
        self._listed_at: float | None = None
        self._absent: dict[tuple[str, int], _Absence] = {}

    def known_owner(self, host: str, port: int) -> Listener | None:
        """See `Listeners.known_owner`."""
        return None if self._must_list((host, port), fresh=False) else self._owner_of((host, port))

    def owner(self, host: str, port: int, *, fresh: bool) -> Listener | None:
        """See `Listeners.owner`."""
        place = host, port
        if fresh:
            self._absent.pop(place, None)
        if self._must_list(place, fresh=fresh):
            self._list()
        owners = self._owners_of(place)
        if owners:
            self._absent.pop(place, None)
        elif self._listed_at is not None:
            if place not in self._absent and len(self._absent) >= _MOST_ABSENT:
                # Mostly targets that are gone. Of the others, the next list is made earlier once.
                self._absent.clear()
            self._absent.setdefault(place, _Absence()).seen(self._listed_at)
        return self._owner_of(place)

    def _owner_of(self, place: tuple[str, int]) -> Listener | None:
        owners = self._owners_of(place)
        return next(iter(owners.values())) if len(owners) == 1 else None

    def _owners_of(self, place: tuple[str, int]) -> dict[int | None, Listener | None]:
        return dict(listening_on(self._owners, *place))

    def _must_list(self, place: tuple[str, int], *, fresh: bool) -> bool:
        if self._listed_at is None:
            return True
        owners = self._owners_of(place).values()
        if any(owner is not None and not owner.still_listens() for owner in owners):
            return True
        now, absence = self._clock.steady(), self._absent.get(place)
        valid = _VALID_AFTER_CHANGE if fresh else _VALID
        # Another target may have made a list meanwhile.
        return now - self._listed_at >= valid and (absence is None or now >= absence.look_at)

    def _list(self) -> None:
        found: defaultdict[Endpoint, list[tuple[int | None, Listener | None]]] = defaultdict(list)
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr:
                pid, descriptor = connection.pid, connection.fd
                known = Listener(pid, descriptor, socket_of(pid, descriptor)) if pid is not None else None
                found[address_bytes(connection.laddr.ip), connection.laddr.port].append((pid, known))
        self._owners, self._listed_at = found, self._clock.steady()


class _Absence:
    """A port on which nothing listened: when it is looked up again (steady time)."""

    def __init__(self) -> None:
        self._wait = _FIRST_WAIT / 2
        self._listed_at: float | None = None
        self.look_at = 0.0

    def seen(self, listed_at: float) -> None:
        """Nothing listened on it in the list of that time."""
        if listed_at != self._listed_at:
            self._listed_at = listed_at
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            self.look_at = listed_at + self._wait


def socket_of(pid: int, descriptor: int) -> str:
    """Name of the socket of a descriptor, as in `/proc/PID/fd`; "" if it has none, or on other systems than Linux."""
    if not psutil.LINUX or descriptor < 0:
        return ""
    try:
        return os.readlink(f"/proc/{pid}/fd/{descriptor}")  # noqa: PTH115 - on every profile; no Path is needed
    except OSError:
        return ""
