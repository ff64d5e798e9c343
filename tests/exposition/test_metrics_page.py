"""The page says what the client library would say of the same state, and does not make anew what has not changed."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.catalog import Reason
from pprof_exporter.config import parse_target
from pprof_exporter.exposition import ConfigState, ExporterCollector, ExpositionPage, PprofCollector
from pprof_exporter.exposition.fleet_series import FleetSeries
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.target import context
from tests.lab.prometheus import check_metrics
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of, settings

Read = Callable[[str], Iterable[Any]]

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FORMATS: list[tuple[str, Read]] = [(TEXT, read_text), (OPENMETRICS, read_openmetrics)]
MANY = 200


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    odd = parse_target("odd:1", labels={"note": 'a "quoted" \\ back\nslash — µ'})
    pool = pool_of(clock, fetcher, odd, "shop:1", "gone:1")
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    await clock.advance(130)
    yield pool
    await pool.close(0)


@pytest.fixture
async def large(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    """More targets than are rendered when the page is asked for; all of them are down, which is quick."""
    for number in range(MANY):
        fetcher.faults[f"shop-{number}:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    pool = pool_of(clock, fetcher, *(f"shop-{number}:1" for number in range(MANY)))
    await clock.advance(35)
    yield pool
    await pool.close(0)


def registry(pool: Pool, clock: FakeClock, of: type[ExporterCollector] = ExporterCollector) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(of(pool, ConfigState(successful=True, loaded_at=5), clock))
    return made


@pytest.fixture
async def page(pool: Pool, clock: FakeClock) -> AsyncIterator[ExpositionPage]:
    page = ExpositionPage(registry(pool, clock), pool)
    yield page
    await page.close()


async def text_of(page: ExpositionPage, accept: str = TEXT, names: tuple[str, ...] = ()) -> str:
    reply = await page.reply(accept, names)
    plain = b"".join([piece async for piece in reply.plain()])
    assert gzip.decompress(reply.gzipped()) == plain
    assert reply.size == len(plain)
    return plain.decode()


def told(families: Iterable[Any]) -> dict[str, Any]:
    """Everything that a page says, whatever the order."""
    found: dict[str, Any] = {}
    for family in families:
        assert family.name not in found, "a family is one group"
        samples = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in family.samples}
        assert len(samples) == len(family.samples)
        found[family.name] = (family.type, family.documentation, samples)
    return found


@pytest.mark.parametrize(("accept", "read"), FORMATS, ids=["text", "openmetrics"])
async def test_the_page_says_what_the_client_library_says(
    page: ExpositionPage, pool: Pool, clock: FakeClock, accept: str, read: Read
) -> None:
    encode, content_type = choose_encoder(accept)
    expected = told(read(encode(registry(pool, clock, PprofCollector)).decode()))

    assert (await page.reply(accept)).content_type == content_type
    assert told(read(await text_of(page, accept))) == expected
    assert len(expected) > 40


async def test_openmetrics_ends_once_and_text_not_at_all(page: ExpositionPage) -> None:
    assert (await text_of(page, OPENMETRICS)).count("# EOF") == 1
    assert (await text_of(page, OPENMETRICS)).endswith("# EOF\n")
    assert "# EOF" not in await text_of(page)


async def test_a_registry_that_has_the_targets_too_says_nothing_twice(pool: Pool, clock: FakeClock) -> None:
    page = ExpositionPage(registry(pool, clock, PprofCollector), pool)

    assert told(read_text(await text_of(page)))["pprof_up"][2]
    await page.close()


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("pprof_up", "pprof_up"),
        ("pprof_fetches_total", "pprof_fetches"),
        ("pprof_fetches", "pprof_fetches"),
        ("pprof_fetch_duration_seconds_bucket", "pprof_fetch_duration_seconds"),
        ("pprof_fetch_duration_seconds", "pprof_fetch_duration_seconds"),
        ("pprof_exporter_targets", "pprof_exporter_targets"),
        ("pprof_exporter_loop_lag_seconds", "pprof_exporter_loop_lag_seconds"),
        ("pprof_exporter_loop_lag_seconds_sum", "pprof_exporter_loop_lag_seconds"),
    ],
)
async def test_a_name_brings_its_family_alone(page: ExpositionPage, name: str, family: str) -> None:
    assert list(told(read_text(await text_of(page, names=(name,))))) == [family]


async def test_a_name_that_is_none_brings_an_empty_page(page: ExpositionPage) -> None:
    assert await text_of(page, names=("nothing",)) == ""
    assert await text_of(page, OPENMETRICS, ("nothing",)) == "# EOF\n"


async def test_of_a_few_targets_the_page_shows_this_very_moment(
    page: ExpositionPage, pool: Pool, clock: FakeClock
) -> None:
    before = await text_of(page, names=("pprof_fetches_total",))
    await clock.advance(30)

    assert await text_of(page, names=("pprof_fetches_total",)) != before
    pool.apply(pool.settings)
    assert await text_of(page, names=("pprof_up",)) == ""


async def test_what_has_not_changed_is_not_made_anew(pool: Pool, clock: FakeClock) -> None:
    fleet = FleetSeries(pool)
    (before,) = await fleet.pieces()
    (again,) = await fleet.pieces()
    assert again is before

    await clock.advance(40)
    (later,) = await fleet.pieces()
    assert later is not before
    await fleet.close()


async def test_what_is_too_old_vanishes_although_nothing_else_changes(
    page: ExpositionPage, pool: Pool, clock: FakeClock
) -> None:
    for state in pool.states:
        state.revision = -1
    await text_of(page)
    clock.time += 3600

    assert "pprof_heap_inuse_bytes{" not in await text_of(page)


async def test_a_large_page_is_made_ahead_and_is_never_much_behind(large: Pool, clock: FakeClock) -> None:
    fleet = FleetSeries(large)
    first = await fleet.pieces()
    assert len(first) == 2
    await clock.advance(35)
    second = await fleet.pieces()

    assert all(now is not before for before, now in zip(first, second, strict=True))
    assert sum(piece.size for block in second for piece in block.values()) > 100 * MANY
    await fleet.close()


@pytest.mark.parametrize(("targets", "blocks"), [(0, 1), (64, 1), (65, 2), (256, 2), (257, 4), (1000, 8)])
async def test_few_targets_are_one_block_and_more_are_in_blocks_of_up_to_128(
    clock: FakeClock, fetcher: FakeFetcher, targets: int, blocks: int
) -> None:
    pool = pool_of(clock, fetcher)
    pool.apply(settings(*(f"shop-{number}:1" for number in range(targets))))
    await clock.advance(1)
    assert len(pool.states) == targets
    fleet = FleetSeries(pool)
    assert len(await fleet.pieces()) == blocks
    await fleet.close()
    await pool.close(0)


async def test_every_target_of_a_large_pool_is_shown_once_and_goes_when_it_goes(large: Pool, clock: FakeClock) -> None:
    page = ExpositionPage(registry(large, clock), large)

    async def shown() -> list[str]:
        return sorted(dict(labels)["target"] for _, labels in told(read_text(await text_of(page)))["pprof_up"][2])

    assert await shown() == sorted(f"shop-{number}:1" for number in range(MANY))
    large.apply(settings(*(f"shop-{number}:1" for number in range(50, MANY))))
    await clock.advance(25)
    assert await shown() == sorted(f"shop-{number}:1" for number in range(50, MANY))
    await page.close()


async def test_two_who_ask_at_once_get_the_same(large: Pool) -> None:
    fleet = FleetSeries(large)
    one, two = await asyncio.gather(fleet.pieces(), fleet.pieces())

    assert all(mine is yours for mine, yours in zip(one, two, strict=True))
    await fleet.close()


async def test_nothing_is_made_ahead_once_nobody_asks(large: Pool, clock: FakeClock) -> None:
    fleet = FleetSeries(large)
    await fleet.pieces()
    await clock.advance(330)

    assert fleet._ahead is not None
    assert fleet._ahead.done()
    assert len(await fleet.pieces()) == 2
    await fleet.close()


async def test_families_keep_their_order(page: ExpositionPage) -> None:
    def order(text: str) -> list[str]:
        return [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]

    first = order(await text_of(page))
    assert order(await text_of(page)) == first
    assert all(one != other for one, other in pairwise(sorted(first)))


@pytest.mark.lab
async def test_promtool_has_nothing_to_say(page: ExpositionPage) -> None:
    assert check_metrics(await text_of(page)) == ""


async def test_a_large_page_comes_although_the_event_loop_is_overloaded(large: Pool) -> None:
    """Each turn of the loop takes long; a page that did a millisecond in each would not come before a time-out."""
    turns = 0

    async def overload() -> None:
        nonlocal turns
        while True:
            turns += 1
            time.sleep(0.1)  # noqa: ASYNC251 - it is what overloads.
            await asyncio.sleep(0)

    fleet, others = FleetSeries(large), asyncio.ensure_future(overload())
    try:
        assert len(await fleet.pieces()) == 2
        assert turns < MANY / 5
    finally:
        others.cancel()
        await fleet.close()


@pytest.mark.parametrize("kind", ["of asyncio", "that decode"])
async def test_a_large_page_does_not_wait_for_other_threads(large: Pool, clock: FakeClock, kind: str) -> None:
    go_on = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(4))
    run = asyncio.to_thread if kind == "of asyncio" else context._DECODING.run
    # Something that takes long, for as many threads as decode or read files.
    busy = [asyncio.ensure_future(run(go_on.wait)) for _ in range(50)]
    page = ExpositionPage(registry(large, clock), large)
    try:
        assert "pprof_up{" in await asyncio.wait_for(text_of(page), 30)
    finally:
        go_on.set()
        await page.close()
        await asyncio.gather(*busy)


async def test_a_target_whose_series_cannot_be_written_for_an_error_of_ours_hides_no_other(
    pool: Pool, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = TargetSeries.add
    first = pool.states[0].target.name

    def surprise(series: TargetSeries) -> float:
        if series._state.target.name == first:
            raise ZeroDivisionError
        return add(series)

    monkeypatch.setattr(TargetSeries, "add", surprise)
    page = ExpositionPage(registry(pool, clock), pool)
    text = b"".join([piece async for piece in (await page.reply("")).plain()]).decode()
    assert first not in text
    assert len(pool.states) > 1
    assert all(f'target="{state.target.name}"' in text for state in pool.states[1:])
    assert pool.internal_errors == 1
    await page.close()
