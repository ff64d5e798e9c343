"""Real Go programs, one of each version, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import go
from tests.lab.target import Target, running

FAST = """
global: {scrape_interval: 1s, scrape_timeout: 1s, profiling_budget: 1, defer_at_most: off}
profiles:
  cpu: {interval: 2s, window: 1s}
  heap: {interval: 1s}
  allocs: {interval: 1s}
  goroutine: {interval: 1s}
  goroutineleak: {interval: 1s}
  block: {interval: 1s}
  mutex: {interval: 1s}
  threadcreate: {interval: 1s}
"""


@pytest.fixture(scope="module", params=go.VERSIONS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A target built by each Go version."""
    with running(go.build(request.param)) as program:
        yield program


@pytest.fixture(scope="module")
def newest() -> Iterator[Target]:
    """A target built by the newest Go version."""
    with running(go.build(go.VERSIONS[-1])) as program:
        yield program


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration file under which everything happens every second."""
    path = tmp_path_factory.mktemp("config") / "fast.yaml"
    path.write_text(FAST)
    return path
