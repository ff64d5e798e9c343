"""What is no request: the right status, one line at debug level, and never a traceback or an error of ours."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from random import Random

import pytest
from aiohttp import web
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.config.listen_address import Listen
from pprof_exporter.web import AccessRules, EvidenceAccess, Readiness, build_app
from pprof_exporter.web.listen import start_sites
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of

WITHIN = 20.0
HOST = b"\r\nHost: x\r\nConnection: close\r\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The exporter's own pages on a real socket."""
    clock = FakeClock()
    pool = pool_of(clock, FakeFetcher(clock), "shop:1")
    access = EvidenceAccess(AccessRules(loopback=True))
    app = build_app(CollectorRegistry(), pool, Readiness(), evidence_access=access)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0, lingering_time=0)
    await runner.setup()
    (url,) = await start_sites(runner, [Listen("127.0.0.1", 0)])
    yield int(url.rpartition(":")[2])
    await pool.close(0)
    await runner.cleanup()


async def reply_to(port: int, *sent: bytes, within: float = WITHIN) -> bytes:
    """What comes for these bytes until the server ends the connection, or nothing within so many seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(within):
            return await reader.read()
    except TimeoutError:
        if within == WITHIN:
            raise
        return b""
    except ConnectionError:
        return b""
    finally:
        writer.close()


def status_of(reply: bytes) -> int:
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", reply)
    assert found is not None, reply[:100]
    return int(found[1])


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Everything that was logged above debug level or with a traceback."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno > logging.INFO or record.exc_info or "Traceback" in record.getMessage()
    ]


def malformed(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    fields = [record.__dict__["fields"] for record in caplog.records if record.getMessage() == "malformed request"]
    assert all("\n" not in value for one in fields for value in one.values())
    return fields


REFUSED: list[tuple[bytes, int]] = [
    (b"GET http://xn--/ HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET http://xn--a-ecp.ru/targets HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET http:// HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET http://x:99999/ HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET http://[::1/ HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET * HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET targets HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET /\xff HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET /targets/%zz HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET /targets% HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/9.9" + HOST + b"\r\n", 400),
    (b"GET / HTTP/0.9" + HOST + b"\r\n", 400),
    (b"GET / HTTP/2.0" + HOST + b"\r\n", 400),
    (b"G\x00T / HTTP/1.1" + HOST + b"\r\n", 400),
    (b"GET / HTTP/1.1" + HOST + b"Bad Header: y\r\n\r\n", 400),
    (b"HELLO\r\n\r\n", 400),
    (b"GET /targets HTTP/1.1\nHost: localhost\nConnection: close\n\n", 400),
    (b"GET /targets HTTP/1.1" + HOST + b"X: y\n\r\n", 400),
    (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
    (b"GET / HTTP/1.1" + HOST + b"".join(b"X-%d: y\r\n" % i for i in range(3000)) + b"\r\n", 431),
    (b"POST /-/alert HTTP/1.1" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 400),
    (b"POST /-/alert HTTP/1.1" + HOST + b"Content-Length: abc\r\n\r\n", 400),
    (b"POST /-/alert HTTP/1.1" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
]


@pytest.mark.parametrize(("sent", "status"), REFUSED)
async def test_what_is_no_request_is_refused_with_one_line_at_debug_level(
    port: int, sent: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reply = await reply_to(port, sent)
    assert status_of(reply) == status
    assert b"X-Content-Type-Options: nosniff" in reply
    assert len(malformed(caplog)) == 1
    assert malformed(caplog)[0]["client"] == "127.0.0.1"
    assert problems(caplog) == []


@pytest.mark.parametrize(
    "sent",
    [b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000, b"GET /" + b"a" * 100_000, b"X" * 100_000],
    ids=["field", "target", "no line"],
)
async def test_a_head_that_is_too_large_is_told_so_before_it_ends(port: int, sent: bytes) -> None:
    reply = await reply_to(port, sent)
    # The rest that nobody reads may cut the reply off.
    assert not reply or status_of(reply) == 431


TAKEN: list[tuple[bytes, int]] = [
    (b"GET http://localhost/targets HTTP/1.1" + HOST + b"\r\n", 200),
    (b"GET http://user:pw@anything.example:1/targets?q=x HTTP/1.1" + HOST + b"\r\n", 200),
    (b"GET /targets HTTP/1.1" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 200),
    (b"GET /targets HTTP/1.1\r\nHost: xn--\r\nConnection: close\r\n\r\n", 200),
    (b"GET /targets HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n", 200),
    (b"GET /targets?q=%ff&page=%zz HTTP/1.1" + HOST + b"\r\n", 200),
    (b"GET /targets HTTP/1.0\r\n\r\n", 200),
    (b"GET /metrics HTTP/1.1" + HOST + b"Accept: application/openmetrics-text;version=abc\r\n\r\n", 200),
    (b"GET /targets HTTP/1.1" + HOST + b"Upgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n", 200),
    (b"GET /targets HTTP/1.1" + HOST + b"Authorization: \xff\xfe\r\n\r\n", 200),
    (b"GET /targets HTTP/1.1" + HOST + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 200),
    (b"GET /targets/%ff%fe%00%0d%0a HTTP/1.1" + HOST + b"\r\n", 404),
    (b"GET //evil.example/x HTTP/1.1" + HOST + b"\r\n", 404),
    (b"GET /runbooks/..%2f..%2fetc%2fpasswd HTTP/1.1" + HOST + b"\r\n", 404),
    (b"GET /probes/99999999999999999 HTTP/1.1" + HOST + b"\r\n", 403),
    (b"POST /-/alert HTTP/1.1" + HOST + b"Content-Type: multipart/form-data\r\nContent-Length: 1\r\n\r\na", 403),
    (b"GET / HTTP/1.1" + HOST + b"Expect: 200-maybe\r\n\r\n", 417),
]


@pytest.mark.parametrize(("sent", "status"), TAKEN)
async def test_what_is_odd_but_a_request_is_answered(
    port: int, sent: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert status_of(await reply_to(port, sent)) == status
    assert problems(caplog) == []


PARTS = (
    *(b"GET", b"POST", b"PUT", b"OPTIONS", b"CONNECT", b"PRI", b"get", b"\x16\x03\x01", b""),
    *(b" ", b"  ", b"\t", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b"\xff", b"\x80", b"%", b"%00", b"%zz", b"%2f"),
    *(b"/", b"//", b"*", b"/targets", b"/targets/shop:1", b"/metrics", b"/probe?target=", b"/evidence", b"/runbooks/"),
    *(b"/-/alert", b"/-/reload", b"http://", b"http://xn--/", b"https://[::1]:0/", b"http://[fe80::1%25eth0]/", b"?q="),
    *(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/2.0\r\n", b" HTTP/0.9", b"HTTP/1.1"),
    *(b"Host: x\r\n", b"Host: \r\n", b"Host: xn--\r\n", b"Host: [\r\n", b"Connection: close\r\n", b"Upgrade: h2c\r\n"),
    *(
        b"Content-Length: 3\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Expect: x\r\n",
    ),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Content-Encoding: br\r\n",
        b"Range: bytes=0-\r\n",
    ),
    *(b"Accept: application/openmetrics-text;version=x;q=x\r\n", b'Accept: ;;,,"\r\n', b"Accept-Encoding: gzip;q=\r\n"),
    *(b"Authorization: Basic ////\r\n", b"Content-Type: application/json; charset=x\r\n", b"Cookie: a=\x80\r\n"),
    *(b"Content-Type: multipart/form-data; boundary=\r\n", b"X-Prometheus-Scrape-Timeout-Seconds: nan\r\n"),
    *(
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"zz\r\n",
        b"ffffffffffffffffff\r\n",
        b"1;x=y\r\na\r\n",
        b"abc",
        b"{}",
        b"a" * 9000,
    ),
)
BASES = (
    b"GET /targets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /-/alert HTTP/1.1" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"GET http://x/metrics?name[]=up HTTP/1.1" + HOST + b"Accept: text/plain;q=0.5,*/*;q=0.1\r\n\r\n",
)


def some_request(random: Random) -> bytes:
    """A request that was changed in some places, or one of parts in any order."""
    if random.random() < 0.3:
        return b"".join(random.choices(PARTS, k=random.randint(1, 12)))
    text = bytearray(random.choice(BASES))
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(text) + 1)
        text[at : at + random.choice((0, 0, 1, 5, 20))] = random.choice(PARTS)
    return bytes(text)


async def test_a_client_that_goes_within_its_body_is_no_error(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /-/alert HTTP/1.1" + HOST + b"Content-Length: 9\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.transport.abort()
    async with asyncio.timeout(WITHIN):
        while len(malformed(caplog)) < 20:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    assert problems(caplog) == []


@pytest.mark.parametrize("seed", range(4))
async def test_thousands_of_broken_requests_bring_no_error_and_no_traceback(
    port: int, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    random = Random(seed)
    answered = 0
    for _ in range(20):
        sent = [some_request(random) for _ in range(50)]
        cut = [random.randrange(len(one) + 1) for one in sent]
        # Where a head or a body is not complete, the exporter waits for the rest.
        replies = await asyncio.gather(
            *(reply_to(port, one[:at], one[at:] + b"\r\n\r\n", within=0.4) for one, at in zip(sent, cut, strict=True))
        )
        for one, reply in zip(sent, replies, strict=True):
            assert not reply or status_of(reply) < 500, one
            answered += bool(reply)
    assert answered > 500
    assert problems(caplog) == []
    assert status_of(await reply_to(port, BASES[0])) == 200
