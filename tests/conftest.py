"""What all tests share: a tool that cannot be had skips a test with its reason, and fails it on CI."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.lab import Missing
from tests.scrape.fakes import FakeClock, FakeFetcher

TESTS = Path(__file__).parent
RECORDINGS = TESTS / "recordings"
LAB = {TESTS / name for name in ("deploy", "e2e", "live", "zoo")}
"""Folders in which every test needs a tool from elsewhere. Single modules elsewhere carry the mark themselves."""
LONGEST = TESTS / "faults"
"""These tests take up to a minute each. They come first: the last process to end would have nothing beside it."""

settings.register_profile(
    "tests",
    deadline=None,  # An example takes as long as the machine takes.
    suppress_health_check=[HealthCheck.too_slow],  # The only health check that measures time.
    # On CI the same examples every time: a failure comes from the change, never from the draw. Elsewhere new ones.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("tests")


@pytest.fixture
def clock() -> FakeClock:
    """Time that moves when it is told to."""
    return FakeClock()


@pytest.fixture
def fetcher(clock: FakeClock) -> FakeFetcher:
    """A target that answers what it is told to."""
    return FakeFetcher(clock)


@pytest.fixture(autouse=True)
def _logs() -> Generator[None]:
    """Each test has logs of its own: a command that it runs sets them up for the whole process."""
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.parent != LONGEST)
    for item in items:
        if item.path.parent in LAB:
            item.add_marker("lab")
        if item.get_closest_marker("lab"):
            # Real programs on a machine that does something else at the wrong moment; the summary counts each rerun.
            item.add_marker(pytest.mark.flaky(reruns=1))


def _without(error: Missing) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"nothing may be skipped on CI: {error}", pytrace=False)
    pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    try:
        return (yield)
    except Missing as error:
        _without(error)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    try:
        return (yield)
    except Missing as error:
        _without(error)
        raise


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Replies that real programs gave, one folder per system and Go version (`tests/record`)."""
    return RECORDINGS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what went wrong at a first try, too: a second one hides nothing."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_sep("_", f"first try of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext[-6000:])
