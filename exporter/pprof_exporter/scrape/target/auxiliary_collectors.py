"""Looks at a target that bring no profile: the canary, the memory statistics, and the printed stacks."""

from __future__ import annotations

from pprof_exporter.catalog.vocabulary import CANARY, MEMSTATS, STACKS
from pprof_exporter.config import ProfileSettings
from pprof_exporter.profile import KINDS, read_dump, read_memstats
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext, run_in_thread
from pprof_exporter.scrape.target.guards import too_many_to_print

# Neither reads anything but what is there already: no lock of the scheduler, no stop of the world.
_CHEAP = "cmdline"
_WITHOUT_MODULES = "threadcreate"

_CANARY_EVERY = 30.0
_MEMSTATS_EVERY = 300.0
_STACKS_EVERY = 600.0


def default_profiles() -> dict[str, ProfileSettings]:
    """Interval and window of everything that is looked at besides the index page, by name."""
    kinds = {name: ProfileSettings(kind.interval, kind.window) for name, kind in KINDS.items()}
    return kinds | {
        CANARY: ProfileSettings(_CANARY_EVERY),
        MEMSTATS: ProfileSettings(_MEMSTATS_EVERY),
        STACKS: ProfileSettings(_STACKS_EVERY, enabled=False),
    }


async def time_canary(context: TargetContext) -> None:
    """Time one cheap request; one that was not answered is counted, and is nothing more."""
    state = context.state.canary
    during = state.during
    try:
        reply = await context.fetcher.get(context.target.url.joinpath(_CHEAP), timeout=context.settings.timeout)
    except FetchError:
        state.fail(during)
        return
    # A window that began or ended meanwhile makes it neither the one nor the other.
    if state.during is during:
        state.record(during, reply.phases.total)
        context.state.identity.observe(f"canary_duration_seconds:{during}", reply.phases.total)


class CanaryCollector(Collector):
    """The canary, and threadcreate in the form that lists no modules."""

    name = CANARY
    path = _WITHOUT_MODULES

    def __init__(self, context: TargetContext) -> None:
        self._context = context
        self.interval = context.settings.profiles[CANARY].interval
        self.counters = context.state.canary.counters

    async def run(self) -> None:
        """Time both."""
        context = self._context
        async with context.place():
            await time_canary(context)
            reply = await context.fetcher.get(
                context.target.url.joinpath(_WITHOUT_MODULES), query={"debug": "1"}, timeout=context.settings.timeout
            )
        context.state.canary.without_modules = reply.phases.total
        listing = context.state.profiles.get(_WITHOUT_MODULES)
        if listing is not None and listing.latest is not None:
            difference = listing.latest.took - reply.phases.total
            context.state.identity.observe("latency_difference_seconds:modules", difference)
        self.counters.response_bytes += len(reply.body)
        self.counters.succeeded(reply.asked_at, reply.phases)


class MemStatsCollector(Collector):
    """heap?debug=1, which stops the world for a moment (runtime.MemStatsCollector), and so comes seldom."""

    name = MEMSTATS
    path = "heap"
    heavy = True

    def __init__(self, context: TargetContext) -> None:
        self._context = context
        self.interval = context.settings.profiles[MEMSTATS].interval
        self.counters = context.state.pauses.counters

    async def run(self) -> None:
        """Fetch the text and note what its end says."""
        context = self._context
        async with context.place(heavy=True):
            reply = await context.fetcher.get(
                context.target.url.joinpath("heap"), query={"debug": "1"}, timeout=context.settings.timeout
            )
        self.counters.response_bytes += len(reply.body)
        found = await run_in_thread(lambda: read_memstats(reply.body), len(reply.body))
        context.state.pauses.record(found, reply.asked_at)
        self.counters.succeeded(reply.asked_at, reply.phases)


class StacksCollector(Collector):
    """goroutine?debug=2, which stops the world until it is printed: only if it is asked for, and not of many."""

    name = STACKS
    path = "goroutine"
    heavy = True

    def __init__(self, context: TargetContext) -> None:
        self._context = context
        self.interval = context.settings.profiles[STACKS].interval
        self.counters = context.state.stacks.counters

    def would_harm(self) -> bool:
        """See `guards`."""
        return too_many_to_print(self._context.state.index)

    async def run(self) -> None:
        """Fetch the text, and note who created goroutines and for how long they wait."""
        context = self._context
        async with context.place(heavy=True):
            reply = await context.fetcher.get(
                context.target.url.joinpath("goroutine"), query={"debug": "2"}, timeout=context.settings.timeout
            )
        self.counters.response_bytes += len(reply.body)
        dump = await run_in_thread(lambda: read_dump(reply.body), len(reply.body))
        context.state.stacks.record(dump, reply.asked_at)
        self.counters.succeeded(reply.asked_at, reply.phases)
