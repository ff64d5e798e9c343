"""A whole exporter without a network whose targets are replaced without end, each with evidence and other functions.

    python -m tests.scrape.churn --rounds 400

prints the live objects after each tenth of the rounds: with ten targets a round, four thousand were replaced then.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import gzip
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from yarl import URL

from pprof_exporter.config import EvidenceSettings
from pprof_exporter.evidence.saving import FindingSummary, finding_record, save_finding
from pprof_exporter.evidence.service import EvidenceService
from pprof_exporter.evidence_store import EvidenceRetention, Origin, ProfileRole
from pprof_exporter.exposition.fleet_series import FleetSeries
from pprof_exporter.scrape import pool as pooling
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.store import EpochRetention, packed
from tests.proto import profile_pb2
from tests.scrape.fakes import RECORDED, FakeClock, FakeFetcher, pool_of, settings, settle

AT_ONCE = 10
SECONDS = 70.0
"""A round: each target is fetched from twice or thrice."""
KEPT = 30
"""Epochs, targets and findings that are kept: those of three rounds."""
_FUNCTIONS = 20


class RenamingFetcher(FakeFetcher):
    """Profiles in which every function has another name at each fetch."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.stamps = True
        self._message = profile_pb2.Profile.FromString(gzip.decompress((RECORDED / "heap.pb.gz").read_bytes()))
        del self._message.sample[_FUNCTIONS:]
        self._names = sorted({function.name for function in self._message.function})[:_FUNCTIONS]
        self._number = 0
        self._build = 0

    def restart(self) -> None:
        """A new release: its profiles have another build ID."""
        self._build += 1
        for mapping in self._message.mapping:
            self._message.string_table[mapping.build_id] = f"build-{self._build}".encode()

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        self._number += 1
        for place in self._names:
            self._message.string_table[place] = f"main.generated{self._number}_{place}".encode()
        self.bodies["heap"] = gzip.compress(self._message.SerializeToString(), 1)
        return await super().get(url, query=query, timeout=timeout, window=window, excerpt=excerpt)


@dataclass(frozen=True, slots=True)
class Churn:
    """The exporter."""

    clock: FakeClock
    pool: Pool
    evidence: EvidenceService
    fleet: FleetSeries

    async def replace(self, rounds: Iterable[int]) -> None:
        """Replace all targets in each round, and save evidence of each before it goes."""
        for number in rounds:
            names = [f"shop-{number}-{one}:1" for one in range(AT_ONCE)]
            self.pool.apply(settings(*names))
            await self.clock.advance(SECONDS)
            await self.fleet.pieces()
            for state in self.pool.states:
                about = FindingSummary(Origin.FINDING, "F5", "warning", "It is slow.", "PprofFetchSlow")
                bodies = self.evidence.raw_profiles.latest(state.target.name, frozenset({"heap"}))
                record = finding_record(state, about, self.clock.now())
                shows = [(body, ProfileRole.SHOWS) for body in bodies]
                assert await save_finding(self.evidence.evidence_store, None, record, shows) is not None

    async def live_objects(self) -> Counter[str]:
        """Live objects by type."""
        await settle()
        gc.collect()
        return Counter(type(one).__qualname__ for one in gc.get_objects())


@asynccontextmanager
async def churning(folder: Path) -> AsyncIterator[Churn]:
    """An exporter with statistics and evidence in this folder, and small bounds."""
    clock = FakeClock()
    service = await EvidenceService.open(folder / "evidence", EvidenceSettings(), clock)
    service.evidence_store._policy = EvidenceRetention(findings=KEPT)
    retention = EpochRetention(most=KEPT, targets=KEPT)
    fetcher = RenamingFetcher(clock)
    with patch.object(pooling, "EpochRetention", lambda: retention), patch.object(packed, "UNUSED_ROUNDS", 6):
        pool = pool_of(clock, fetcher, storage=folder / "epochs.sqlite", raw_profiles=service.raw_profiles)
        service.start(pool, pool._random)
        fleet = FleetSeries(pool)
        yield Churn(clock, pool, service, fleet)
        await fleet.close()
        await service.close()
        await pool.close(0)


async def main(rounds: int) -> None:
    """Print the live objects as targets are replaced."""
    with tempfile.TemporaryDirectory() as folder:
        async with churning(Path(folder)) as churn:
            before: Counter[str] = Counter()
            for tenth in range(10):
                await churn.replace(range(tenth * rounds // 10, (tenth + 1) * rounds // 10))
                now = await churn.live_objects()
                grown = ", ".join(f"{name} {count:+}" for name, count in (now - before).most_common(5))
                targets = (tenth + 1) * rounds // 10 * AT_ONCE
                print(f"{targets:7} targets {now.total():8} live objects; more: {grown if before else ''}", flush=True)
                before = now


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.scrape.churn", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="rounds of ten targets (%(default)s)")
    sys.exit(asyncio.run(main(parser.parse_args().rounds)))
