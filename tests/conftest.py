"""What all tests share: a tool that cannot be had skips a test with its reason, and fails it on CI."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from tests.lab import Missing

RECORDINGS = Path(__file__).parent / "recordings"


# The default draws tracebacks in colour, which takes seconds each.
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


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
