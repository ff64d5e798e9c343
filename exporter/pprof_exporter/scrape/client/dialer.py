"""Connections to targets: names resolved, addresses tried, through a proxy or not, with TLS or without."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import aiohappyeyeballs
from aiohappyeyeballs import AddrInfoType
from yarl import URL

from pprof_exporter import USER_AGENT
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.descriptors import NO_LIMIT, DescriptorLimit
from pprof_exporter.exhaustion import ResourceExhausted, exhausted_resource
from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.name_server import NameServer
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_head import ReplyHead
from pprof_exporter.scrape.client.reply_parser import ReplyParser
from pprof_exporter.scrape.client.reserved_addresses import RedirectGuard
from pprof_exporter.scrape.client.resolver import SystemResolver
from pprof_exporter.scrape.client.route import Route
from pprof_exporter.scrape.client.stream import NoHttp2, PlainStream, Stream, TlsStream, receive_into

# Seconds until the next address of a name is tried beside the one before (RFC 8305, section 5; Go's dialer waits 0.3).
_NEXT_ADDRESS = 0.25
# No local address and port for a connection: connect(2) on Linux and BSD, and WSAEADDRINUSE on Windows.
_NO_LOCAL_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EADDRINUSE})
_PROXY_AUTHENTICATION_REQUIRED = 407

_HTTP2 = ("h2",)

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
        self.wants_credentials = head.status == _PROXY_AUTHENTICATION_REQUIRED
        """Whether it refuses the exporter, whatever the target."""


class Dialer:
    """Opens one connection for each request."""

    def __init__(self, socket_factory: SocketFactory | None = None, descriptors: DescriptorLimit = NO_LIMIT) -> None:
        self.resolver: Resolver = SystemResolver()
        self.name_server = NameServer(lambda host: self.resolver.resolve(host, 0))
        self._socket_factory = socket_factory
        self._descriptors = descriptors

    async def connect(self, url: URL, route: Route, watch: Stopwatch, *, http2: bool = False) -> Stream:
        """A connection for one request to this URL, which the caller closes. Stamps its phases.

        `http2`: over TLS, both sides have to agree on HTTP/2. Raises `OSError` and `HttpError`.
        """
        offered = _HTTP2 if http2 else ()
        if route.proxy is None:
            dial = self._dial(url, watch, route.guard)
        else:
            if route.guard is not None:
                route.guard.allow_through_proxy(url)
            dial = self._dial_proxy(route.proxy, watch)
        plain = PlainStream(await dial)
        try:
            stream = plain if route.tls is None else await _secure(plain, route.tls, url, route, watch, offered)
        except BaseException:
            plain.close()
            raise
        watch.connected = time.perf_counter()
        return stream

    async def _dial_proxy(self, proxy: URL, watch: Stopwatch) -> socket.socket:
        """A connection to a proxy. That there is none says nothing about any target."""
        watch.to_proxy = True
        problem = ""
        try:
            connection = await self._dial(proxy, watch)
        except OSError as error:
            if exhausted_resource(error) is not None:
                raise
            problem = f"{proxy.host}:{proxy.port}: {error}"
        else:
            watch.to_proxy = False
            return connection
        raise ResourceExhausted(ExhaustedResource.PROXY, problem)

    async def _dial(self, url: URL, watch: Stopwatch, guard: RedirectGuard | None = None) -> socket.socket:
        host, port = url.raw_host or "", url.port or 0
        addresses = literal_address(host, port)
        if not addresses:
            watch.resolving = time.perf_counter()
            addresses = await self.resolver.resolve(host, port)
            watch.resolved = time.perf_counter()
            self.name_server.answered(host, addresses)
        if guard is not None:
            addresses = guard.allowed(addresses)
        if len(addresses) == 1:
            return await self._dial_address(addresses[0])
        return await self._dial_addresses(addresses)

    async def _dial_addresses(self, addresses: list[AddrInfoType]) -> socket.socket:
        """A connection to one of several addresses of a name."""
        untried = ""

        def open_socket(address: AddrInfoType) -> socket.socket:
            nonlocal untried
            try:
                return self._open(address)
            except OSError as error:
                if exhausted_resource(error) is not None:
                    untried = str(error)
                raise

        problem: OSError
        try:
            return await aiohappyeyeballs.start_connection(
                addresses, happy_eyeballs_delay=_NEXT_ADDRESS, interleave=1, socket_factory=open_socket
            )
        except OSError as error:
            # The text names all errors, also where their numbers differ and the number is left out.
            if not untried and not any(f"[Errno {number}]" in str(error) for number in _NO_LOCAL_ADDRESS):
                raise
            problem = OSError(error.errno, str(error))
        if untried:
            # The address that answers may be the one for which there was no socket.
            raise ResourceExhausted(ExhaustedResource.DESCRIPTORS, untried)
        # One by one, as only that shows which address lacks a port, and which one cannot be reached from here at all.
        for address in addresses:
            try:
                return await self._dial_address(address)
            except OSError as error:
                if exhausted_resource(error) is not None:
                    raise
        raise problem

    async def _dial_address(self, address: AddrInfoType) -> socket.socket:
        connection = self._open(address)
        lacks_port = False
        try:
            connection.setblocking(False)
            await asyncio.get_running_loop().sock_connect(connection, address[4])
        except OSError as error:
            connection.close()
            lacks_port = error.errno in _NO_LOCAL_ADDRESS and has_source_address(address)
            if not lacks_port:
                raise
        except BaseException:
            connection.close()
            raise
        if lacks_port:
            raise ResourceExhausted(ExhaustedResource.PORTS, f"to {address[4][0]}:{address[4][1]}")
        return connection

    def _open(self, address: AddrInfoType) -> socket.socket:
        """A new socket, unless the descriptors that are left are for the exporter's own pages. Raises `OSError`."""
        family, kind, protocol, _, _ = address
        factory = self._socket_factory
        connection = factory(address) if factory else socket.socket(family, kind, protocol)
        if connection.fileno() >= self._descriptors.for_targets:
            connection.close()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return connection


def has_source_address(address: AddrInfoType) -> bool:
    """Whether this machine has an address from which that address can be reached.

    A system says EADDRNOTAVAIL both without one, as for ::1 in a container without IPv6, and without a free port. To
    connect a UDP socket needs the same address, but a port of its own kind, and sends nothing (connect(2)).
    """
    family, _, _, _, name = address
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unused:
            unused.connect(name)
    except OSError:
        return False
    return True


def literal_address(host: str, port: int) -> list[AddrInfoType]:
    """The address that a URL names as a number in its usual spelling; none for a name."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.inet_pton(family, host)
    except OSError:
        return []
    name = (host, port, 0, 0) if family == socket.AF_INET6 else (host, port)
    return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", name)]


async def _secure(
    plain: PlainStream, context: ssl.SSLContext, url: URL, route: Route, watch: Stopwatch, offered: Sequence[str]
) -> Stream:
    if route.proxy is not None:
        await _open_tunnel(plain, url, route.proxy_authorization)
    watch.tls_started = time.perf_counter()
    stream = TlsStream(plain, context, route.server_name or tls_name(url), offered=offered)
    await stream.handshake()
    if offered and stream.application_protocol not in offered:
        raise NoHttp2(f"the server chose {stream.application_protocol or 'no protocol'}")
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
