"""Collectors without a profile: the canary, the memory statistics, and the printed stacks."""

from __future__ import annotations

from pprof_exporter.catalog import UNANSWERED
from pprof_exporter.catalog.vocabulary import CANARY, MEMSTATS, STACKS
from pprof_exporter.config import ProfileSettings
from pprof_exporter.profile import KINDS, DecodeError, check_cmdline, check_threads, read_dump, read_memstats
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext, run_in_thread
from pprof_exporter.scrape.target.guards import too_many_to_print

# Neither takes a lock of the scheduler or stops the world: both return existing data.
_CHEAP = "cmdline"
_WITHOUT_MODULES = "threadcreate"

_CANARY_EVERY = 30.0
_MEMSTATS_EVERY = 300.0
_STACKS_EVERY = 600.0


def default_profiles() -> dict[str, ProfileSettings]:
    """Default interval and window of everything that is fetched besides the index page, by name."""
    kinds = {name: ProfileSettings(kind.interval, kind.window) for name, kind in KINDS.items()}
    return kinds | {
        CANARY: ProfileSettings(_CANARY_EVERY),
        MEMSTATS: ProfileSettings(_MEMSTATS_EVERY),
        STACKS: ProfileSettings(_STACKS_EVERY, enabled=False),
    }


async def time_canary(context: TargetContext) -> None:
    """Time one cheap request. An unanswered one is counted and raises nothing.

    A reply that pprof cannot have sent, such as a login page, is neither a latency of the target nor a failure of it.
    """
    state = context.state.canary
    during = state.during
    try:
        reply = await context.get(_CHEAP)
        check_cmdline(reply.body, reply.content_type)
    except (FetchError, DecodeError) as error:
        if error.reason in UNANSWERED:
            context.intake.canary(during, None)
        else:
            context.intake.no_canary()
        return
    # A request during which a window began or ended belongs to neither distribution.
    if state.during is during:
        context.intake.canary(during, reply.phases.total)


class _AuxiliaryCollector(Collector):
    """A collector whose interval is in the settings under its own name."""

    def __init__(self, context: TargetContext) -> None:
        super().__init__(context)
        self.interval = context.settings.profiles[self.name].interval


class CanaryCollector(_AuxiliaryCollector):
    """The canary, and threadcreate in the form that lists no modules."""

    name = CANARY
    path = _WITHOUT_MODULES

    async def run(self) -> None:
        """Time both requests."""
        context = self._context
        async with context.slot():
            await time_canary(context)
            reply = await context.get(_WITHOUT_MODULES, query={"debug": "1"})
        context.intake.received(CANARY, reply.body)
        check_threads(reply.body)
        context.intake.latency_without_modules(reply.asked_at, reply.phases)


class MemStatsCollector(_AuxiliaryCollector):
    """heap?debug=1. It stops the world for a moment (runtime.ReadMemStats), so its interval is long."""

    name = MEMSTATS
    path = "heap"
    heavy = True

    async def run(self) -> None:
        """Fetch the text and parse the MemStats at its end."""
        context = self._context
        async with context.slot(heavy=True):
            reply = await context.get("heap", query={"debug": "1"})
        context.intake.received(MEMSTATS, reply.body)
        memstats = await run_in_thread(lambda: read_memstats(reply.body), len(reply.body))
        context.intake.memstats(memstats, reply.asked_at, reply.phases)


class StacksCollector(_AuxiliaryCollector):
    """goroutine?debug=2. It stops the world until the text is written, so it is off by default and guarded."""

    name = STACKS
    path = "goroutine"
    heavy = True

    def would_harm(self) -> bool:
        """See `guards`."""
        return too_many_to_print(self._context.state.index)

    async def run(self) -> None:
        """Fetch the text and read which functions created goroutines, and how long these have waited."""
        context = self._context
        async with context.slot(heavy=True):
            reply = await context.get("goroutine", query={"debug": "2"})
        context.intake.received(STACKS, reply.body)
        dump = await run_in_thread(lambda: read_dump(reply.body), len(reply.body))
        context.intake.stacks(dump, reply.asked_at, reply.phases)
