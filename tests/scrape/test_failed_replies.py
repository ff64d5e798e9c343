"""Nothing of a reply that fails waits for a collection of garbage, wherever on its way it fails."""

from __future__ import annotations

import asyncio
import gc
import gzip
import random
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random

import pytest
import trustme
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import ClientSettings, HttpSource, TlsSettings, parse_target
from pprof_exporter.config.probe_settings import Probing
from pprof_exporter.scrape.client.body import ReplyBody
from pprof_exporter.scrape.client.bytes_in_flight import BytesInFlight, Lease
from pprof_exporter.scrape.client.fetcher import Fetcher, Reply
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_parser import ReplyParser
from pprof_exporter.scrape.client.stream import PlainStream, TlsStream
from pprof_exporter.scrape.discovery.groups import SourceError
from pprof_exporter.scrape.discovery.http_sd import HttpReader
from pprof_exporter.scrape.probing import Prober
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.scraper import TargetScraper
from pprof_exporter.store import Store
from tests.scrape.fakes import RECORDED, settings

LIMIT = 400_000
MANY = random.Random(1).randbytes(300_000)
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
PARTS = (Reply, ReplyBody, ReplyParser, PlainStream, TlsStream, Stopwatch, Lease)


def whole(body: bytes) -> bytes:
    return HTTP + b"Content-Length: %d\r\n\r\n" % len(body) + body


ANSWERS: dict[str, tuple[bytes, Reason]] = {
    "cut by its length": (HTTP + b"Content-Length: 390000\r\n\r\n" + MANY, Reason.TRUNCATED),
    "cut within a chunk": (HTTP + b"Transfer-Encoding: chunked\r\n\r\n61A80\r\n" + MANY, Reason.TRUNCATED),
    "broken chunks": (HTTP + b"Transfer-Encoding: chunked\r\n\r\n493E0\r\n" + MANY + b"no\r\n", Reason.TRUNCATED),
    "too large": (HTTP + b"\r\n" + MANY * 2, Reason.TOO_LARGE),
    "a bomb": (whole(gzip.compress(bytes(3_000_000))), Reason.TOO_LARGE),
    "a large bomb": (whole(gzip.compress(MANY[:100_000] + bytes(20_000_000))), Reason.TOO_LARGE),
    "cut gzip": (whole(gzip.compress(MANY)[:-1000]), Reason.TRUNCATED),
    "not a profile": (whole(MANY), Reason.PROTO),
    "gzip of something else": (whole(gzip.compress(MANY)), Reason.PROTO),
    "a page": (whole(b"<!doctype html><html>" + b"x" * 200_000), Reason.HTML),
    "refused": (b"HTTP/1.1 500 No\r\nContent-Length: 300000\r\n\r\n" + MANY, Reason.HTTP_5XX),
    "refused and cut": (b"HTTP/1.1 500 No\r\nContent-Length: 3000\r\n\r\nno", Reason.TRUNCATED),
    "no HTTP": (MANY, Reason.NOT_HTTP),
    "nothing": (b"", Reason.CLOSED),
    "redirected for ever": (
        b"HTTP/1.1 302 Found\r\nLocation: /debug/pprof/heap\r\nContent-Length: 0\r\n\r\n",
        Reason.HTTP_3XX,
    ),
}


class Target:
    """Answers the index page as Go does, and everything else with one answer. Then it closes, or waits."""

    def __init__(self) -> None:
        self.url = URL()
        self.answer = b""
        self.waits = False
        self.answered = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            index = path == b"/debug/pprof/"
            writer.write(whole((RECORDED / "index.html").read_bytes()) if index else self.answer)
            await writer.drain()
            if not index:
                self.answered += 1
                if self.waits:
                    await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if writer.get_extra_info("ssl_object") else writer.close()


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Target]:
    target = Target()
    listener = await asyncio.start_server(target.serve, "127.0.0.1", 0, ssl=context)
    scheme, port = "https" if context else "http", listener.sockets[0].getsockname()[1]
    target.url = URL(f"{scheme}://127.0.0.1:{port}/debug/pprof/")
    try:
        yield target
    finally:
        listener.close()


@pytest.fixture
def uncollected() -> Iterator[Callable[[], list[object]]]:
    """Without collections of garbage. Returns what is left of requests and replies since the beginning."""
    gc.collect()
    before = {id(found) for found in gc.get_objects()}
    gc.disable()
    yield lambda: [found for found in gc.get_objects() if type(found) in PARTS and id(found) not in before]
    gc.enable()


def fetcher_of() -> Fetcher:
    return Fetcher(SystemClock(), max_bytes=LIMIT, in_flight=BytesInFlight(10**8, wire=LIMIT, inflated=8 * 2**20))


