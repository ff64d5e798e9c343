"""A fetcher that really connects, and an authority for its certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.scrape import Fetcher
from tests.scrape.client.servers import Certificates
from tests.scrape.fakes import FakeClock


@pytest.fixture
def fetcher(clock: FakeClock) -> Fetcher:
    return Fetcher(clock, max_bytes=100_000)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)
