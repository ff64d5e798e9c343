"""The last word on where a probe connects: asked for the very address, each time, after names were resolved.

So a name server that answers differently the second time gains nothing, and neither does an odd spelling.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import AddrInfoType

from pprof_exporter.config import AllowRule
from pprof_exporter.scrape.probing.addresses import objection


@dataclass(slots=True)
class AddressGuard:
    """The rules of one probe; `refused` says what it last wanted to connect to and may not, "" if nothing."""

    rules: tuple[AllowRule, ...]
    refused: str = ""


_current: ContextVar[AddressGuard | None] = ContextVar("guard", default=None)


@contextlib.contextmanager
def guarding(guard: AddressGuard) -> Iterator[None]:
    """Apply the rules to every connection of this task within the block."""
    token = _current.set(guard)
    try:
        yield
    finally:
        _current.reset(token)


def guarded_socket(info: AddrInfoType) -> socket.socket:
    """A socket to connect to this address with. Raises `PermissionError` where the rules forbid that."""
    family, kind, protocol, _, where = info
    guard = _current.get()
    if guard is None:
        raise PermissionError(errno.EPERM, "no probe is running")
    try:
        problem = objection(ip_address(where[0]), guard.rules)
    except ValueError:
        # asyncio would resolve it once more (BaseEventLoop._ensure_resolved), and nobody would look.
        problem = f"{where[0]} is not an address"
    if problem is not None:
        guard.refused = problem
        # An OSError, so that other addresses of the name are tried.
        raise PermissionError(errno.EPERM, problem)
    return socket.socket(family=family, type=kind, proto=protocol)
