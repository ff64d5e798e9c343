"""A collector fetches one thing from a target when it is due: the base class, the index page, and profiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

from pprof_exporter.profile import read_index
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.cpu_time import CpuUse
from pprof_exporter.scrape.state.observation import Observation, observe
from pprof_exporter.scrape.state.target_state import ProfileState
from pprof_exporter.scrape.target.context import TargetContext, run_in_thread
from pprof_exporter.scrape.target.guards import goroutines_stop_the_world, heap_records_take_long


class Collector(ABC):
    """Something to do for a target every `interval` seconds. `path` is the row of the index page that it needs."""

    name: str
    path: str
    interval: float
    counters: FetchCounters
    window: float = 0
    """Seconds that it runs on purpose; whoever has less time makes it shorter before a run."""
    concurrent = False
    """Whether it takes so long that it runs beside the loop."""
    heavy = False
    """Whether it costs the target more than the request itself."""

    def would_harm(self) -> bool:
        """Whether the target is so large now that it would be stopped for long."""
        return False

    def on_recovery(self) -> None:  # noqa: B027 - most errands have learned nothing that a restart makes wrong
        """The target is up again."""

    @abstractmethod
    async def run(self) -> None:
        """Do it once. Raises `FetchError` and `DecodeError`."""


class IndexCollector(Collector):
    """The index page: whether the target is up, and which profiles it has."""

    def __init__(self, context: TargetContext) -> None:
        self._context = context
        self.interval = context.settings.index_interval

    async def run(self) -> None:
        """Fetch the page and note what it says."""
        context, state = self._context, self._context.state
        async with context.place():
            reply = await context.fetcher.get(context.target.url, timeout=context.settings.timeout)
        state.index_counters.response_bytes += len(reply.body)
        state.saw_index(read_index(reply.body), reply.asked_at)
        state.index_counters.succeeded(reply.asked_at, reply.phases)


class ProfileCollector(Collector):
    """A profile of the moment, or of all time since the start."""

    def __init__(self, context: TargetContext, profile: ProfileState) -> None:
        self._context = context
        self._profile = profile
        settings = context.settings.profiles[profile.kind.name]
        self.window = settings.window if profile.kind.window else 0
        self.name = profile.kind.name
        self.path = profile.kind.path
        self.interval = settings.interval
        self.counters = profile.counters
        self.heavy = profile.kind.heavy

    def would_harm(self) -> bool:
        """See `guards`."""
        state = self._context.state
        match self._profile.kind.name:
            case "goroutine":
                return goroutines_stop_the_world(state.index, state.identity.go)
            case "heap" | "allocs":
                return heap_records_take_long(state.index)
            case _:
                return False

    async def run(self) -> None:
        """Fetch, decode and judge the profile, and note what it says."""
        async with self._context.place(window=bool(self.window), heavy=self.heavy):
            reply = await self.fetch()
        await self._take_in(reply, None)

    async def fetch(self) -> Reply:
        """The reply of the target, from within a place. Raises `FetchError`."""
        context, kind = self._context, self._profile.kind
        reply = await context.fetcher.get(
            context.target.url.joinpath(kind.path),
            query=kind.query(self.window),
            timeout=context.settings.timeout,
            window=self.window,
        )
        self.counters.response_bytes += len(reply.body)
        return reply

    async def _take_in(self, reply: Reply, used: CpuUse | None) -> Observation:
        context, profile = self._context, self._profile
        work = partial(
            observe,
            profile.kind,
            reply,
            window=self.window,
            previous=profile.latest,
            used=used,
            max_bytes=context.settings.limits.inflated_bytes,
        )
        observation = await run_in_thread(work, len(reply.body))
        profile.record(observation)
        context.keep(profile.kind.name, reply)
        self.counters.succeeded(reply.asked_at, reply.phases)
        context.state.learn(profile, observation, reply.phases, context.clock.now())
        return observation
