"""Checks the address of each connection of a probe, after the name was resolved.

So neither a second, different answer of a name server nor an unusual notation gets around the rules.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address

from aiohappyeyeballs import AddrInfoType

from pprof_exporter.config import AllowRule
from pprof_exporter.scrape.probing.addresses import why_forbidden


@dataclass(slots=True)
class AddressGuard:
    """The rules of one probe. `refused` says why the latest refused address is forbidden; "" if none was refused."""

    rules: tuple[AllowRule, ...]
    refused: str = ""


_current: ContextVar[AddressGuard | None] = ContextVar("guard", default=None)


@contextlib.contextmanager
def guard_connections(guard: AddressGuard) -> Iterator[None]:
    """Apply the rules to every connection of this task within the block."""
    token = _current.set(guard)
    try:
        yield
    finally:
        _current.reset(token)


def guarded_socket(info: AddrInfoType) -> socket.socket:
    """A socket for this address. Raises `PermissionError` if the rules forbid it."""
    family, kind, protocol, _, address = info
    guard = _current.get()
    if guard is None:
        raise PermissionError(errno.EPERM, "no probe is running")
    try:
        problem = why_forbidden(ip_address(address[0]), guard.rules)
    except ValueError:
        # asyncio would resolve it again (BaseEventLoop._ensure_resolved), without a check of the result.
        problem = f"{address[0]} is not an address"
    if problem is not None:
        guard.refused = problem
        # An OSError, so that the other addresses of the name are tried.
        raise PermissionError(errno.EPERM, problem)
    return socket.socket(family=family, type=kind, proto=protocol)
