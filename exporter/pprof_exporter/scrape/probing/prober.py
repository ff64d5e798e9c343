"""All probes. The state between two probes is saved per target, for a limited number of targets and a limited time."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from random import Random

from pprof_exporter.catalog import ProbeResult
from pprof_exporter.clock import Clock
from pprof_exporter.config import ProbeModule, Settings, Target
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.probing.probe_client import ProbeClient
from pprof_exporter.scrape.probing.probe_history import ProbeHistory, ProbeRecord
from pprof_exporter.scrape.probing.probe_log import ProbeLog
from pprof_exporter.scrape.probing.probe_rounds import ProbeRounds
from pprof_exporter.scrape.probing.request import BadProbe, ProbeRequest, read_request
from pprof_exporter.scrape.probing.sockets import AddressGuard
from pprof_exporter.scrape.state.exporter_load import ExporterLoad
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.store import Store
from pprof_exporter.supervision import Supervisor


class Overloaded(Exception):
    """There are too many probes, or this one did not begin in time. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """The result of a probe: the state of its target, and its log."""

    state: TargetState
    log: ProbeLog


@dataclass(slots=True)
class _Known:
    """A probed target: its rounds, when it was last requested, and the running probe."""

    rounds: ProbeRounds
    used_at: float
    log: ProbeLog
    running: asyncio.Task[None] | None = None


