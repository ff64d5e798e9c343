"""The life of one target: when to look at what, and what to do with what comes back."""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random

import structlog

from pprof_exporter.catalog import Outcome, Reason, Skip
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import KINDS, DecodeError, read_index
from pprof_exporter.scrape.clock import Clock
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.fetch import Fetcher, Reply
from pprof_exporter.scrape.limiter import Limiter
from pprof_exporter.scrape.observation import Observation, observe
from pprof_exporter.scrape.schedule import Backoff, Ticks
from pprof_exporter.scrape.state import INDEX, ProfileState, Tally, TargetState

# Below this size decoding takes about a millisecond, less than handing it to a thread and back can cost under load.
_DECODE_INLINE_BYTES = 16 * 1024

# An index page that is missing while a web server answers: single profiles may be mounted without it.
_INDEX_ONLY = frozenset({Reason.NOT_MOUNTED, Reason.HTML})


class TargetLoop:
    """Looks at one target until it is stopped. Nothing that the target does ends it."""

    def __init__(
        self,
        target: Target,
        settings: Settings,
        *,
        fetcher: Fetcher,
        limiter: Limiter,
        clock: Clock,
        random: Random,
    ) -> None:
        self._target = target
        self._settings = settings
        self._fetcher = fetcher
        self._limiter = limiter
        self._clock = clock
        kinds = tuple(kind for name, kind in KINDS.items() if settings.profiles[name].enabled)
        self.state = TargetState(target, kinds, settings.limits.functions)
        now = clock.steady()
        self._index_ticks = Ticks(f"{target.name}/{INDEX}", settings.index_interval, now=now)
        self._ticks = {
            kind.name: Ticks(f"{target.name}/{kind.name}", settings.profiles[kind.name].interval, now=now)
            for kind in kinds
        }
        self._backoffs = {kind.name: Backoff(settings.profiles[kind.name].interval, random) for kind in kinds}
        self._windows: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger().bind(target=target.name)

    def stop(self) -> None:
        """Let `run` end after the fetch that is under way."""
        self._stopping.set()

    async def run(self, delay: float = 0) -> None:
        """Look at the target after `delay` seconds, and then on every tick, until stopped or cancelled."""
        await self._wait(delay)
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                await self._round(group)
                due = min(self._index_ticks.due, *(ticks.due for ticks in self._ticks.values()))
                await self._wait(due - self._clock.steady())

    async def _wait(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    async def _round(self, group: asyncio.TaskGroup) -> None:
        """Everything that is due now, the index page first: it is cheap, and tells what else there is to fetch."""
        if self._index_ticks.due <= self._clock.steady():
            await self._look_at_index()
            self._advance(self._index_ticks, self.state.index_tally)
        for profile in self.state.profiles.values():
            ticks = self._ticks[profile.kind.name]
            if self._stopping.is_set() or ticks.due > self._clock.steady():
                continue
            if self._may_fetch(profile):
                if profile.kind.window:
                    # Beside the loop, so that the cheap looks go on meanwhile.
                    self._windows[profile.kind.name] = group.create_task(self._look_at_profile(profile))
                else:
                    await self._look_at_profile(profile)
            self._advance(ticks, profile.tally)

    def _advance(self, ticks: Ticks, tally: Tally) -> None:
        missed = ticks.advance(self._clock.steady())
        if missed:
            tally.skipped[Skip.LATE] += missed

    def _may_fetch(self, profile: ProfileState) -> bool:
        if self.state.index is not None and not self.state.index.lists(profile.kind.path):
            return False
        if not self.state.up and self.state.index_problem not in _INDEX_ONLY:
            profile.tally.skipped[Skip.TARGET_DOWN] += 1
            return False
        if self._backoffs[profile.kind.name].blocks(self._clock.steady()):
            profile.tally.skipped[Skip.BACKOFF] += 1
            return False
        running = self._windows.get(profile.kind.name)
        if running is not None and not running.done():
            profile.tally.skipped[Skip.LATE] += 1
            return False
        return True

    async def _look_at_index(self) -> None:
        state = self.state
        try:
            async with self._limiter.slot(self._target):
                reply = await self._fetcher.get(self._target.url, patience=self._settings.timeout)
            state.index_tally.response_bytes += len(reply.body)
            index = read_index(reply.body)
        except (FetchError, DecodeError) as error:
            state.index, state.index_problem = None, error.reason
            # Profiles that are mounted without an index page show by themselves that the target is up.
            if error.reason not in _INDEX_ONLY or not self._answered_lately():
                self._set_up(up=False)
            self._count_failure(INDEX, state.index_tally, error)
            return
        state.index, state.index_problem = index, None
        state.index_at = reply.asked_at
        state.index_tally.succeeded(reply.asked_at, reply.phases)
        self._set_up(up=True)

    async def _look_at_profile(self, profile: ProfileState) -> None:
        kind, tally = profile.kind, profile.tally
        window = self._settings.profiles[kind.name].window if kind.window else 0
        backoff = self._backoffs[kind.name]
        try:
            async with self._limiter.slot(self._target, window=bool(window)):
                reply = await self._fetcher.get(
                    self._target.url.joinpath(kind.path),
                    query=kind.query(window),
                    patience=self._settings.timeout,
                    window=window,
                )
            tally.response_bytes += len(reply.body)
            observation = await self._observe(profile, reply, window)
        except (FetchError, DecodeError) as error:
            backoff.failed(self._clock.steady())
            self._count_failure(kind.name, tally, error)
            return
        backoff.reset()
        profile.record(observation)
        tally.succeeded(reply.asked_at, reply.phases)
        self._set_up(up=True)

    async def _observe(self, profile: ProfileState, reply: Reply, window: float) -> Observation:
        work = partial(
            observe,
            profile.kind,
            reply,
            window=window,
            previous=profile.latest,
            max_bytes=self._settings.limits.inflated_bytes,
        )
        return work() if len(reply.body) <= _DECODE_INLINE_BYTES else await asyncio.to_thread(work)

    def _answered_lately(self) -> bool:
        horizon = self._clock.now() - 3 * self._settings.index_interval
        return any((profile.tally.last_success or 0) > horizon for profile in self.state.profiles.values())

    def _set_up(self, *, up: bool) -> None:
        if up == self.state.up:
            return
        if up:
            self._log.info("target is up")
            # What failed while the target went down or came up says nothing about the target of now.
            for backoff in self._backoffs.values():
                backoff.reset()
        self.state.up = up

    def _count_failure(self, profile: str, tally: Tally, error: FetchError | DecodeError) -> None:
        reason = error.reason
        if reason is Reason.BUSY:
            tally.outcomes[Outcome.BUSY] += 1
        else:
            tally.outcomes[Outcome.FAILURE] += 1
            failures = tally.decode_failures if isinstance(error, DecodeError) else tally.fetch_failures
            failures[reason] += 1
        problem = f"{reason}: {error.detail}"
        # A failure that goes on is one event, not one every cycle.
        report = self._log.debug if tally.last_problem.startswith(f"{reason}:") else self._log.warning
        tally.last_problem = problem
        report("fetch failed", profile=profile, reason=str(reason), detail=error.detail, advice=reason.advice)
