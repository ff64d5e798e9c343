"""Whether the name server fails for one name or for all of them."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from aiohappyeyeballs import AddrInfoType

# How many other names must fail before the name server is to blame.
_OTHERS = 2
_REMEMBERED = 64
# Seconds: for the answer to the other names, and for which it holds for every fetch that fails meanwhile.
_WITHIN = 5.0
_HOLDS = 5.0
# No server answers, or the one that does cannot tell (getaddrinfo(3)). All other errors are an answer about one name.
_FOR_NOW = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL})

Lookup = Callable[[str], Awaitable[Sequence[AddrInfoType]]]


class NameServer:
    """Tells a name that does not resolve from a name server that answers for no name.

    The rule: a lookup that got no answer is the target's own, unless two other names of other targets, asked for at
    that moment, get no answer either. They are of other domains where there are any: the servers of one domain can fail
    while the name server of the exporter is well. That a name does not exist (NXDOMAIN) is an answer. With fewer than
    three names nobody can tell, and a lookup that fails is the target's. A name of this machine needs no name server,
    so it does not count; one with another address in the hosts file does, and is an answer.
    """

    def __init__(self, lookup: Lookup, timer: Callable[[], float] = time.monotonic) -> None:
        """`lookup` returns the addresses of a name, or raises `OSError`. `timer` returns seconds."""
        self._lookup = lookup
        self._timer = timer
        self._names: OrderedDict[str, float] = OrderedDict()
        """When each name was last answered, `-inf` if it was not; the latest last."""
        self._lock = asyncio.Lock()
        self._checked_at = -math.inf
        self._failing = False

    def answered(self, host: str, addresses: Sequence[AddrInfoType]) -> None:
        """Remember that the name server answered for this name. One of this machine needs no name server."""
        if all(_is_loopback(address) for address in addresses):
            self._names.pop(host, None)
        else:
            self._remember(host, self._timer())

    def expect(self, host: str) -> None:
        """Have this name among the others from the start, before it was asked for."""
        if host not in self._names and host != "localhost":
            self._remember(host, -math.inf)

    def _remember(self, host: str, at: float) -> None:
        self._names[host] = at
        self._names.move_to_end(host)
        if len(self._names) > _REMEMBERED:
            self._names.popitem(last=False)

    async def fails_for_all(self, host: str, seconds: float) -> bool:
        """Whether no other name resolves either, now that a lookup of this one failed after so many seconds."""
        began = self._timer() - seconds
        async with self._lock:
            if any(at > began for name, at in self._names.items() if name != host):
                return False
            others = self._others(host)
            if len(others) < _OTHERS:
                return False
            if self._timer() - self._checked_at >= _HOLDS:
                self._failing = not any(await asyncio.gather(*map(self._answers, others)))
                self._checked_at = self._timer()
            return self._failing

    def _others(self, host: str) -> list[str]:
        """Names to ask for: the latest of other domains, then the latest of the same."""
        latest = [name for name in reversed(self._names) if name != host]
        domain = host.partition(".")[2]
        return sorted(latest, key=lambda name: name.partition(".")[2] == domain)[:_OTHERS]

    async def _answers(self, name: str) -> bool:
        try:
            async with asyncio.timeout(_WITHIN):
                addresses = await self._lookup(name)
        except OSError as error:
            return not no_answer(error)
        self.answered(name, addresses)
        return True


def no_answer(error: OSError) -> bool:
    """Whether a lookup failed without an answer about its name. A time-out of the event loop is one."""
    if isinstance(error, socket.gaierror):
        return error.errno in _FOR_NOW
    return isinstance(error, TimeoutError) or error.errno is not None


def _is_loopback(address: AddrInfoType) -> bool:
    return ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_loopback
