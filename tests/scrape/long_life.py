"""A whole exporter without a network, whose targets stay and fail in every way for hours.

    python -m tests.scrape.long_life --hours 24

prints live objects, blocks of memory and bytes of the metrics page after each hour.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pprof_exporter.catalog import Reason, ReasonGroup
from pprof_exporter.config import EvidenceSettings
from pprof_exporter.evidence.service import EvidenceService
from pprof_exporter.exposition.fleet_series import FleetSeries
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from tests.scrape.churn import RenamingFetcher
from tests.scrape.fakes import FakeClock, failing, pool_of, settle

HOUR = 3600.0
NAMES = ("shop-0:1", "shop-1:1")
_CHANGES_EVERY = 60.0
_HEALTHY = 0.4
_RESTARTS = 0.02
_PATHS = ("", "heap", "allocs", "goroutine", "profile", "block", "mutex", "threadcreate", "metrics")
_REASONS = [reason for reason in Reason if reason.group is not ReasonGroup.OWN]


@dataclass(frozen=True, slots=True)
class Level:
    """What there is after some hours: live objects, blocks of memory, and bytes of the metrics page."""

    objects: int
    blocks: int
    page: int


@dataclass(slots=True)
class LongLife:
    """The exporter."""

    clock: FakeClock
    pool: Pool
    fetcher: RenamingFetcher
    fleet: FleetSeries
    random: Random

    async def live(self, hours: float) -> Level:
        """Let time pass in which each target does something else every minute."""
        page = 0
        for _ in range(round(hours * HOUR / _CHANGES_EVERY)):
            self._misbehave()
            await self.clock.advance(_CHANGES_EVERY)
            page = sum(piece.size for block in await self.fleet.pieces() for piece in block.values())
        await settle()
        gc.collect()
        return Level(len(gc.get_objects()), sys.getallocatedblocks(), page)

    def _misbehave(self) -> None:
        self.fetcher.faults.clear()
        if self.random.random() < _RESTARTS:
            self.fetcher.restart()
        for name in NAMES:
            if self.random.random() > _HEALTHY:
                path = self.random.choice(_PATHS)
                error = FetchError(self.random.choice(_REASONS), "as it happens")
                self.fetcher.faults[f"{name}/{path}" if path else name] = failing(error)


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[LongLife]:
    """An exporter with statistics and evidence in this folder. Evidence is kept for half an hour."""
    clock = FakeClock()
    service = await EvidenceService.open(folder / "evidence", EvidenceSettings(max_age=HOUR / 2, interval=600), clock)
    fetcher = RenamingFetcher(clock)
    pool = pool_of(clock, fetcher, *NAMES, storage=folder / "epochs.sqlite", raw_profiles=service.raw_profiles)
    service.start(pool, pool._random)
    fleet = FleetSeries(pool)
    yield LongLife(clock, pool, fetcher, fleet, Random(1))
    await fleet.close()
    await service.close()
    await pool.close(0)


async def main(hours: int) -> None:
    """Print what there is after each hour."""
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        async with living(Path(folder)) as life:
            for hour in range(1, hours + 1):
                print(f"{hour:4} h  {await life.live(1)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.scrape.long_life", description=__doc__)
    parser.add_argument("--hours", type=int, default=24, help="of simulated time (%(default)s)")
    sys.exit(asyncio.run(main(parser.parse_args().hours)))
