"""Sockets that systemd has opened already (sd_listen_fds(3)): descriptors from 3 on, for the process that it names."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from pprof_exporter.config import ConfigError

_FIRST = 3


class NoSockets(ConfigError):
    """systemd gave no socket that can be listened on; the message says what to do."""


def systemd_sockets(environ: Mapping[str, str], pid: int) -> list[socket.socket]:
    """The sockets for the process `pid`, which is this one. Raises `NoSockets`."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(pid) or not count.isdecimal() or not int(count):
        raise NoSockets("--web.systemd-socket: systemd passed no socket; start the exporter from a .socket unit")
    return [_listening(number) for number in range(_FIRST, _FIRST + int(count))]


def _listening(number: int) -> socket.socket:
    try:
        found = socket.socket(fileno=number)
        # So that no program which the exporter starts has it as well.
        found.set_inheritable(False)
        listens = found.type == socket.SOCK_STREAM and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise NoSockets(
            f"--web.systemd-socket: descriptor {number} is not a socket ({error.strerror}); check the .socket unit"
        ) from None
    if not listens:
        found.close()
        raise NoSockets(f"--web.systemd-socket: descriptor {number} does not listen; set ListenStream in the unit")
    return found
