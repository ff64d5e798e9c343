"""Replies take no more memory than is allowed for all of them, none waits for ever, and no wait is a latency."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import SystemClock
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client import bytes_in_flight
from pprof_exporter.scrape.client.body import Excerpt, ReplyBody
from pprof_exporter.scrape.client.bytes_in_flight import FREE_BYTES, BytesInFlight, Lease
from pprof_exporter.scrape.client.errors import FetchError, NoRoom
from pprof_exporter.scrape.client.phases import Stopwatch
from tests.scrape.client.test_fetcher import HEAD, sends, serving, until, whole

MIB = 2**20
LARGEST = 8 * MIB
INFLATED = 4 * MIB


def bound(allowed: int) -> BytesInFlight:
    """For so many MiB."""
    return BytesInFlight(allowed * MIB, wire=LARGEST, inflated=INFLATED)


async def receive(lease: Lease, size: int, most: list[int], budget: BytesInFlight, step: int = MIB) -> None:
    """Grow as a reply does, piece by piece, and end."""
    for _ in range(size // step):
        if not lease.grows(step):
            assert await lease.wait()
            assert lease.grows(step)
        most.append(budget.held)
        await asyncio.sleep(0)
    lease.release()


async def test_replies_together_take_no_more_than_allowed_and_each_of_them_ends() -> None:
    budget, most = bound(40), [0]
    async with asyncio.timeout(60):
        await asyncio.gather(*(receive(Lease(budget), LARGEST, most, budget) for _ in range(50)))
    assert 24 * MIB <= max(most) <= 40 * MIB
    assert (budget.held, budget.waiting) == (0, 0)


async def test_the_largest_reply_fits_even_if_less_is_allowed() -> None:
    budget, most = bound(1), [0]
    async with asyncio.timeout(60):
        await asyncio.gather(*(receive(Lease(budget), LARGEST, most, budget) for _ in range(3)))
    assert LARGEST - FREE_BYTES <= max(most) <= LARGEST + INFLATED


async def test_small_replies_never_wait_while_large_ones_do() -> None:
    budget = bound(1)
    large = Lease(budget)
    assert large.grows(LARGEST)
    assert not Lease(budget).grows(MIB)
    leases = [Lease(budget) for _ in range(100)]
    assert all(lease.grows(FREE_BYTES) for lease in leases)


async def test_those_that_wait_are_served_in_their_order() -> None:
    budget, served = bound(1), list[int]()
    first = Lease(budget)
    assert first.grows(LARGEST)

    async def one(number: int) -> None:
        lease = Lease(budget)
        await lease.wait()
        served.append(number)
        lease.release()

    waiting = [asyncio.create_task(one(number)) for number in range(5)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)
    assert not Lease(budget).grows(MIB), "a later one does not overtake those that wait"
    first.release()
    await asyncio.wait(waiting)
    assert served == [0, 2, 3, 4]
    assert budget.waiting == 0


async def test_what_inflates_to_much_does_so_one_at_a_time_within_the_bound() -> None:
    budget, most, inflated = bound(40), [0], 0

    async def one(size: int) -> None:
        nonlocal inflated
        lease = Lease(budget)
        for _ in range(size // MIB):
            if not lease.grows(MIB):
                assert await lease.wait()
                assert lease.grows(MIB)
            await asyncio.sleep(0)
        async with lease.inflating() as found:
            assert found
            most.append(budget.held)
            await asyncio.sleep(0)
            inflated += 1
        lease.release()

    async with asyncio.timeout(60):
        for _ in range(10):
            await asyncio.gather(*(one(size) for size in (LARGEST, LARGEST, MIB, MIB, 0, 0)))
    assert inflated == 60
    assert INFLATED <= max(most) <= 40 * MIB
    assert (budget.held, budget.waiting) == (0, 0)


async def test_who_waits_for_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytes_in_flight, "GIVE_UP_AFTER", 0.01)
    budget = bound(1)
    first, second = Lease(budget), Lease(budget)
    assert first.grows(LARGEST)
    assert not second.grows(LARGEST)
    assert not await second.wait()
    async with first.inflating() as found, second.inflating() as another:
        assert found
        assert not another
    assert budget.given_up == 2
    first.release()
    assert second.grows(LARGEST)
    async with second.inflating() as found:
        assert found
    assert (budget.held, budget.waiting) == (LARGEST - FREE_BYTES, 0)


async def test_a_lease_ends_with_its_last_reference_in_any_thread() -> None:
    budget = bound(1)
    held = [Lease(budget)]
    assert held[0].grows(LARGEST)
    gc.disable()
    try:
        thread = threading.Thread(target=held.clear)
        thread.start()
        thread.join()
        await until(lambda: budget.held == 0)
    finally:
        gc.enable()
    assert Lease(budget).grows(MIB)


async def test_other_bounds_hold_for_what_comes_next() -> None:
    budget = bound(1)
    first = Lease(budget)
    assert first.grows(LARGEST)
    budget.apply(100 * MIB, wire=LARGEST, inflated=INFLATED)
    assert Lease(budget).grows(MIB)
    first.release()


@given(st.lists(st.tuples(st.integers(1, LARGEST), st.integers(0, 3)), min_size=1, max_size=30), st.integers(1, 40))
def test_whatever_comes_and_goes_all_of_it_ends_within_the_bound(replies: list[tuple[int, int]], allowed: int) -> None:
    async def all_of_them() -> None:
        budget, most = bound(allowed), [0]

        async def one(size: int, pauses: int) -> None:
            for _ in range(pauses):
                await asyncio.sleep(0)
            reply = receive(Lease(budget), size, most, budget, step=max(1, size // 4))
            if pauses == 3:
                # Its target is removed meanwhile.
                task = asyncio.create_task(reply)
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait({task})
            else:
                await reply

        async with asyncio.timeout(60):
            await asyncio.gather(*(one(size, pauses) for size, pauses in replies))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert max(most) <= max(allowed * MIB, LARGEST + INFLATED)
        assert (budget.held, budget.waiting) == (0, 0)

    asyncio.run(all_of_them())


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(SystemClock(), max_bytes=4 * MIB, in_flight=BytesInFlight(1, wire=4 * MIB, inflated=1))


async def kind_of_failure(fetcher: Fetcher, url: URL) -> type[FetchError] | None:
    try:
        await fetcher.get(url, timeout=60)
    except FetchError as error:
        return type(error)
    return None


async def beside_a_full_memory(fetcher: Fetcher, request: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """The result of a request that has to wait for room for so long."""
    full = Lease(fetcher.in_flight)
    assert full.grows(4 * MIB)
    asking = asyncio.create_task(request)
    await until(lambda: fetcher.in_flight.waiting)
    await asyncio.sleep(seconds)
    assert not asking.done()
    full.release()
    return await asking


async def test_the_time_in_which_there_is_no_room_is_no_time_of_the_target(fetcher: Fetcher) -> None:
    async with serving(sends(whole(bytes(3 * MIB)))) as server:
        # The wait is longer than the timeout.
        reply = await beside_a_full_memory(fetcher, fetcher.get(server.url, timeout=0.5), 0.7)
    assert len(reply.body) == 3 * MIB
    assert reply.held_back >= 0.7
    assert reply.phases.total < 0.5
    assert fetcher.in_flight.waited >= 0.7


async def test_the_timeout_goes_on_where_it_stopped(fetcher: Fetcher) -> None:
    async with serving(sends(HEAD + b"Content-Length: 3000000\r\n\r\n" + bytes(2 * MIB))) as server:
        with pytest.raises(FetchError) as caught:
            await beside_a_full_memory(fetcher, fetcher.get(server.url, timeout=0.5), 0.7)
    assert caught.value.reason is Reason.TIMEOUT_BODY
    assert fetcher.in_flight.held == 0


async def test_a_reply_for_which_there_is_no_room_for_long_is_no_failure_of_the_target(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytes_in_flight, "GIVE_UP_AFTER", 0.01)
    full = Lease(fetcher.in_flight)
    assert full.grows(4 * MIB)
    async with serving(sends(whole(bytes(3 * MIB)))) as server:
        gc.collect()
        gc.disable()
        try:
            assert await kind_of_failure(fetcher, server.url) is NoRoom
            await asyncio.sleep(0)
            assert [left for left in gc.get_objects() if type(left) in (ReplyBody, Stopwatch, NoRoom)] == []
        finally:
            gc.enable()
    full.release()
    assert fetcher.in_flight.held == 0


async def test_a_server_that_ends_a_reply_which_nobody_read_has_not_cut_it(fetcher: Fetcher) -> None:
    cut = sends(HEAD + b"Content-Length: 3000000\r\n\r\n" + bytes(2 * MIB), close=True)
    async with serving(cut) as server:
        with pytest.raises(NoRoom):
            await beside_a_full_memory(fetcher, fetcher.get(server.url, timeout=60), 1.2)
        with pytest.raises(FetchError) as raised:
            await fetcher.get(server.url, timeout=60)
        assert raised.value.reason is Reason.TRUNCATED
    assert fetcher.in_flight.held == 0


async def test_of_a_reply_that_is_dropped_as_it_comes_nothing_is_counted(fetcher: Fetcher) -> None:
    async with serving(sends(whole(bytes(3 * MIB)))) as server:
        reply = await fetcher.get(server.url, timeout=60, excerpt=Excerpt(10, 10))
    assert reply.size == 3 * MIB
    assert fetcher.in_flight.held == 0


async def test_room_is_given_back_when_the_reply_is_gone(fetcher: Fetcher) -> None:
    async with serving(sends(whole(bytes(3 * MIB)))) as server:
        for _ in range(3):
            reply = await fetcher.get(server.url, timeout=60)
            assert fetcher.in_flight.held == 3 * MIB - FREE_BYTES
            del reply
            await asyncio.sleep(0)
            assert fetcher.in_flight.held == 0
