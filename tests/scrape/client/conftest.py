"""A fetcher that really connects, and an authority for its certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pprof_exporter.scrape import Fetcher
from tests.scrape.client.servers import Certificates
from tests.scrape.fakes import FakeClock


@pytest.fixture
async def fetcher(clock: FakeClock) -> AsyncIterator[Fetcher]:
    async with Fetcher(clock, max_bytes=100_000) as fetcher:
        yield fetcher


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)
