"""Requests that go through a proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.config import ClientSettings, Proxy
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.errors import ExporterExhausted
from tests.scrape.client.servers import BASIC, PATIENCE, SECRET, Certificates, basic, failure, get, serving


@asynccontextmanager
async def proxying(refuse: bytes = b"") -> AsyncIterator[tuple[URL, list[str]]]:
    """A proxy that sends everything on to the port that was asked for, on loopback; with what it was asked."""
    heads: list[str] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heads.append(head)
            method, goal, _ = head.split(" ", 2)
            if refuse:
                writer.write(refuse)
                writer.close()
                return
            port = int(goal.rpartition(":")[2]) if method == "CONNECT" else URL(goal).port
            onward, back = await asyncio.open_connection("127.0.0.1", port)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                back.write(head.replace(goal, URL(goal).path_qs, 1).encode())
            await asyncio.gather(_pump(reader, back), _pump(onward, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    listener = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    try:
        yield URL(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"), heads
    finally:
        listener.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_requests_go_through_the_proxy_with_its_password_and_tls_to_the_target(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    async with serving() as plain, serving(certificates.server("shop.test")) as secure, proxying() as (url, heads):
        proxy = url.with_user("me").with_password(SECRET)
        settings = ClientSettings(BASIC.auth, tls=certificates.tls, proxy=Proxy(proxy, proxy))
        assert await get(fetcher, settings, plain.url.with_host("shop.test")) == b"here"
        reply = await fetcher.bind(settings).get(secure.url.with_host("shop.test"), timeout=PATIENCE)
        assert reply.body == b"here"
        assert reply.phases.tls > 0
    assert heads[0].startswith("GET http://shop.test:")
    assert heads[1].startswith("CONNECT shop.test:")
    assert all(f"Proxy-Authorization: {basic('me', SECRET)}" in head for head in heads)
    assert all("User-Agent: pprof-exporter/" in head for head in heads)
    assert basic("scott", SECRET) not in heads[1]


async def test_a_proxy_that_wants_other_credentials_or_is_away_is_trouble_of_the_exporter(fetcher: Fetcher) -> None:
    async with proxying(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as (url, _):
        proxy = url.with_user("me").with_password(SECRET)
        settings = ClientSettings(proxy=Proxy(proxy, proxy))
        errors = [await failure(fetcher, settings, URL(f"{scheme}://shop.test/")) for scheme in ("https", "http")]
    errors += [await failure(fetcher, settings, URL(f"{scheme}://shop.test/")) for scheme in ("https", "http")]
    assert [(error.reason, error.resource) for error in errors if isinstance(error, ExporterExhausted)] == [
        (Reason.EXHAUSTED, ExhaustedResource.PROXY)
    ] * 4
    assert "the proxy answered 407 Proxy Authentication Required" in errors[0].detail
    assert "the proxy answered 407 Proxy Authentication Required" in errors[1].detail
    assert f"{proxy.host}:{proxy.port}" in errors[2].detail
    assert not any(SECRET in error.detail for error in errors)


async def test_a_proxy_that_cannot_reach_the_target_or_forbids_it_speaks_of_the_target(fetcher: Fetcher) -> None:
    for status in (b"502 Bad Gateway", b"403 Forbidden"):
        async with proxying(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as (proxy, _):
            settings = ClientSettings(proxy=Proxy(proxy, proxy))
            error = await failure(fetcher, settings, URL("https://shop.test/"))
        assert (error.reason, error.detail) == (Reason.CONNECT, f"the proxy answered {status.decode()}")
