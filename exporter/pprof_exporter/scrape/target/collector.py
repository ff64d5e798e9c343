"""A collector fetches one thing from a target when it is due: the base class, the index page, and profiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.vocabulary import INDEX
from pprof_exporter.profile import DecodeError, read_index, read_mutex_rate
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.identity.process import ProcessEvidence
from pprof_exporter.scrape.intake import index_evidence, profile_evidence
from pprof_exporter.scrape.state.counters import FetchCounters
from pprof_exporter.scrape.state.cpu_time import CpuUse
from pprof_exporter.scrape.state.handler_delay import HandlerDelay
from pprof_exporter.scrape.state.observation import observe
from pprof_exporter.scrape.state.target_state import ProfileState
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.guards import goroutines_stop_the_world, heap_records_take_long


class Collector(ABC):
    """Fetches `name` every `interval` seconds. `path` is the row of the index page that must list it."""

    name: str
    path: str
    interval: float
    window: float = 0
    """Seconds that the profile runs in the target. A caller with less time shortens it before a run."""
    concurrent = False
    """Whether it runs so long that cheap collectors must not wait for it."""
    heavy = False
    """Whether it costs the target more than the request itself."""

    @property
    def waits(self) -> bool:
        """Whether the next fetch waits so long for its handler that other collectors go on meanwhile."""
        return False

    @property
    def handler_window(self) -> float:
        """Seconds that its handler is known to sleep before it answers."""
        return 0

    @property
    def unclear(self) -> bool:
        """Whether another fetch would show if the handler hangs or sleeps before it answers."""
        return False

    def __init__(self, context: TargetContext) -> None:
        self._context = context

    @property
    def counters(self) -> FetchCounters:
        """The counters of `name`."""
        return self._context.state.counters[self.name]

    def would_harm(self) -> bool:
        """Whether the target is so large that this fetch would stop it for long."""
        return False

    def is_needed(self) -> bool:
        """Whether a fetch would tell something that nothing cheaper tells."""
        return True

    async def resolve_doubt(self, evidence: ProcessEvidence) -> None:
        """Read the start time of the process if only that tells whether a reply came from another one."""
        state, tracker = self._context.state, self._context.state.identity.process
        if not tracker.doubts(evidence):
            return
        known, confirmed = state.processes, tracker.starts_confirmed
        await self._context.read_process(since=evidence.at)
        if state.processes == known and tracker.starts_confirmed > confirmed:
            tracker.excuse(evidence)

    @abstractmethod
    async def run(self) -> None:
        """Fetch once and hand the result to the intake. Raises `FetchError` and `DecodeError`."""


class IndexCollector(Collector):
    """The index page: whether the target is up, and which profiles it has."""

    name = INDEX
    path = ""

    def __init__(self, context: TargetContext) -> None:
        super().__init__(context)
        self.interval = context.settings.index_interval

    async def run(self) -> None:
        """Fetch and read the page."""
        context = self._context
        async with context.slot():
            reply = await context.get("")
        context.intake.received(INDEX, reply.size)
        index = read_index(reply.body)
        await self.resolve_doubt(index_evidence(index, reply.asked_at))
        context.intake.index(index, reply.asked_at, reply.phases)


class ProfileCollector(Collector):
    """A profile: a snapshot, totals since the start, or a window."""

    def __init__(self, context: TargetContext, profile: ProfileState) -> None:
        super().__init__(context)
        self._profile = profile
        settings = context.settings.profiles[profile.kind.name]
        self.window = settings.window if profile.kind.window else 0
        self.name = profile.kind.name
        self.path = profile.kind.path
        self.interval = settings.interval
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

    @property
    def delay(self) -> HandlerDelay | None:
        """What is known of a handler that sleeps; None for a profile with a window of its own."""
        return self._context.state.delays.by_profile.get(self.name)

    @property
    def waits(self) -> bool:
        """Whether its handler sleeps, or may do so, or a longer try is due."""
        delay = self.delay
        return delay is not None and (delay.window > 0 or delay.patience > 0 or delay.wants_longer)

    @property
    def handler_window(self) -> float:
        """Seconds that its handler is known to sleep before it answers."""
        return self.delay.window if self.delay is not None else 0

    @property
    def unclear(self) -> bool:
        """Whether the latest fetch timed out, or took longer than the timeout for the first time."""
        return self.delay is not None and self.delay.unclear

    async def run(self) -> None:
        """Fetch, decode and check the profile."""
        long = bool(self.window) or self.waits
        async with self._context.slot(window=long, heavy=self.heavy or long):
            reply = await self.fetch()
        await self._take_in(reply, None)

    async def fetch(self) -> Reply:
        """The reply of the target; the caller holds a slot. Raises `FetchError`."""
        kind = self._profile.kind
        reply = await self._get(kind.query(self.window))
        self._context.intake.received(self.name, reply.size)
        return reply

    async def _get(self, query: Mapping[str, str]) -> Reply:
        """Ask with the patience that the handler needs, and learn from how long it takes."""
        context, delay = self._context, self.delay
        if delay is None:
            return await context.get(self.path, query=query, window=self.window)
        state, timeout = context.state, context.settings.timeout
        attempt = delay.attempt(timeout, others_answer=bool(state.up) and not state.wedge.hangs.get(INDEX))
        began = context.clock.steady()
        try:
            reply = await context.get(self.path, query=query, window=attempt.window, extra=attempt.extra)
        except FetchError as error:
            if error.reason is Reason.TIMEOUT_HEADER:
                delay.timed_out()
            raise
        took = context.clock.steady() - began - reply.held_back
        delay.answered(took, state.usual_latency(self.name), timeout=timeout)
        if delay.supposed:
            reply = replace(reply, phases=reply.phases.without(delay.supposed))
        return reply

    async def _take_in(self, reply: Reply, used: CpuUse | None) -> None:
        context, profile = self._context, self._profile
        observation = await context.decode_reply(
            reply,
            lambda limit: observe(
                profile.kind, reply, window=self.window, previous=profile.latest, used=used, max_bytes=limit
            ),
        )
        await self.resolve_doubt(profile_evidence(profile.kind, observation))
        context.hold_raw(profile.kind.name, reply)
        context.intake.profile(profile, observation, reply.phases)


class MutexCollector(ProfileCollector):
    """The mutex profile. An empty one is fetched as text too: three lines, one of which states the sampling rate."""

    async def run(self) -> None:
        """Fetch, decode and check the profile, and find out whether mutex profiling is on."""
        await super().run()
        latest = self._profile.latest
        if latest is None or latest.samples:
            return
        delay = self.delay
        window, extra = (delay.window, delay.patience) if delay is not None else (0, 0)
        try:
            async with self._context.slot(window=bool(window or extra)):
                reply = await self._context.get(self.path, query={"debug": "1"}, window=window, extra=extra)
            rate = read_mutex_rate(reply.body)
        except ExporterExhausted:
            return
        except (FetchError, DecodeError):
            rate = None
        self._context.intake.mutex_rate(rate)
