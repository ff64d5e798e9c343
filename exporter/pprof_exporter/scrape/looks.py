"""Looks at a target that bring no profile: the canary, the memory statistics, and the printed stacks."""

from __future__ import annotations

from pprof_exporter.config import ProfileSettings
from pprof_exporter.profile import KINDS, read_dump, read_memstats
from pprof_exporter.scrape.errands import Errand, Tools, off_the_loop
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.guards import too_many_to_print
from pprof_exporter.scrape.names import CANARY, MEMSTATS, STACKS

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


async def time_canary(tools: Tools) -> None:
    """Time one cheap request; one that was not answered is counted, and is nothing more."""
    state = tools.state.canary
    during = state.during
    try:
        reply = await tools.fetcher.get(tools.target.url.joinpath(_CHEAP), patience=tools.settings.timeout)
    except FetchError:
        state.fail(during)
        return
    # A window that began or ended meanwhile makes it neither the one nor the other.
    if state.during is during:
        state.record(during, reply.phases.total)
        tools.state.identity.observe(f"canary_duration_seconds:{during}", reply.phases.total)


class TimeCanary(Errand):
    """The canary, and threadcreate in the form that lists no modules."""

    name = CANARY
    path = _WITHOUT_MODULES

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.interval = tools.settings.profiles[CANARY].interval
        self.tally = tools.state.canary.tally

    async def run(self) -> None:
        """Time both."""
        tools = self._tools
        async with tools.place():
            await time_canary(tools)
            reply = await tools.fetcher.get(
                tools.target.url.joinpath(_WITHOUT_MODULES), query={"debug": "1"}, patience=tools.settings.timeout
            )
        tools.state.canary.without_modules = reply.phases.total
        listing = tools.state.profiles.get(_WITHOUT_MODULES)
        if listing is not None and listing.latest is not None:
            difference = listing.latest.took - reply.phases.total
            tools.state.identity.observe("latency_difference_seconds:modules", difference)
        self.tally.response_bytes += len(reply.body)
        self.tally.succeeded(reply.asked_at, reply.phases)


class ReadMemStats(Errand):
    """heap?debug=1, which stops the world for a moment (runtime.ReadMemStats), and so comes seldom."""

    name = MEMSTATS
    path = "heap"
    heavy = True

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.interval = tools.settings.profiles[MEMSTATS].interval
        self.tally = tools.state.pauses.tally

    async def run(self) -> None:
        """Fetch the text and note what its end says."""
        tools = self._tools
        async with tools.place(heavy=True):
            reply = await tools.fetcher.get(
                tools.target.url.joinpath("heap"), query={"debug": "1"}, patience=tools.settings.timeout
            )
        self.tally.response_bytes += len(reply.body)
        found = await off_the_loop(lambda: read_memstats(reply.body), len(reply.body))
        tools.state.pauses.record(found, reply.asked_at)
        self.tally.succeeded(reply.asked_at, reply.phases)


class ReadStacks(Errand):
    """goroutine?debug=2, which stops the world until it is printed: only if it is asked for, and not of many."""

    name = STACKS
    path = "goroutine"
    heavy = True

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self.interval = tools.settings.profiles[STACKS].interval
        self.tally = tools.state.stacks.tally

    def would_harm(self) -> bool:
        """See `guards`."""
        return too_many_to_print(self._tools.state.index)

    async def run(self) -> None:
        """Fetch the text, and note who created goroutines and for how long they wait."""
        tools = self._tools
        async with tools.place(heavy=True):
            reply = await tools.fetcher.get(
                tools.target.url.joinpath("goroutine"), query={"debug": "2"}, patience=tools.settings.timeout
            )
        self.tally.response_bytes += len(reply.body)
        dump = await off_the_loop(lambda: read_dump(reply.body), len(reply.body))
        tools.state.stacks.record(dump, reply.asked_at)
        self.tally.succeeded(reply.asked_at, reply.phases)
