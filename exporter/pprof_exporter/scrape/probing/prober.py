"""All probes: what has to outlive each of them is kept by target, for as many targets and as long as is set."""

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
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.store import Store


class Overloaded(Exception):
    """There is no room for this probe, or it did not begin in time; the text says so in a sentence."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What a probe found: the state of its target, and its log."""

    state: TargetState
    log: ProbeLog


@dataclass(slots=True)
class _Known:
    """A target of probes, when it was last asked for, and the probe that runs."""

    rounds: ProbeRounds
    used_at: float
    log: ProbeLog
    running: asyncio.Task[None] | None = None


class Prober:
    """Use inside a running event loop; `close` ends the probes that run."""

    def __init__(
        self, settings: Settings, *, fetcher: Fetcher, limiter: FetchLimiter, clock: Clock, random: Random, store: Store
    ) -> None:
        self._fetcher = fetcher
        self._limiter = limiter
        self._clock = clock
        self._random = random
        self._store = store
        self._known: OrderedDict[tuple[str, Target], _Known] = OrderedDict()
        self._settings = settings
        self._modules: dict[str, ProbeModule] = {}
        self.history = ProbeHistory(settings.probing.history)
        self.results: Counter[ProbeResult] = Counter()
        self.in_flight = 0
        self.use(settings)

    @property
    def modules(self) -> dict[str, ProbeModule]:
        """Every module by its name."""
        return self._modules

    @property
    def targets(self) -> int:
        """Of how many targets something is kept."""
        return len(self._known)

    def use(self, settings: Settings) -> None:
        """Take over a configuration. Targets of modules that stay as they are keep their counters."""
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

    def timeout(self, asked: ProbeRequest, scrape_timeout: float | None) -> float:
        """For how many seconds a probe may go on, so that its reply comes before Prometheus gives up."""
        probing = self._settings.probing
        given = probing.timeout if scrape_timeout is None else scrape_timeout
        return min(asked.module.timeout, given - min(probing.timeout_offset, given / 2))

    async def probe(self, asked: ProbeRequest, timeout: float) -> ProbeAnswer:
        """Look at a target for at most `patience` seconds; who asks while that goes on shares it.

        Raises `Overloaded`.
        """
        deadline = self._clock.steady() + timeout
        known = self._known.get((asked.module.name, asked.target))
        if known is not None and known.running is not None:
            log = known.log
            await self._ends(known.running, deadline)
            if not known.rounds.answered:
                raise Overloaded("Another probe of this target is still running. Try again later.")
            return ProbeAnswer(known.rounds.state, log)
        if self.in_flight >= self._settings.probing.concurrency:
            # Before anything is kept of the target, so that others are not forgotten for its sake.
            raise Overloaded(f"{self.in_flight} probes are running, the limit of probe.concurrency. Raise the limit.")
        return await self._begin(self._recall(asked), asked, deadline)

    async def close(self) -> None:
        """End the probes that run."""
        running = [known.running for known in self._known.values() if known.running is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _begin(self, known: _Known, asked: ProbeRequest, deadline: float) -> ProbeAnswer:
        began, clock = self._clock.now(), self._clock
        log = ProbeLog(clock)
        timeout = f"{deadline - clock.steady():.1f}s"
        log.info("probe", target=asked.target.name, module=asked.module.name, deadline=timeout)
        known.log = log
        known.running = asyncio.create_task(known.rounds.run(log, AddressGuard(asked.rules), deadline))
        self.in_flight += 1
        try:
            if not await self._ends(known.running, deadline):
                known.running.cancel()
                log.warning("the deadline has passed")
                await asyncio.wait({known.running})
            if not known.running.cancelled():
                known.running.result()
        finally:
            # Whoever asked may have gone: then nobody waits for what still runs.
            known.running.cancel()
            known.running = None
            self.in_flight -= 1
        if not known.rounds.answered:
            raise Overloaded("The exporter is too busy: it had no time to fetch from the target.")
        state = known.rounds.state
        result = ProbeResult.UP if state.up else ProbeResult.DOWN
        reason = "" if state.up else str(state.index_problem or "")
        took = clock.now() - began
        log.info("done", result=str(result), took=f"{took:.3f}")
        self.history.add(
            ProbeRecord(
                self.history.next_number(), asked.target.name, asked.module.name, began, took, result, reason, log.text
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

    def _recall(self, asked: ProbeRequest) -> _Known:
        """What is kept of a target; something new if nothing is."""
        key, now = (asked.module.name, asked.target), self._clock.steady()
        known = self._known.get(key)
        if known is None:
            self._forget(now)
            known = self._known[key] = _Known(self._rounds(asked), now, ProbeLog(self._clock))
        known.used_at = now
        self._known.move_to_end(key)
        return known

    def _forget(self, now: float) -> None:
        """Make room for one more target: those that were not asked for in a long time go first."""
        probing = self._settings.probing
        while self._known:
            oldest = next(iter(self._known))
            old = now - self._known[oldest].used_at > probing.forget_after
            if not old and len(self._known) < probing.targets:
                return
            del self._known[oldest]

    def _rounds(self, asked: ProbeRequest) -> ProbeRounds:
        settings = replace(self._settings, targets=(), jobs=(), profiles=asked.module.profiles)
        state = TargetState(asked.target, settings, self._store, self._clock)
        client = ProbeClient(self._fetcher.of(asked.module.client), self._clock)
        return ProbeRounds(
            TargetContext(asked.target, settings, client, self._limiter, self._clock, state), client, self._random
        )
