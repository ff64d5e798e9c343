"""A server of another protocol is told by its first bytes, however they come."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.client.protocols import protocol_of
from tests.scrape.client.test_fetcher import sends, serving

SETTINGS = bytes.fromhex("000012040000000000000300000064000400100000000600100140")
GOAWAY = bytes.fromhex("0000080700000000000000000000000001")
MYSQL = b"J\0\0\x008.0.36\0"
MYSQL_HANDSHAKE = b"J\0\0\0\x0a8.0.36\0"

FIRST = [
    (b"\x15\x03\x01\x00\x02\x02\x46", Hint.TLS_PORT),
    (b"\x15\x03\x03\x00\x02\x02\x50", Hint.TLS_PORT),
    (SETTINGS, Hint.HTTP2),
    (bytes(3) + b"\x04" + bytes(5), Hint.HTTP2),
    (GOAWAY, Hint.HTTP2),
    (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", Hint.SSH),
    (b"220 mail.example ESMTP\r\n", Hint.BANNER),
    (b"+OK ready\r\n", Hint.BANNER),
    (b"* OK IMAP4rev1\r\n", Hint.BANNER),
    (b"-ERR unknown command 'GET'\r\n", Hint.BANNER),
    (b"AMQP\x00\x00\x09\x01", Hint.BANNER),
    (MYSQL_HANDSHAKE, Hint.BANNER),
    (MYSQL, None),
    (b"hello\r\n", None),
    (b"\x00", None),
    (b"", None),
]


@pytest.mark.parametrize(("start", "hint"), FIRST)
def test_a_protocol_is_told_by_its_first_bytes(start: bytes, hint: Hint | None) -> None:
    assert protocol_of(start) is hint


@pytest.mark.parametrize(("start", "hint"), [row for row in FIRST if row[0]])
async def test_a_fetch_from_it_says_what_the_port_speaks(fetcher: Fetcher, start: bytes, hint: Hint | None) -> None:
    async with serving(sends(start, close=True)) as server:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(server.url, timeout=60)
    # Greeted in HTTP/2, it goes away again.
    reason = Reason.CLOSED if start == GOAWAY else Reason.NOT_HTTP
    assert (caught.value.reason, caught.value.hint) == (reason, hint)


async def test_the_words_of_servers_that_want_tls_are_known(fetcher: Fetcher) -> None:
    for words in (
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    ):
        refused = b"HTTP/1.0 400 Bad Request\r\nContent-Length: %d\r\n\r\n" % len(words) + words
        async with serving(sends(refused, close=True)) as server:
            with pytest.raises(FetchError) as caught:
                await fetcher.get(server.url, timeout=60)
        assert (caught.value.reason, caught.value.hint) == (Reason.HTTP_4XX, Hint.TLS_PORT)
