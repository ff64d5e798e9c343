"""What most tests here work with: time that moves when told, and a target that answers what it is told."""

from __future__ import annotations

import pytest

from tests.scrape.fakes import FakeClock, FakeFetcher


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fetcher(clock: FakeClock) -> FakeFetcher:
    return FakeFetcher(clock)
