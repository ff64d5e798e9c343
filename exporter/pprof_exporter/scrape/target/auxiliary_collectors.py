"""Collectors without a profile: the canary, the memory statistics, and the printed stacks."""

from __future__ import annotations

from pprof_exporter.catalog import UNANSWERED, ReasonGroup
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.catalog.vocabulary import CANARY, MEMSTATS, STACKS
from pprof_exporter.profile import DecodeError, check_cmdline, check_threads, read_dump, read_memstats
from pprof_exporter.profile.memstats import HEAD_BYTES, TAIL_BYTES
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext, run_in_thread
from pprof_exporter.scrape.target.guards import too_many_to_print

# Neither takes a lock of the scheduler or stops the world: both return existing data.
_CHEAP = "cmdline"
_WITHOUT_MODULES = "threadcreate"

_MEMSTATS_EXCERPT = Excerpt(HEAD_BYTES, TAIL_BYTES)
# From here on PprofGcPressure asks for causes, two of which are in the text (rules/memory.py).
_GC_SHARE = THRESHOLDS_BY_NAME["gc_samples_avoidable"].value


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
        elif error.reason.group is not ReasonGroup.OWN:
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
        context.intake.received(CANARY, reply.size)
        check_threads(reply.body)
        context.intake.latency_without_modules(reply.asked_at, reply.phases)


class MemStatsCollector(_AuxiliaryCollector):
    """heap?debug=1.

    It stops the world for a moment (runtime.ReadMemStats) and writes all records of the heap profile as text, 720 KB in
    a large program. So its interval is long, and longer while the target's metrics page has the same figures. What only
    the text has is counted since the start (requested collections, CPU time, largest memory), or held for 256
    collections (pauses), and misses nothing by then.
    """

    name = MEMSTATS
    path = "heap"
    heavy = True

    def is_needed(self) -> bool:
        """Whether the interval is over, or the text is needed sooner than the metrics page leaves to wait.

        It names causes while garbage collection takes much, and is proof that the world can be stopped while the
        goroutine profile hangs.
        """
        state, settings = self._context.state, self._context.settings.profiles[self.name]
        share = state.gc.cpu.share
        if state.wedge.hangs.get("goroutine") or (share is not None and share > _GC_SHARE):
            return True
        return state.memstats.needs_fetch(self._context.clock.now(), settings)

    async def run(self) -> None:
        """Fetch the text and parse the MemStats at its end. The records before them are dropped as they come."""
        context = self._context
        async with context.slot(heavy=True):
            reply = await context.get("heap", query={"debug": "1"}, excerpt=_MEMSTATS_EXCERPT)
        context.intake.received(MEMSTATS, reply.size)
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
        context.intake.received(STACKS, reply.size)
        dump = await run_in_thread(lambda: read_dump(reply.body), len(reply.body))
        context.intake.stacks(dump, reply.asked_at, reply.phases)
