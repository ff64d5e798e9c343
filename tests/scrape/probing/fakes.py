"""Probes of a target that answers what it is told, under a clock that moves when told."""

from __future__ import annotations

import asyncio
from random import Random

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.config import Limits, Probing, Settings
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.probing import ProbeAnswer, Prober
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.store import Store
from pprof_exporter.supervision import Supervisor
from tests.scrape.fakes import FakeClock, FakeFetcher


class PatientFetcher(FakeFetcher):
    """Gives up when its patience is over, and remembers the windows that it was asked for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.windows: list[float] = []

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        if url.name == "profile":
            self.windows.append(window)
        began = self.clock.time
        asking = asyncio.ensure_future(super().get(url, query=query, timeout=timeout, window=window, excerpt=excerpt))
        sleeping = asyncio.ensure_future(self.clock.sleep(timeout + window))
        try:
            await asyncio.wait({asking, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            asking.cancel()
        if not asking.done() or asking.cancelled():
            raise FetchError(Reason.TIMEOUT_HEADER, f"no reply after {self.clock.time - began:g} s")
        return asking.result()


def settings_of(probing: Probing | None = None) -> Settings:
    """Default settings without targets."""
    return Settings((), default_profiles(), limits=Limits(16, 16), probing=probing or Probing())


def prober_of(
    clock: FakeClock, fetcher: FakeFetcher, probing: Probing | None = None, *, supervisor: Supervisor | None = None
) -> Prober:
    """A prober with default settings, whose epochs are in memory."""
    settings = settings_of(probing)
    store, limiter = Store.open(None, clock.time), FetchLimiter(settings.limits)
    return Prober(
        settings,
        fetcher=fetcher,
        limiter=limiter,
        clock=clock,
        random=Random(1),
        store=store,
        supervisor=supervisor,
    )


async def probe(
    clock: FakeClock, prober: Prober, target: str = "shop:6060", *, module: str = "default", timeout: float = 9.5
) -> ProbeAnswer:
    """Probe, while time passes until the deadline. Raises what the probe raises."""
    asking = asyncio.create_task(prober.probe(prober.read(target, module), timeout))
    await clock.advance(timeout)
    assert asking.done()
    return asking.result()
