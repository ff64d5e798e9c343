"""The processes that listen on ports of this machine."""

from __future__ import annotations

import threading
import time
from collections import defaultdict

import psutil

# Listing the sockets of all processes takes tens of milliseconds, and more with more sockets.
_VALID = 5.0


class Listeners:
    """Owners of ports, cached for a few seconds. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: defaultdict[int, set[int | None]] = defaultdict(set)
        self._valid_until = 0.0

    def owner(self, port: int) -> int | None:
        """The id of the process that listens on a TCP port; None if there is none, several, or the id is unknown.

        Raises `psutil.Error` and `OSError` if the system denies access.
        """
        with self._lock:
            if time.monotonic() > self._valid_until or port not in self._owners:
                self._refresh()
            owners = self._owners.get(port, set())
        return next(iter(owners)) if len(owners) == 1 else None

    def _refresh(self) -> None:
        self._owners = defaultdict(set)
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr:
                self._owners[connection.laddr.port].add(connection.pid)
        self._valid_until = time.monotonic() + _VALID
