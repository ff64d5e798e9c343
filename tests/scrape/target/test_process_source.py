"""The CPU time of a target comes from its own page, else from the system, and else is unknown."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import psutil
import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.config import MetricsPage, parse_target
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.state.cpu_time import CpuSource, CpuTime, CpuUse, use_between
from pprof_exporter.scrape.target import process_source
from pprof_exporter.scrape.target.local_process import LocalProcesses
from pprof_exporter.scrape.target.process_source import ProcessSource
from tests.scrape.fakes import MISSING, RECORDED, REFUSED, FakeClock, FakeFetcher, failing, settings

PAGE = (RECORDED / "metrics.txt").read_bytes()
WITHOUT_FAMILY = b"\n".join(line for line in PAGE.splitlines() if b"process_cpu" not in line) + b"\n"
TIMED_OUT = failing(FetchError(Reason.TIMEOUT_HEADER, "no answer"))
UNAVAILABLE = failing(FetchError(Reason.HTTP_5XX, "HTTP 503", 503))
REMOTE = "shop.example:6060"

BEFORE = CpuTime(10.0, 100.0, 50.0, CpuSource.METRICS)
AFTER = CpuTime(13.0, 105.0, 50.0, CpuSource.METRICS)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that this very process listens on, at every address."""
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    with socket.create_server(("", 0), family=family, dualstack_ipv6=both) as listening:
        yield listening.getsockname()[1]


def source_of(target: str, fetcher: FakeFetcher, family: str = "process_cpu_seconds_total") -> ProcessSource:
    chosen = replace(settings(target), cpu_time_metric=family)
    return ProcessSource(parse_target(target), chosen, fetcher, fetcher.clock)


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_the_use_is_the_difference_of_two_readings() -> None:
    assert use_between(BEFORE, AFTER, 5) == CpuUse(3.0, CpuSource.METRICS)


def test_what_lies_beyond_the_window_is_taken_off_in_proportion() -> None:
    use = use_between(BEFORE, replace(AFTER, at=106.0), 5)
    assert use is not None
    assert use.seconds == pytest.approx(3 * 5 / 6)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, AFTER),
        (BEFORE, None),
        (None, None),
        (BEFORE, replace(AFTER, source=CpuSource.PROCESS)),
        (BEFORE, replace(AFTER, started=104.0)),
        (BEFORE, replace(AFTER, started=None)),
        (BEFORE, replace(AFTER, seconds=9.9)),
        (BEFORE, replace(AFTER, at=104.9)),
    ],
    ids=["no first", "no second", "neither", "source", "restart", "start lost", "fewer seconds", "shorter than window"],
)
def test_readings_that_do_not_fit_each_other_tell_nothing(before: CpuTime | None, after: CpuTime | None) -> None:
    assert use_between(before, after, 5) is None


def test_no_use_at_all_is_known() -> None:
    assert use_between(BEFORE, replace(AFTER, seconds=10.0), 5) == CpuUse(0.0, CpuSource.METRICS)