class Prober:
    """Runs probes. Use inside a running event loop; `close` ends the running probes."""

    def __init__(  # noqa: PLR0913 - each is shared by the whole exporter
        self,
        settings: Settings,
        *,
        fetcher: Fetcher,
        limiter: FetchLimiter,
        clock: Clock,
        random: Random,
        store: Store,
        exporter_load: ExporterLoad | None = None,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.supervisor = supervisor or Supervisor(clock, random)
        self._fetcher = fetcher
        self._limiter = limiter
        self._clock = clock
        self._random = random
        self._store = store
        self._exporter_load = exporter_load
        self._known: OrderedDict[tuple[str, Target], _Known] = OrderedDict()
        self._settings = settings
        self._modules: dict[str, ProbeModule] = {}
        self.history = ProbeHistory(settings.probing.history)
        self.results: Counter[ProbeResult] = Counter()
        self.in_flight = 0
        self.apply(settings)

    @property
    def modules(self) -> dict[str, ProbeModule]:
        """Every module by its name."""
        return self._modules

    @property
    def target_count(self) -> int:
        """The number of targets with saved state."""
        return len(self._known)

    def apply(self, settings: Settings) -> None:
        """Apply a configuration. Targets of unchanged modules keep their counters."""
        old, self._modules = self._modules, settings.probing.modules_with(settings.profiles)
        common = replace(settings, targets=(), jobs=(), profiles={})
        staying = {name for name, module in self._modules.items() if old.get(name) == module}
        if common != replace(self._settings, targets=(), jobs=(), profiles={}):
            staying = set()
        self._settings = settings
        self.history.resize(settings.probing.history)
        for key in [key for key in self._known if key[0] not in staying]:
            del self._known[key]

    def read(self, target: str, module: str, service: str = "") -> ProbeRequest:
        """Read the parameters of a request. Raises `BadProbe`."""
        found = self._modules.get(module)
        if found is None:
            raise BadProbe(400, f"Unknown module; choose from {', '.join(sorted(self._modules))}.")
        return read_request(target, service, found, self._settings.probing.allowed)

    def timeout(self, request: ProbeRequest, scrape_timeout: float | None) -> float:
        """The seconds that a probe may take, so that it answers within the scrape timeout of Prometheus."""
        probing = self._settings.probing
        given = probing.timeout if scrape_timeout is None else scrape_timeout
        return min(request.module.timeout, given - min(probing.timeout_offset, given / 2))

    async def probe(self, request: ProbeRequest, timeout: float) -> ProbeAnswer:
        """Run a round of a target within `timeout` seconds. Simultaneous requests for a target share one round.

        Raises `Overloaded`.
        """
        deadline = self._clock.steady() + timeout
        known = self._known.get((request.module.name, request.target))
        if known is not None and known.running is not None:
            log = known.log
            await self._ends(known.running, deadline)
            if known.rounds.own_problem:
                raise _lacks(known.rounds.own_problem)
            if not known.rounds.answered:
                raise Overloaded("Another probe of this target is still running. Try again later.")
            return ProbeAnswer(known.rounds.state, log)
        if self.in_flight >= self._settings.probing.concurrency:
            # Before the target gets saved state, so that no other target loses its own.
            raise Overloaded(f"{self.in_flight} probes are running, the limit of probe.concurrency. Raise the limit.")
        return await self._begin(self._recall(request), request, deadline)

    async def close(self) -> None:
        """End the running probes."""
        running = [known.running for known in self._known.values() if known.running is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _begin(self, known: _Known, request: ProbeRequest, deadline: float) -> ProbeAnswer:
        began, clock = self._clock.now(), self._clock
        log = ProbeLog(clock)
        timeout = f"{deadline - clock.steady():.1f}s"
        log.info("probe", target=request.target.name, module=request.module.name, deadline=timeout)
        known.log = log
        known.running = asyncio.create_task(known.rounds.run(log, AddressGuard(request.rules), deadline))
        self.in_flight += 1
        try:
            if not await self._ends(known.running, deadline):
                known.running.cancel()
                log.warning("the deadline has passed")
                await asyncio.wait({known.running})
            if not known.running.cancelled():
                known.running.result()
        finally:
            # If the client has gone, no one waits for the round.
            known.running.cancel()
            known.running = None
            self.in_flight -= 1
        if known.rounds.own_problem:
            raise _lacks(known.rounds.own_problem)
        if not known.rounds.answered:
            raise Overloaded("The exporter is too busy: it had no time to fetch from the target.")
        state = known.rounds.state
        result = ProbeResult.UP if state.up else ProbeResult.DOWN
        reason = "" if state.up else str(state.index_problem or "")
        took = clock.now() - began
        log.info("done", result=str(result), took=f"{took:.3f}")
        self.history.add(
            ProbeRecord(
                self.history.next_number(),
                request.target.name,
                request.module.name,
                began,
                took,
                result,
                reason,
                log.text,
            )
        )
        return ProbeAnswer(state, log)

    async def _ends(self, task: asyncio.Task[None], deadline: float) -> bool:
        """Whether a task ends before the deadline."""
        sleeping = asyncio.ensure_future(self._clock.sleep(deadline - self._clock.steady()))
        try:
            await asyncio.wait({task, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
        return task.done()

    def _recall(self, request: ProbeRequest) -> _Known:
        """The saved state of a target; created if there is none."""
        key, now = (request.module.name, request.target), self._clock.steady()
        known = self._known.get(key)
        if known is None:
            self._forget(now)
            known = self._known[key] = _Known(self._rounds(request), now, ProbeLog(self._clock))
        known.used_at = now
        self._known.move_to_end(key)
        return known

    def _forget(self, now: float) -> None:
        """Make room for one more target: the least recently requested are removed first."""
        probing = self._settings.probing
        while self._known:
            oldest = next(iter(self._known))
            old = now - self._known[oldest].used_at > probing.forget_after
            if not old and len(self._known) < probing.targets:
                return
            del self._known[oldest]

    def _rounds(self, request: ProbeRequest) -> ProbeRounds:
        settings = replace(self._settings, targets=(), jobs=(), profiles=request.module.profiles)
        self._fetcher.expect(request.target.url)
        state = TargetState(request.target, settings, self._store, self._clock, exporter_load=self._exporter_load)
        client = ProbeClient(self._fetcher.bind(request.module.client), self._clock)
        return ProbeRounds(
            TargetContext(request.target, settings, client, self._limiter, self._clock, state), client, self._random
        )


def _lacks(problem: str) -> Overloaded:
    return Overloaded(f"The exporter itself has a problem, and does not know how the target is: {problem}.")
