"""The processes that listen on ports of this machine, on Linux.

The kernel tells the inode of each listening socket, and the links in `/proc/PID/fd` say which process has it. The first
is cheap. The second takes a system call for each open descriptor of the machine, and happens only when a port has a
socket that no earlier search was for.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pprof_exporter.clock import Clock
from pprof_exporter.scrape.target.listeners import Listener
from pprof_exporter.scrape.target.local_address import Endpoint, listening_on
from pprof_exporter.scrape.target.sock_diag import listening_sockets

_PROCESSES = "/proc"
# Seconds for which the sockets serve other targets, which are looked up at the same time.
_VALID = 5.0
# Seconds until the owner of a socket is searched again that none of the processes had whose descriptors are visible.
# It belongs to another user, and that seldom changes; doubled each time.
_FIRST_WAIT = 60.0
_LONGEST_WAIT = 3600.0


class LinuxListeners:
    """Owners of ports by their sockets. See `Listeners`."""

    # Cheap: another process that joined the port shows as another socket.
    look_again_after = 60.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inodes: dict[Endpoint, list[int]] = {}
        """Listening sockets by what they are bound to."""
        self._valid_until = 0.0
        self._owners: dict[int, Listener] = {}
        """By socket."""
        self._unowned: dict[int, _Wait] = {}
        """Sockets without a visible owner."""

    def known_owner(self, host: str, port: int) -> Listener | None:
        """See `Listeners.known_owner`."""
        return self._owner_of(self._settled(host, port, fresh=False) or [])

    def owner(self, host: str, port: int, *, fresh: bool) -> Listener | None:
        """See `Listeners.owner`."""
        inodes = self._settled(host, port, fresh=fresh)
        if inodes is None:
            self._search(self._clock.steady())
            inodes = listening_on(self._inodes, host, port)
        return self._owner_of(inodes)

    def _settled(self, host: str, port: int, *, fresh: bool) -> list[int] | None:
        """The sockets that get the connections; None if the owner of one has to be searched."""
        now = self._clock.steady()
        inodes = [] if fresh or now > self._valid_until else listening_on(self._inodes, host, port)
        if not inodes or not self._are_settled(inodes, now):
            self._list_sockets(now)
            inodes = listening_on(self._inodes, host, port)
        return inodes if self._are_settled(inodes, now) else None

    def _owner_of(self, inodes: Sequence[int]) -> Listener | None:
        owners = [self._owners.get(inode) for inode in inodes]
        pids = {owner.pid if owner is not None else None for owner in owners}
        return owners[0] if len(pids) == 1 else None

    def _are_settled(self, inodes: Iterable[int], now: float) -> bool:
        """Whether the owner of each socket is known, or was searched in vain a short time ago."""
        for inode in inodes:
            owner, wait = self._owners.get(inode), self._unowned.get(inode)
            if not (owner.still_listens() if owner is not None else wait is not None and now < wait.until):
                return False
        return True

    def _list_sockets(self, now: float) -> None:
        self._inodes, self._valid_until = listening_sockets(), now + _VALID
        there = self._all_inodes()
        self._owners = {inode: owner for inode, owner in self._owners.items() if inode in there}
        self._unowned = {inode: wait for inode, wait in self._unowned.items() if inode in there}

    def _search(self, now: float) -> None:
        """Find the owners of all listening sockets at once: other targets ask next."""
        there = self._all_inodes()
        self._owners = find_owners(there)
        self._unowned = {inode: self._unowned.get(inode, _Wait()).longer(now) for inode in there - self._owners.keys()}

    def _all_inodes(self) -> set[int]:
        return {inode for bound in self._inodes.values() for inode in bound}


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when (steady time) the owner of a socket is not searched again."""

    seconds: float = _FIRST_WAIT / 2
    until: float = 0.0

    def longer(self, now: float) -> _Wait:
        """The next one; the same while it is not over, since the search was for another socket."""
        if now < self.until:
            return self
        seconds = min(2 * self.seconds, _LONGEST_WAIT)
        return _Wait(seconds, now + seconds)


def find_owners(inodes: Collection[int]) -> dict[int, Listener]:
    """The process that has each of these sockets, as far as the descriptors of processes are visible.

    Of several that share one, as a parent and its children do, the one with the lowest id.
    """
    names = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, Listener] = {}
    # Plain strings: objects of paths would take longer than the system calls.
    for pid in sorted(int(entry) for entry in os.listdir(_PROCESSES) if entry.isdigit()):  # noqa: PTH208
        folder = f"{_PROCESSES}/{pid}/fd"
        try:
            descriptors = os.listdir(folder)  # noqa: PTH208
        except OSError:
            # It ended, or is of another user.
            continue
        for descriptor in descriptors:
            try:
                name = os.readlink(f"{folder}/{descriptor}")  # noqa: PTH115
            except OSError:
                continue
            if name in names:
                found.setdefault(names[name], Listener(pid, int(descriptor), name))
    return found