async def test_the_page_tells(clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.cpu_seconds = 0.5
    reading = await source_of(REMOTE, fetcher).read()
    found = reading.cpu
    assert found is not None
    assert found.source is CpuSource.METRICS
    assert found.seconds == pytest.approx(0.5 * clock.time)
    assert found.at == clock.time
    assert found.started == pytest.approx(1.795e9, rel=0.001)
    assert reading.page is not None
    assert reading.page.go_version == "go1.27.3"


async def test_the_page_may_be_on_another_port(fetcher: FakeFetcher) -> None:
    fetcher.cpu_seconds = 0.5
    chosen = replace(settings(REMOTE), metrics_page=MetricsPage("/metrics", 8080))
    target = parse_target(REMOTE)
    found = (await ProcessSource(target, chosen, fetcher, fetcher.clock).read()).cpu
    assert found is not None
    assert found.source is CpuSource.METRICS
    assert fetcher.asked[f"{target.url.host}:8080/metrics"] == 1


async def test_a_family_of_the_users_choice_tells(fetcher: FakeFetcher) -> None:
    fetcher.bodies["metrics"] = PAGE + b'cpu_total{mode="user"} 3\ncpu_total{mode="system"} 4.5\n'
    found = (await source_of(REMOTE, fetcher, "cpu_total").read()).cpu
    assert found is not None
    assert found.seconds == 7.5


async def test_a_page_without_the_cpu_time_still_identifies_the_process(fetcher: FakeFetcher, port: int) -> None:
    fetcher.bodies["metrics"] = WITHOUT_FAMILY
    reading = await source_of(f"127.0.0.1:{port}", fetcher).read()
    assert reading.page is not None
    assert reading.page.go_version == "go1.27.3"
    assert reading.cpu is not None
    assert reading.cpu.source is CpuSource.PROCESS


@pytest.mark.parametrize("body", [b"# EOF\n", b"<html>welcome</html>", b"hello\n", b"\xff\xfe"])
async def test_a_page_that_does_not_tell_is_left_alone_for_ten_minutes(
    clock: FakeClock, fetcher: FakeFetcher, body: bytes
) -> None:
    fetcher.bodies["metrics"] = body
    reader = source_of(REMOTE, fetcher)
    assert (await reader.read()).cpu is None
    fetcher.bodies.clear()
    clock.time += 599
    assert (await reader.read()).cpu is None
    assert fetcher.asked["metrics"] == 1
    clock.time += 1
    assert (await reader.read()).cpu is not None
    assert fetcher.asked["metrics"] == 2


async def test_a_page_that_is_not_there_is_left_alone_for_ten_minutes(clock: FakeClock, fetcher: FakeFetcher) -> None:
    fetcher.faults["metrics"] = MISSING
    reader = source_of(REMOTE, fetcher)
    for _ in range(5):
        assert (await reader.read()).cpu is None
        clock.time += 60
    assert fetcher.asked["metrics"] == 1
    clock.time += 300
    assert (await reader.read()).cpu is None
    assert fetcher.asked["metrics"] == 2


@pytest.mark.parametrize("silence", [REFUSED, TIMED_OUT, UNAVAILABLE], ids=["refused", "slow", "unavailable"])
async def test_a_page_that_was_silent_for_a_moment_is_asked_again_at_once(
    fetcher: FakeFetcher, port: int, silence: Callable[[], Exception]
) -> None:
    reader = source_of(f"127.0.0.1:{port}", fetcher)
    assert (await reader.read()).cpu is not None
    for _ in range(5):
        for _ in range(2):
            fetcher.faults["metrics"] = silence
            # Nor is the process asked, which may be a proxy in front of the program.
            assert (await reader.read()).cpu is None
        fetcher.faults.clear()
        found = (await reader.read()).cpu
        assert found is not None
        assert found.source is CpuSource.METRICS


async def test_a_page_that_is_silent_three_times_in_a_row_is_left_alone_for_ten_minutes(
    clock: FakeClock, fetcher: FakeFetcher
) -> None:
    fetcher.faults["metrics"] = TIMED_OUT
    reader = source_of(REMOTE, fetcher)
    for _ in range(9):
        assert (await reader.read()).cpu is None
        clock.time += 60
    assert fetcher.asked["metrics"] == 3
    clock.time += 600
    fetcher.faults.clear()
    assert (await reader.read()).cpu is not None


async def test_after_the_target_came_up_everything_is_looked_for_again(fetcher: FakeFetcher, port: int) -> None:
    fetcher.faults["metrics"] = MISSING
    reader = source_of(f"127.0.0.1:{port}", fetcher)
    found = (await reader.read()).cpu
    assert found is not None
    assert found.source is CpuSource.PROCESS
    fetcher.faults.clear()
    reader.reset()
    found = (await reader.read()).cpu
    assert found is not None
    assert found.source is CpuSource.METRICS


async def test_without_a_page_the_system_tells_of_a_process_on_this_machine(fetcher: FakeFetcher, port: int) -> None:
    fetcher.faults["metrics"] = MISSING
    reader = source_of(f"127.0.0.1:{port}", fetcher)
    before = (await reader.read()).cpu
    burn(0.3)
    after = (await reader.read()).cpu
    assert before is not None
    assert after is not None
    assert before.source is after.source is CpuSource.PROCESS
    assert before.started == after.started == psutil.Process().create_time()
    assert 0.25 <= after.seconds - before.seconds < 3


async def test_a_port_that_nobody_listens_on_is_looked_for_three_times_and_again_after_ten_minutes(
    clock: FakeClock, fetcher: FakeFetcher, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher.faults["metrics"] = MISSING
    reader = source_of(f"127.0.0.1:{port}", fetcher)
    asked: list[bool] = []

    class Nobody:
        look_again_after = 0.0

        def known_owner(self, host: str, port: int) -> None:
            """Nothing was found before."""

        def owner(self, host: str, port: int, *, fresh: bool) -> None:
            asked.append(fresh)

    with monkeypatch.context() as patch:
        patch.setattr(process_source, "LOCAL_PROCESSES", LocalProcesses(clock, Nobody()))
        for _ in range(5):
            assert (await reader.read()).cpu is None
        assert asked == [False] * 3
        reader.reset()
        assert (await reader.read()).cpu is None
        assert asked == [*[False] * 3, True], "a target that came up has a process that was not there before"
        for _ in range(5):
            assert (await reader.read()).cpu is None
        assert asked == [*[False] * 3, True, False, False]
    clock.time += 599
    assert (await reader.read()).cpu is None
    clock.time += 1
    assert (await reader.read()).cpu is not None


async def test_what_the_system_does_not_tell_is_unknown(
    fetcher: FakeFetcher, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Denied:
        look_again_after = 0.0

        def known_owner(self, host: str, port: int) -> None:
            """Nothing was found before."""

        def owner(self, host: str, port: int, *, fresh: bool) -> None:
            raise psutil.AccessDenied

    monkeypatch.setattr(process_source, "LOCAL_PROCESSES", LocalProcesses(fetcher.clock, Denied()))
    fetcher.faults["metrics"] = MISSING
    assert (await source_of(f"127.0.0.1:{port}", fetcher).read()).cpu is None


async def test_a_process_on_another_host_is_not_taken_for_one_of_this_machine(fetcher: FakeFetcher, port: int) -> None:
    fetcher.faults["metrics"] = MISSING
    assert (await source_of(f"shop.example:{port}", fetcher).read()).cpu is None
    assert (await source_of(f"203.0.113.77:{port}", fetcher).read()).cpu is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "[::1]", "[0:0:0:0:0:0:0:1]"])
async def test_these_are_names_of_this_machine(fetcher: FakeFetcher, port: int, host: str) -> None:
    fetcher.faults["metrics"] = MISSING
    found = (await source_of(f"{host}:{port}", fetcher).read()).cpu
    assert found is not None
    assert found.source is CpuSource.PROCESS
