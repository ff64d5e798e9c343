"""A changed file is noticed, also when another takes its place; one that is away for a moment is not a change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pprof_exporter.cli.watch_file import watch_file
from tests.scrape.fakes import FakeClock, settle


class Watch:
    """A file that is watched, and how often it changed."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.changes = path, FakeClock(), 0

    def changed(self) -> None:
        self.changes += 1

    async def later(self) -> int:
        await self.clock.advance(10)
        return self.changes


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    path = tmp_path / "config.yaml"
    path.write_text("a")
    watch = Watch(path)
    task = asyncio.create_task(watch_file(path, watch.clock, watch.changed))
    await settle()
    yield watch
    task.cancel()


async def test_a_file_that_stays_is_no_change(watch: Watch) -> None:
    assert await watch.later() == 0


async def test_each_change_is_told_once(watch: Watch) -> None:
    watch.path.write_text("ab")
    assert await watch.later() == 1
    assert await watch.later() == 1


async def test_a_file_put_in_its_place_is_a_change(watch: Watch) -> None:
    other = watch.path.with_suffix(".new")
    other.write_text("b")
    other.replace(watch.path)
    assert await watch.later() == 1


async def test_a_file_that_is_away_for_a_moment_is_no_change(watch: Watch) -> None:
    away = watch.path.with_suffix(".away")
    watch.path.rename(away)
    assert await watch.later() == 0
    away.rename(watch.path)
    assert await watch.later() == 0
