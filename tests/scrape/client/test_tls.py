"""Certificates of targets, and the one that the exporter shows."""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme
from aiohttp import web
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.config import ClientSettings, TlsSettings
from pprof_exporter.scrape import Fetcher
from tests.scrape.client.servers import PATIENCE, Certificates, failure, get, serving, to


async def test_a_certificate_is_believed_if_the_given_authority_vouches_for_the_name(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    async with serving(certificates.server("shop.example")) as server:
        named = TlsSettings(ca_file=certificates.ca, server_name="shop.example", min_version="TLS13")
        reply = await fetcher.bind(ClientSettings(tls=named)).get(server.url, timeout=PATIENCE)
        assert reply.body == b"here"
        assert reply.phases.tls > 0
        error = await failure(fetcher, ClientSettings(tls=certificates.tls), server.url)
        assert error.reason is Reason.TLS
        assert "not valid for '127.0.0.1'" in error.detail
        assert "0x" not in error.detail
        anything = ClientSettings(tls=TlsSettings(insecure_skip_verify=True))
        assert await get(fetcher, anything, server.url) == b"here"


async def test_an_unknown_authority_and_an_expired_certificate_are_told_apart(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    async with serving(certificates.server("127.0.0.1", not_before=past, not_after=past)) as server:
        expired = await failure(fetcher, ClientSettings(tls=certificates.tls), server.url)
    async with serving(certificates.server("127.0.0.1")) as server:
        unknown = await failure(fetcher, ClientSettings(), server.url)
    assert (expired.reason, unknown.reason) == (Reason.TLS, Reason.TLS)
    assert "certificate has expired" in expired.detail
    assert "unable to get local issuer certificate" in unknown.detail


HERE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere"


@contextmanager
def guarded(context: ssl.SSLContext, reply: bytes = HERE, *, cut: bool = True) -> Iterator[URL]:
    """A server that answers whoever has a certificate, and tells others why not: asyncio's would say nothing.

    `cut`: it ends the connection without saying so in TLS.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                plain.settimeout(PATIENCE)
                with plain, suppress(OSError):
                    try:
                        connection = context.wrap_socket(plain.dup(), server_side=True)
                    except ssl.SSLError:
                        # To close at once would reset the connection, and the client might not see why.
                        plain.shutdown(socket.SHUT_WR)
                        while plain.recv(4096):
                            pass
                        raise
                    with connection:
                        connection.recv(4096)
                        connection.sendall(reply)
                        if not cut:
                            connection.unwrap()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield URL(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


@pytest.mark.parametrize("version", ["TLS12", "TLS13"])
async def test_a_server_that_wants_a_certificate_gets_the_one_of_the_job(
    fetcher: Fetcher, certificates: Certificates, version: str
) -> None:
    guard = certificates.server("127.0.0.1")
    certificates.authority.configure_trust(guard)
    guard.verify_mode = ssl.CERT_REQUIRED
    with guarded(guard) as url:
        error = await failure(fetcher, ClientSettings(tls=TlsSettings(certificates.ca, max_version=version)), url)
        assert error.reason is Reason.TLS, error.detail
        pair = certificates.client_pair(certificates.authority)
        shown = ClientSettings(tls=TlsSettings(certificates.ca, *pair, max_version=version))
        assert await get(fetcher, shown, url) == b"here"


async def test_a_reply_that_ends_with_the_connection_needs_the_end_of_tls(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    """As in Go: without it, somebody between may have cut the reply."""
    server, settings = certificates.server("127.0.0.1"), ClientSettings(tls=certificates.tls)
    body = bytes(range(256)) * 300
    with guarded(server, b"HTTP/1.1 200 OK\r\n\r\n" + body, cut=False) as url:
        assert await get(fetcher, settings, url) == body
    with guarded(server, b"HTTP/1.1 200 OK\r\n\r\n" + body) as url:
        error = await failure(fetcher, settings, url)
    assert error.reason is Reason.TRUNCATED, error.detail
    with guarded(server, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body) as url:
        assert await get(fetcher, settings, url) == body


async def test_a_client_certificate_is_not_shown_to_another_host(fetcher: Fetcher, certificates: Certificates) -> None:
    curious = certificates.server("127.0.0.1")
    certificates.authority.configure_trust(curious)
    curious.verify_mode = ssl.CERT_OPTIONAL
    shown: list[object] = []

    def note(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        shown.append(request.transport.get_extra_info("peercert"))
        return web.Response()

    pair = certificates.client_pair(certificates.authority)
    settings = ClientSettings(tls=TlsSettings(certificates.ca, *pair), follow_redirects=True)
    async with serving(curious) as home, serving(curious) as stranger:
        stranger.replies["/a"] = note
        await get(fetcher, settings, stranger.url.with_path("/a"))
        home.replies[home.url.path] = to(str(stranger.url.with_path("/a")))
        await get(fetcher, settings, home.url)
    assert shown[0]
    assert not shown[1]


async def test_certificates_are_read_anew_when_they_change_and_a_missing_one_is_a_tls_failure(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    settings = ClientSettings(tls=certificates.tls)
    client = fetcher.bind(settings)
    async with serving(certificates.server("127.0.0.1")) as server:
        assert (await client.get(server.url, timeout=PATIENCE)).body == b"here"
        good = certificates.ca.read_bytes()
        trustme.CA().cert_pem.write_to_path(certificates.ca)
        os.utime(certificates.ca, ns=(1, 1))
        assert (await failure(fetcher, settings, server.url)).reason is Reason.TLS
        certificates.ca.unlink()
        gone = await failure(fetcher, settings, server.url)
        assert gone.reason is Reason.TLS
        assert f"tls_config: {certificates.ca}: No such file" in gone.detail
        certificates.ca.write_bytes(good)
        assert (await client.get(server.url, timeout=PATIENCE)).body == b"here"
