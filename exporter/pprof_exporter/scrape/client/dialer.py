"""Connections to targets: names resolved, addresses tried, through a proxy or not, with TLS or without."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import Protocol

import aiohappyeyeballs
from aiohappyeyeballs import AddrInfoType
from yarl import URL

from pprof_exporter import USER_AGENT
from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_head import ReplyHead
from pprof_exporter.scrape.client.reply_parser import ReplyParser
from pprof_exporter.scrape.client.resolver import SystemResolver
from pprof_exporter.scrape.client.route import Route
from pprof_exporter.scrape.client.stream import PlainStream, Stream, TlsStream, receive_into

# Seconds until the next address of a name is tried beside the one before (RFC 8305, section 5; Go's dialer waits 0.3).
_NEXT_ADDRESS = 0.25

SocketFactory = Callable[[AddrInfoType], socket.socket]
"""Creates the socket of a connection attempt. It refuses an address with an `OSError`."""


class Resolver(Protocol):
    """Finds the addresses of a name."""

    async def resolve(self, host: str, port: int) -> list[AddrInfoType]:
        """All addresses of a name, at least one. Raises `OSError`."""
        ...


class ProxyRefused(HttpError):
    """The proxy answered a CONNECT with another status than 200."""

    def __init__(self, head: ReplyHead) -> None:
        super().__init__(f"the proxy answered {head.status_text}")


class Dialer:
    """Opens one connection for each request."""

    def __init__(self, socket_factory: SocketFactory | None = None) -> None:
        self.resolver: Resolver = SystemResolver()
        self._socket_factory = socket_factory

    async def connect(self, url: URL, route: Route, watch: Stopwatch) -> Stream:
        """A connection for one request to this URL, which the caller closes. Stamps its phases.

        Raises `OSError` and `HttpError`.
        """
        plain = PlainStream(await self._dial(url, route, watch))
        try:
            stream = plain if route.tls is None else await _secure(plain, route.tls, url, route, watch)
        except BaseException:
            plain.close()
            raise
        watch.connected = time.perf_counter()
        return stream

    async def _dial(self, target: URL, route: Route, watch: Stopwatch) -> socket.socket:
        url = route.proxy or target
        host, port = url.raw_host or "", url.port or 0
        if route.guard is not None and route.proxy is not None:
            route.guard.allow_through_proxy(target)
        addresses = literal_address(host, port)
        if not addresses:
            watch.resolving = time.perf_counter()
            addresses = await self.resolver.resolve(host, port)
            watch.resolved = time.perf_counter()
        if route.guard is not None and route.proxy is None:
            addresses = route.guard.allowed(addresses)
        if len(addresses) == 1:
            return await self._dial_address(addresses[0])
        return await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1, socket_factory=self._socket_factory
        )

    async def _dial_address(self, address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, name = address
        factory = self._socket_factory
        connection = factory(address) if factory else socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, name)
        except BaseException:
            connection.close()
            raise
        return connection


def literal_address(host: str, port: int) -> list[AddrInfoType]:
    """The address that a URL names as a number in its usual spelling; none for a name."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return []
    name = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", name)]


async def _secure(plain: PlainStream, context: ssl.SSLContext, url: URL, route: Route, watch: Stopwatch) -> Stream:
    if route.proxy is not None:
        await _open_tunnel(plain, url, route.proxy_authorization)
    watch.tls_started = time.perf_counter()
    stream = TlsStream(plain, context, route.server_name or tls_name(url))
    await stream.handshake()
    return stream


def tls_name(url: URL) -> str:
    """The name of a host in its certificate: without the root's dot, and without the zone of a link-local address."""
    return (url.raw_host or "").rstrip(".").partition("%")[0]


async def _open_tunnel(stream: Stream, url: URL, authorization: str) -> None:
    """Have a proxy connect to the host of this URL."""
    where = f"{url.host_subcomponent}:{url.port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}", f"User-Agent: {USER_AGENT}"]
    if authorization:
        lines.append(f"Proxy-Authorization: {authorization}")
    await stream.send("\r\n".join([*lines, "", ""]).encode())
    parser = ReplyParser()
    while parser.head is None:
        await receive_into(parser, stream)
    if parser.head.status != 200:
        raise ProxyRefused(parser.head)
