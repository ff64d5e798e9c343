"""What a loop does for a target when its time has come: one class for each way of looking."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pprof_exporter.catalog import Reason
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError, read_index
from pprof_exporter.scrape.bodies import Bodies
from pprof_exporter.scrape.clock import Clock
from pprof_exporter.scrape.fetch import Getter, Reply
from pprof_exporter.scrape.guards import goroutines_stop_the_world, heap_records_take_long
from pprof_exporter.scrape.limiter import Limiter
from pprof_exporter.scrape.observation import Observation, observe
from pprof_exporter.scrape.state import ProfileState, TargetState
from pprof_exporter.scrape.tally import Tally
from pprof_exporter.scrape.truth import CpuUse

# Below this size decoding takes about a millisecond, less than handing it to a thread and back can cost under load.
_INLINE_BYTES = 16 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tools:
    """What every errand for one target works with; `fetcher` asks with the target's client settings."""

    target: Target
    settings: Settings
    fetcher: Getter
    limiter: Limiter
    clock: Clock
    state: TargetState
    bodies: Bodies | None = None
    """Where raw profiles are kept for a while; None: nowhere."""

    def keep(self, kind: str, reply: Reply) -> None:
        """Keep the body of a reply that could be read."""
        if self.bodies is not None:
            self.bodies.keep(self.target.name, kind, reply.asked_at, reply.body)

    @contextlib.asynccontextmanager
    async def place(self, *, window: bool = False, heavy: bool = False) -> AsyncIterator[None]:
        """Wait for a place for a fetch, and count the time that a heavy one takes towards the budget."""
        async with self.limiter.slot(self.target, window=window):
            with self.state.budget.profiling() if heavy else contextlib.nullcontext():
                yield


class Errand(ABC):
    """Something to do for a target every `interval` seconds. `path` is the row of the index page that it needs."""

    name: str
    path: str
    interval: float
    tally: Tally
    window: float = 0
    """Seconds that it runs on purpose; whoever has less time makes it shorter before a run."""
    beside = False
    """Whether it takes so long that it runs beside the loop."""
    heavy = False
    """Whether it costs the target more than the request itself."""

    def would_harm(self) -> bool:
        """Whether the target is so large now that it would be stopped for long."""
        return False

    def came_up(self) -> None:  # noqa: B027 - most errands have learned nothing that a restart makes wrong
        """The target is up again."""

    @abstractmethod
    async def run(self) -> None:
        """Do it once. Raises `FetchError` and `DecodeError`."""


class ReadIndex(Errand):
    """The index page: whether the target is up, and which profiles it has."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.interval = tools.settings.index_interval

    async def run(self) -> None:
        """Fetch the page and note what it says."""
        tools, state = self._tools, self._tools.state
        async with tools.place():
            reply = await tools.fetcher.get(tools.target.url, patience=tools.settings.timeout)
        state.index_tally.response_bytes += len(reply.body)
        state.saw_index(read_index(reply.body), reply.asked_at)
        state.index_tally.succeeded(reply.asked_at, reply.phases)


class ReadProfile(Errand):
    """A profile of the moment, or of all time since the start."""

    def __init__(self, tools: Tools, profile: ProfileState) -> None:
        self._tools = tools
        self._profile = profile
        settings = tools.settings.profiles[profile.kind.name]
        self.window = settings.window if profile.kind.window else 0
        self.name = profile.kind.name
        self.path = profile.kind.path
        self.interval = settings.interval
        self.tally = profile.tally
        self.heavy = profile.kind.heavy

    def would_harm(self) -> bool:
        """See `guards`."""
        state = self._tools.state
        match self._profile.kind.name:
            case "goroutine":
                return goroutines_stop_the_world(state.index, state.identity.go)
            case "heap" | "allocs":
                return heap_records_take_long(state.index)
            case _:
                return False

    async def run(self) -> None:
        """Fetch, decode and judge the profile, and note what it says."""
        async with self._tools.place(window=bool(self.window), heavy=self.heavy):
            reply = await self.fetch()
        await self._take_in(reply, None)

    async def fetch(self) -> Reply:
        """The reply of the target, from within a place. Raises `FetchError`."""
        tools, kind = self._tools, self._profile.kind
        reply = await tools.fetcher.get(
            tools.target.url.joinpath(kind.path),
            query=kind.query(self.window),
            patience=tools.settings.timeout,
            window=self.window,
        )
        self.tally.response_bytes += len(reply.body)
        return reply

    async def _take_in(self, reply: Reply, used: CpuUse | None) -> Observation:
        tools, profile = self._tools, self._profile
        work = partial(
            observe,
            profile.kind,
            reply,
            window=self.window,
            previous=profile.latest,
            used=used,
            max_bytes=tools.settings.limits.inflated_bytes,
        )
        observation = await off_the_loop(work, len(reply.body))
        profile.record(observation)
        tools.keep(profile.kind.name, reply)
        self.tally.succeeded(reply.asked_at, reply.phases)
        tools.state.learn(profile, observation, reply.phases, tools.clock.now())
        return observation


async def off_the_loop(work: Callable[[], T], size: int) -> T:
    """Run work on a body of this size: in a thread, unless it is so small that it takes no time.

    Raises what the work raises, and `DecodeError` where there is not enough memory for it.
    """
    try:
        return work() if size <= _INLINE_BYTES else await asyncio.to_thread(work)
    except MemoryError as error:
        raise DecodeError(Reason.TOO_LARGE, f"not enough memory to read {size} bytes") from error
