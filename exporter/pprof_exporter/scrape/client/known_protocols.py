"""Which version of HTTP a server speaks. HTTP/1.1 is tried first, and costs both sides less.

Nothing tells a server that speaks HTTP/2 only: Go's closes the connection without a word, over TLS too, since it takes
a client that offers nothing or http/1.1 for one without ALPN (crypto/tls/handshake_server.go, negotiateALPN).
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from pprof_exporter.clock import Clock

# Seconds until a server that closed both is asked again whether it speaks HTTP/2.
_TRY_AGAIN = 600.0
_MOST = 20_000

ServerAddress = tuple[str, int, bool]
"""Host, port, and whether TLS is spoken."""


class HttpVersion(Enum):
    """What a server is known to speak."""

    HTTP1 = "HTTP/1.1"
    HTTP2 = "HTTP/2"


class KnownProtocols:
    """What is known of each server, at most so many; the oldest are forgotten first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._versions: dict[ServerAddress, HttpVersion] = {}
        self._tried: dict[ServerAddress, float] = {}

    def of(self, server: ServerAddress) -> HttpVersion | None:
        """What the server speaks; None: it is not known."""
        return self._versions.get(server)

    def learn(self, server: ServerAddress, version: HttpVersion) -> None:
        """The server has answered so."""
        if self._versions.get(server) is not version:
            _keep(self._versions, server, version)
            self._tried.pop(server, None)

    def forget(self, server: ServerAddress) -> None:
        """The server no longer answers as it did."""
        self._versions.pop(server, None)

    def may_try_http2(self, server: ServerAddress) -> bool:
        """Whether to find out if a server that closes connections speaks HTTP/2. It counts as tried then."""
        now = self._clock.steady()
        if self.of(server) is not None or now - self._tried.get(server, float("-inf")) < _TRY_AGAIN:
            return False
        _keep(self._tried, server, now)
        return True


T = TypeVar("T")


def _keep(known: dict[ServerAddress, T], server: ServerAddress, value: T) -> None:
    known.pop(server, None)
    known[server] = value
    if len(known) > _MOST:
        del known[next(iter(known))]
