"""Which process listens on which port of this machine."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import psutil

# Looking through the sockets of all processes takes tens of milliseconds, and longer the more there are.
_VALID = 5.0


class Listeners:
    """Owners of ports, looked up for all who ask within a few seconds at once. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: defaultdict[int, set[int | None]] = defaultdict(set)
        self._valid_until = 0.0

    def owner(self, port: int) -> int | None:
        """Id of the one process that listens on a TCP port; None if there is none or more, or the system does not tell.

        Raises `psutil.Error` and `OSError` where the system does not let us look.
        """
        with self._lock:
            if time.monotonic() > self._valid_until or port not in self._owners:
                self._look()
            owners = self._owners.get(port, set())
        return next(iter(owners)) if len(owners) == 1 else None

    def _look(self) -> None:
        self._owners = defaultdict(set)
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr:
                self._owners[connection.laddr.port].add(connection.pid)
        self._valid_until = time.monotonic() + _VALID
