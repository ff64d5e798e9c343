"""A clock that moves when told, and a target that answers what it is told."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import heapq
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.vocabulary import STACKS
from pprof_exporter.config import ClientSettings, Limits, Params, Settings, Target, parse_target
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.bytes_in_flight import BytesInFlight
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Fetcher, Getter, Reply
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.store import Store
from pprof_exporter.threads import Threads
from tests.proto import profile_pb2
from tests.recorded import RECORDINGS

T = TypeVar("T")

RECORDED = RECORDINGS / "linux-go1.27.3"
FILES = {"": "index.html", "profile": "cpu_burn1.pb.gz", "metrics": "metrics.txt", "trace": "burn2.trace"}
FILES |= {f"{name}_debug1": f"{name}_debug1.txt" for name in ("heap", "mutex", "threadcreate")}
FILES |= {"cmdline": "cmdline.txt", "goroutine_debug2": "goroutine_leaks_debug2.txt"}


class FakeClock:
    """Time stands still between calls of `advance`."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self.time = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()

    def now(self) -> float:
        return self.time

    def steady(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + max(0.0, seconds), next(self._number), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due meanwhile, in order."""
        asyncio.get_running_loop().set_default_executor(_AtOnce())
        with patch.object(Threads, "run", _at_once):
            end = self.time + seconds
            await settle()
            while self._sleepers and self._sleepers[0][0] <= end:
                due, _, woken = heapq.heappop(self._sleepers)
                self.time = max(self.time, due)
                if not woken.done():
                    woken.set_result(None)
                    await settle()
            self.time = end


class _AtOnce(ThreadPoolExecutor):
    """Does in the calling thread what is meant for another: a real thread would be done after any number of ticks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told where the result is awaited
            done.set_exception(error)
        return done


async def _at_once(_threads: Threads, work: Callable[[], T]) -> T:
    """The same for threads of their own."""
    return work()


async def settle() -> None:
    """Let every task run until all of them wait."""
    # asyncio has no public name for the callbacks that are due. Without it, all the rounds are made.
    ready = getattr(asyncio.get_running_loop(), "_ready", (None,))
    for _ in range(400):
        await asyncio.sleep(0)
        if not ready:
            return


class FakeFetcher(Fetcher):
    """Answers with recordings, after `window` seconds of the clock, unless `faults` says otherwise."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.in_flight = BytesInFlight(2**20, wire=2**20, inflated=2**20)
        self.asked: Counter[str] = Counter()
        self.faults: dict[str, Callable[[], Exception]] = {}
        self.takes: dict[str, float] = {}
        self.sleeps: dict[str, float] = {}
        """Seconds that the handler of a path sleeps before it answers, within the deadline or beyond it."""
        self.bodies: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        """Content types by path."""
        self.folder = RECORDED
        self.stamps = False
        """Whether profiles carry the time at which they were asked for, instead of that of the recording."""
        self.cpu_seconds: float | None = None
        """CPU time that the metrics page tells: grows with the clock at this rate; None: as recorded."""
        self.running: Counter[str] = Counter()
        self.most_running: Counter[str] = Counter()
        self.clients: Counter[ClientSettings] = Counter()
        """For how many targets each of these settings was asked for."""

    def bind(self, client: ClientSettings, params: Params = ()) -> Getter:
        self.clients[client] += 1
        return self

    def expect(self, url: URL) -> None:
        """Nothing is resolved."""

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        debug = (query or {}).get("debug")
        path = url.path.rpartition("/")[2] + (f"_debug{debug}" if debug else "")
        key = f"{url.host}:{url.port}/{path}"
        asked_at = self.clock.now()
        self.asked[path] += 1
        self.asked[key] += 1
        phases = Phases(0, 0.001, 0, 0.002, 0.001)
        self.running[path] += 1
        self.most_running[path] = max(self.most_running[path], self.running[path])
        try:
            takes = (window if "seconds" in (query or {}) else 0) + self.takes.get(key, self.takes.get(path, 0))
            if takes:
                await self.clock.sleep(takes)
            slept = self.sleeps.get(key, self.sleeps.get(path, 0))
            if slept:
                await self.clock.sleep(min(slept, window + timeout))
                if slept > window + timeout:
                    raise FetchError(Reason.TIMEOUT_HEADER, "connected, no reply")
                phases = Phases(0, 0.001, 0, max(0.0, slept - window) + 0.002, 0.001)
            fault = self.faults.get(key) or self.faults.get(path) or self.faults.get(f"{url.host}:{url.port}")
            if fault is not None:
                raise fault()
        finally:
            self.running[path] -= 1
        body = self.bodies.get(path) or self._recorded(path)
        if self.stamps and body.startswith(b"\x1f\x8b"):
            body = stamped(body, asked_at)
        kind = "text/plain" if path == "cmdline" else ""
        return Reply(body, phases, asked_at, self.types.get(path, kind))

    def _recorded(self, path: str) -> bytes:
        body = (self.folder / FILES.get(path, f"{path}.pb.gz")).read_bytes()
        if path == "metrics" and self.cpu_seconds is not None:
            used = f"process_cpu_seconds_total {self.cpu_seconds * self.clock.time}\n".encode()
            body = re.sub(rb"process_cpu_seconds_total [0-9.e+]+\n", used, body)
        return body


def times(body: bytes, factor: int) -> bytes:
    """A profile with every value multiplied."""
    message = profile_pb2.Profile()
    message.ParseFromString(gzip.decompress(body))
    for sample in message.sample:
        sample.value[:] = [value * factor for value in sample.value]
    return message.SerializeToString()


def stamped(body: bytes, at: float) -> bytes:
    """A profile of this time (Unix seconds)."""
    message = profile_pb2.Profile()
    message.ParseFromString(gzip.decompress(body))
    message.time_nanos = round(at * 1e9)
    return gzip.compress(message.SerializeToString(), 1)


def failing(error: FetchError) -> Callable[[], Exception]:
    """A new error like this one each time: one that is kept holds every frame that it was raised through."""
    return lambda: FetchError(error.reason, error.detail, error.status)


MISSING = failing(FetchError(Reason.NOT_MOUNTED, "HTTP 404", 404))
REFUSED = failing(FetchError(Reason.CONNECT, "refused"))


def settings(*targets: str | Target, stacks: bool = False) -> Settings:
    """Default settings for these targets, and printed stacks if they are asked for."""
    parsed = tuple(parse_target(target) if isinstance(target, str) else target for target in targets)
    profiles = default_profiles()
    profiles[STACKS] = dataclasses.replace(profiles[STACKS], enabled=stacks)
    return Settings(parsed, profiles, limits=Limits(concurrency=16, concurrency_per_host=16))


def pool_of(
    clock: FakeClock,
    fetcher: FakeFetcher,
    *targets: str | Target,
    stacks: bool = False,
    storage: Path | None = None,
    raw_profiles: RawProfiles | None = None,
    timeout: float = 10,
) -> Pool:
    """A pool with default settings; what it knows of epochs is in memory, or in the file at `storage`."""
    store = Store.open(storage, clock.time)
    return Pool(
        dataclasses.replace(settings(*targets, stacks=stacks), timeout=timeout),
        fetcher=fetcher,
        clock=clock,
        random=Random(1),
        store=store,
        raw_profiles=raw_profiles,
    )
