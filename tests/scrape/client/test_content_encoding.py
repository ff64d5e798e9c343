"""A reply that is compressed although none was asked for is read all the same, once and within the bound."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from random import Random

import pytest
from aiohttp import web

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Fetcher
from tests.recorded import RECORDINGS
from tests.scrape.client.servers import serving

INDEX = (RECORDINGS / "linux-go1.27.3" / "index.html").read_bytes()
MEMSTATS = (RECORDINGS / "linux-go1.27.3" / "heap_debug1.txt").read_bytes()
HEAP = (RECORDINGS / "linux-go1.27.3" / "heap.pb.gz").read_bytes()


def bare(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(body) + stream.flush()


def sends(body: bytes, encoding: str, status: int = 200) -> Callable[[web.BaseRequest], web.Response]:
    headers = {"Content-Encoding": encoding}
    return lambda _: web.Response(body=body, headers=headers, status=status)


async def outcome(
    fetcher: Fetcher, body: bytes, encoding: str, *, excerpt: Excerpt | None = None, status: int = 200
) -> bytes | tuple[Reason, str]:
    async with serving() as server:
        server.replies[server.url.path] = sends(body, encoding, status)
        try:
            reply = await fetcher.get(server.url, timeout=60, excerpt=excerpt)
        except FetchError as error:
            return error.reason, error.detail
    assert reply.size == len(body), "the size is that on the wire"
    return reply.body


@pytest.mark.parametrize("body", [INDEX, MEMSTATS, HEAP, b"x"], ids=["index", "text", "profile", "byte"])
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", bare),
        ("identity", bytes),
        ("identity, gzip", gzip.compress),
        (" ", bytes),
    ],
)
async def test_gzip_and_deflate_are_undone(
    fetcher: Fetcher, body: bytes, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    assert await outcome(fetcher, encode(body), encoding) == body


async def test_of_a_compressed_text_the_excerpt_is_that_of_the_text(fetcher: Fetcher) -> None:
    found = await outcome(fetcher, gzip.compress(MEMSTATS), "gzip", excerpt=Excerpt(100, 200))
    assert found == MEMSTATS[:100] + MEMSTATS[-200:]


async def test_a_header_that_stayed_when_a_proxy_inflated_the_body_is_forgiven(fetcher: Fetcher) -> None:
    assert await outcome(fetcher, INDEX, "gzip") == INDEX
    assert await outcome(fetcher, INDEX, "deflate") == INDEX


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "br, gzip", "aes128gcm"])
async def test_an_encoding_that_is_not_known_is_named(fetcher: Fetcher, encoding: str) -> None:
    assert await outcome(fetcher, b"\x8b\x03\x80", encoding) == (Reason.ENCODING, f"Content-Encoding: {encoding}")


async def test_a_body_that_is_not_what_its_header_says_has_its_reason(fetcher: Fetcher) -> None:
    packed = gzip.compress(INDEX)
    found = [
        await outcome(fetcher, body, encoding)
        for body, encoding in (
            (packed[:-20], "gzip"),
            (packed[:-4] + b"none", "gzip"),
            (zlib.compress(INDEX)[:-9], "deflate"),
            (gzip.compress(bytes(10_000_000)), "gzip"),
            (zlib.compress(bytes(10_000_000)), "deflate"),
        )
    ]
    assert [reason for reason, _ in found] == [
        Reason.TRUNCATED,
        Reason.GZIP,
        Reason.TRUNCATED,
        Reason.TOO_LARGE,
        Reason.TOO_LARGE,
    ]


async def test_the_words_of_a_refusal_are_read_in_its_encoding(fetcher: Fetcher) -> None:
    page = gzip.compress(b"<html><title>Rate limited</title>" + b" " * 5000)
    found = await outcome(fetcher, page, "gzip", status=429)
    assert found == (Reason.HTTP_4XX, 'HTTP 429 Too Many Requests: "Rate limited"')
    assert await outcome(fetcher, b"\x8b\x03", "br", status=502) == (Reason.HTTP_5XX, "HTTP 502 Bad Gateway")


async def test_a_large_body_is_inflated_beside_the_event_loop(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []

    def noting(body: bytes, encoding: str, limit: int) -> bytes:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            threads.append(True)
        else:
            threads.append(False)
        return decoded(body, encoding, limit)

    from pprof_exporter.scrape.client import body as bodies  # noqa: PLC0415
    from pprof_exporter.scrape.client.content_encoding import decoded  # noqa: PLC0415

    monkeypatch.setattr(bodies, "decoded", noting)
    incompressible = Random(1).randbytes(20_000)
    for body in (INDEX, incompressible):
        await outcome(fetcher, gzip.compress(body), "gzip")
    assert len(gzip.compress(incompressible)) > 4096 > len(gzip.compress(INDEX))
    assert threads == [False, True]
