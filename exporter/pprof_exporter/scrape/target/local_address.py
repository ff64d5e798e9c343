"""Which hosts are this machine, and which of its sockets gets a connection to one of them."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

import psutil

Endpoint = tuple[bytes, int]
"""Address and port to which a socket is bound. 4 bytes for IPv4, also where IPv6 maps it, and 16 for IPv6."""

T = TypeVar("T")

_ANY_4, _ANY_6 = bytes(4), bytes(16)
_MAPPED = bytes(10) + b"\xff\xff"
_LOCALHOST = ("127.0.0.1", "::1")


def unmapped(address: bytes) -> bytes:
    """The bytes of an address as in an `Endpoint`."""
    return address.removeprefix(_MAPPED) if len(address) == len(_ANY_6) else address


def address_bytes(address: str) -> bytes:
    """The same from its text. Raises `ValueError` for a name."""
    return unmapped(ipaddress.ip_address(address).packed)


def listening_on(bound: Mapping[Endpoint, Iterable[T]], host: str, port: int) -> list[T]:
    """Of what is bound to endpoints, that which gets connections to a host of this machine.

    A socket that is bound to the address goes before one that is bound to all, and one of IPv4 before one of both
    families (net/ipv4/inet_hashtables.c, `compute_score`). `localhost` stands for both families.
    """
    found: list[T] = []
    for address in _LOCALHOST if host == "localhost" else (host,):
        own = address_bytes(address)
        for candidate in (own, _ANY_4, _ANY_6) if len(own) == len(_ANY_4) else (own, _ANY_6):
            if sockets := bound.get((candidate, port)):
                found += sockets
                break
    return found


def may_be_this_machine(host: str) -> bool:
    """Whether a host can be this machine: other names than localhost never are."""
    return host == "localhost" or _address(host) is not None


def is_this_machine(host: str, own: Callable[[], Collection[str]]) -> bool:
    """Whether an address or name is this machine, without a name server. `own` tells the addresses that it has."""
    address = _address(host)
    if address is None:
        return host == "localhost"
    return address.is_loopback or str(address) in own()


def own_addresses() -> frozenset[str]:
    """All addresses of this machine. Raises `OSError` if the system does not tell."""
    return frozenset(
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