def scraper_of(url: URL, client: ClientSettings | None = None, *, timeout: float = 10) -> TargetScraper:
    """All collectors of a target, with real requests."""
    target, clock = parse_target(str(url)), SystemClock()
    chosen = settings(target, stacks=True)
    limits = replace(chosen.limits, inflated_bytes=2_000_000)
    profiles = chosen.profiles | {"cpu": replace(chosen.profiles["cpu"], window=3)}
    chosen = replace(chosen, timeout=timeout, limits=limits, profiles=profiles)
    state = TargetState(target, chosen, Store.open(None, clock.now()), clock)
    getter = fetcher_of().bind(client or ClientSettings(follow_redirects=True))
    raw = RawProfiles(10**7, ("heap", "cpu"))
    return TargetScraper(TargetContext(target, chosen, getter, FetchLimiter(limits), clock, state, raw), Random(1))


async def settled() -> None:
    """The event loop holds what woke a task for as long as the task runs, and a thread its work until the next."""
    for _ in range(5):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("name", ANSWERS)
async def test_nothing_is_left_of_a_round_that_failed(uncollected: Callable[[], list[object]], name: str) -> None:
    answer, reason = ANSWERS[name]
    async with serving() as target:
        target.answer = answer
        scraper = scraper_of(target.url)
        assert await scraper.scrape_index() is None
        ended = [asyncio.create_task(scraper.run(collector)) for collector in scraper.collectors]
        await asyncio.wait(ended)
        found = {collector.name: task.result() for collector, task in zip(scraper.collectors, ended, strict=True)}
        await settled()
        # The tasks are still there, as those of the loop are until the next round, with the errors that they returned.
        assert uncollected() == []
    heap = found["heap"]
    assert heap is not None
    assert heap.reason is reason


async def test_nothing_is_left_of_a_reply_that_is_cut_over_tls(uncollected: Callable[[], list[object]]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with serving(context) as target:
        target.answer = HTTP + b"\r\n" + MANY
        for tls in (TlsSettings(insecure_skip_verify=True), TlsSettings()):
            scraper = scraper_of(target.url, ClientSettings(tls=tls))
            await scraper.scrape_index()
            problem = await scraper.run(next(one for one in scraper.collectors if one.name == "heap"))
            assert problem is not None
            assert problem.reason in (Reason.TRUNCATED, Reason.TLS)
            await settled()
            assert uncollected() == []


@pytest.mark.parametrize("sent", [HTTP + b"\r\n" + MANY, HTTP, b""])
async def test_nothing_is_left_of_a_reply_that_times_out_or_whose_target_is_removed(
    uncollected: Callable[[], list[object]], sent: bytes
) -> None:
    async with serving() as target:
        target.answer, target.waits = sent, True
        scraper = scraper_of(target.url, timeout=0.1)
        assert await scraper.scrape_index() is None
        problem = await scraper.run(next(one for one in scraper.collectors if one.name == "heap"))
        assert problem is not None
        assert problem.reason in (Reason.TIMEOUT_BODY, Reason.TIMEOUT_HEADER)
        await settled()
        assert uncollected() == []

        scraper = scraper_of(target.url)
        running = asyncio.create_task(scraper.run(next(one for one in scraper.collectors if one.name == "heap")))
        answered = target.answered
        while target.answered == answered:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)
        await settled()
        running.cancel()
        await asyncio.wait({running})
        del running
        await settled()
        assert uncollected() == []


async def test_nothing_is_left_of_a_probe_that_its_deadline_ended(
    uncollected: Callable[[], list[object]],
) -> None:
    clock = SystemClock()
    async with serving() as target:
        target.answer, target.waits = HTTP + b"\r\n" + MANY, True
        chosen = replace(settings(), probing=Probing())
        prober = Prober(
            chosen,
            fetcher=fetcher_of(),
            limiter=FetchLimiter(chosen.limits),
            clock=clock,
            random=Random(1),
            store=Store.open(None, clock.now()),
        )
        await prober.probe(prober.read(f"127.0.0.1:{target.url.port}", "default"), 0.5)
        await settled()
        assert uncollected() == []
        await prober.close()


@pytest.mark.parametrize("name", ["cut by its length", "too large", "not a profile", "refused"])
async def test_nothing_is_left_of_a_list_of_targets_that_failed(
    uncollected: Callable[[], list[object]], name: str
) -> None:
    async with serving() as target:
        target.answer = ANSWERS[name][0].replace(b"application/octet-stream", b"application/json")
        reader = HttpReader(HttpSource(str(target.url / "list"), 60), fetcher_of())
        said = ""
        try:
            await reader.read()
        except SourceError as error:
            said = str(error)
        assert said
        await settled()
        assert uncollected() == []
