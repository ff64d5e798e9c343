"""What probes do as they come, one after the other and at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pprof_exporter.catalog import Outcome, ProbeResult, Reason, Skip, quality
from pprof_exporter.config import DEFAULT_CLIENT, BasicAuth, ClientSettings, ProbeModule, Probing, Secret, parse_target
from pprof_exporter.config.probe_settings import choose_profiles
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.probing import BadProbe, Overloaded, Prober
from pprof_exporter.store import Change
from tests.conftest import RECORDINGS
from tests.scrape.fakes import FakeClock, failing, settle, stamped
from tests.scrape.probing.fakes import PatientFetcher, probe, prober_of, settings_of

COLLECTED = {"cpu", "heap", "allocs", "goroutine", "block", "mutex", "threadcreate"}


@pytest.fixture
def fetcher(clock: FakeClock) -> PatientFetcher:
    return PatientFetcher(clock)


@pytest.fixture
def prober(clock: FakeClock, fetcher: PatientFetcher) -> Prober:
    return prober_of(clock, fetcher)


# One probe


async def test_one_probe_reads_everything_that_the_default_module_names(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    answer = await probe(clock, prober)
    assert answer.state.up is True
    assert {name for name, profile in answer.state.profiles.items() if profile.latest} == COLLECTED
    assert fetcher.windows == [5]
    assert (fetcher.asked[""], fetcher.asked["goroutineleak"], fetcher.asked["heap_debug1"]) == (1, 0, 0)


async def test_the_cheap_module_reads_the_index_page_alone(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    answer = await probe(clock, prober, module="cheap")
    assert answer.state.up is True
    assert set(fetcher.asked) == {"", "shop:6060/"}


async def test_a_target_that_does_not_answer_is_data(clock: FakeClock, fetcher: PatientFetcher, prober: Prober) -> None:
    fetcher.faults["shop:6060"] = failing(FetchError(Reason.CONNECT, "refused"))
    answer = await probe(clock, prober)
    assert (answer.state.up, answer.state.index_problem) == (False, Reason.CONNECT)
    assert "reason=connect" in answer.log.text
    (entry,) = prober.history.entries()
    assert (entry.result, entry.reason) == (ProbeResult.DOWN, "connect")


async def test_what_the_target_does_not_have_is_not_asked_for(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    page = (fetcher.folder / "index.html").read_bytes()
    fetcher.bodies[""] = page.replace(b"mutex", b"other")
    answer = await probe(clock, prober)
    assert fetcher.asked["mutex"] == 0
    assert 'profile=mutex why="the target does not have it"' in answer.log.text


# Time


@pytest.mark.parametrize(("timeout", "window"), [(9.5, 5), (4.5, 3), (2.1, 1)])
async def test_the_window_of_a_cpu_profile_fits_before_the_deadline(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober, timeout: float, window: float
) -> None:
    answer = await probe(clock, prober, timeout=timeout)
    assert fetcher.windows == [window]
    assert answer.state.profiles["cpu"].counters.outcomes == {Outcome.SUCCESS: 1}
    assert ("window shortened" in answer.log.text) == (window < 5)


async def test_without_time_for_a_window_everything_else_still_comes(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    answer = await probe(clock, prober, timeout=1.5)
    assert fetcher.windows == []
    assert answer.state.profiles["cpu"].counters.skipped == {Skip.DEADLINE: 1}
    assert answer.state.profiles["heap"].latest is not None
    assert 'profile=cpu why="only 1.5 s left before the deadline"' in answer.log.text


async def test_a_target_that_hangs_is_told_before_the_deadline(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    fetcher.takes["shop:6060/"] = 1000
    answer = await probe(clock, prober, timeout=4.5)
    assert (answer.state.up, answer.state.index_problem) == (False, Reason.TIMEOUT_HEADER)


async def test_a_slow_profile_costs_the_window_its_time_and_not_the_reply(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    fetcher.takes["heap"] = 5
    answer = await probe(clock, prober)
    assert answer.state.profiles["heap"].latest is not None
    assert fetcher.windows == [3]


async def test_a_profile_that_hangs_leaves_the_rest_out_and_is_the_only_failure(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    fetcher.takes["heap"] = 1000
    answer = await probe(clock, prober)
    state = answer.state
    assert state.up is True
    assert state.profiles["heap"].counters.fetch_failures == {Reason.TIMEOUT_HEADER: 1}
    assert state.profiles["goroutine"].counters.skipped == {Skip.DEADLINE: 1}
    assert not state.profiles["goroutine"].counters.fetch_failures


@pytest.mark.parametrize(("given", "timeout"), [(None, 9.5), (10.0, 9.5), (5.0, 4.5), (0.4, 0.2), (1000.0, 60.0)])
def test_a_reply_comes_before_prometheus_gives_up(
    clock: FakeClock, fetcher: PatientFetcher, given: float | None, timeout: float
) -> None:
    prober = prober_of(clock, fetcher)
    assert prober.timeout(prober.read("shop:1", "default"), given) == pytest.approx(timeout)


# Many probes of one target


async def test_counters_go_on_from_probe_to_probe(clock: FakeClock, fetcher: PatientFetcher, prober: Prober) -> None:
    first = await probe(clock, prober)
    profile = first.state.profiles["cpu"]
    profiled, sampled = profile.profiled, profile.totals()[1]
    await clock.advance(51)
    second = await probe(clock, prober)
    assert second.state is first.state
    assert profile.profiled == pytest.approx(2 * profiled)
    assert profile.totals()[1] == pytest.approx(2 * (sampled or 0))
    assert second.state.index_counters.outcomes == {Outcome.SUCCESS: 2}


async def test_a_profile_is_asked_for_again_when_its_interval_has_passed(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    for _ in range(6):
        await probe(clock, prober)
        await clock.advance(5.5)
    assert (fetcher.asked[""], fetcher.asked["heap"]) == (6, 3)
    assert len(fetcher.windows) == 2


async def test_scrapes_that_come_a_little_early_are_on_time(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    for _ in range(4):
        await probe(clock, prober)
        await clock.advance(20.45)
    assert fetcher.asked["heap"] == 4
    assert len(fetcher.windows) == 2


async def test_an_upgrade_between_two_probes_is_seen(clock: FakeClock, fetcher: PatientFetcher, prober: Prober) -> None:
    fetcher.folder = RECORDINGS / "windows-go1.21.13"
    await probe(clock, prober)
    fetcher.folder = RECORDINGS / "windows-go1.24.11"
    await clock.advance(60)
    answer = await probe(clock, prober)
    assert answer.state.identity.changes[Change.BINARY] == 1
    assert answer.state.identity.comparison is not None


async def test_a_clock_that_steps_back_between_two_probes_is_seen(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    heap = (fetcher.folder / "heap.pb.gz").read_bytes()
    fetcher.bodies["heap"] = stamped(heap, clock.time)
    await probe(clock, prober)
    fetcher.bodies["heap"] = stamped(heap, clock.time - 3600)
    await clock.advance(60)
    answer = await probe(clock, prober)
    counted = {family: value for (family, _), value in answer.state.profiles["heap"].counter_totals.items()}
    assert counted[quality.CLOCK_REGRESSIONS] == 1


async def test_failures_make_the_next_try_later(clock: FakeClock, fetcher: PatientFetcher, prober: Prober) -> None:
    fetcher.faults["heap"] = failing(FetchError(Reason.HTTP_5XX, "HTTP 500"))
    for _ in range(3):
        await probe(clock, prober)
        await clock.advance(20.5)
    answer = await probe(clock, prober)
    counters = answer.state.profiles["heap"].counters
    assert counters.fetch_failures[Reason.HTTP_5XX] == 2
    assert counters.skipped[Skip.BACKOFF] == 2
    assert "profile=heap why=backoff" in answer.log.text


# At the same time


async def test_who_asks_while_a_probe_runs_shares_it(clock: FakeClock, fetcher: PatientFetcher, prober: Prober) -> None:
    asked = prober.read("shop:6060", "default")
    both = [asyncio.create_task(prober.probe(asked, 9.5)) for _ in range(2)]
    await clock.advance(9.5)
    one, other = [task.result() for task in both]
    assert one.state is other.state
    assert (fetcher.asked[""], fetcher.windows) == (1, [5])
    assert len(prober.history.entries()) == 1


async def test_who_has_less_time_gets_what_there_is_and_disturbs_nobody(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    asked = prober.read("shop:6060", "default")
    patient = asyncio.create_task(prober.probe(asked, 9.5))
    await clock.advance(1)
    hasty = asyncio.create_task(prober.probe(asked, 2))
    await clock.advance(2)
    assert hasty.result().state.profiles["heap"].latest is not None
    assert hasty.result().state.profiles["cpu"].latest is None
    await clock.advance(5)
    assert patient.result().state.profiles["cpu"].latest is not None


async def test_two_modules_never_take_two_cpu_profiles_of_a_process_at_once(
    clock: FakeClock, fetcher: PatientFetcher
) -> None:
    whole = prober_of(clock, fetcher).modules["default"]
    prober = prober_of(clock, fetcher, Probing({"other": replace(whole, name="other")}))
    both = [asyncio.create_task(prober.probe(prober.read("shop:1", name), 9.5)) for name in ("default", "other")]
    await clock.advance(9.5)
    one, other = [task.result() for task in both]
    assert fetcher.most_running["profile"] == 1
    assert other.state.profiles["cpu"].counters.skipped == {Skip.LATE: 1}
    assert 'why="another CPU profile of this process is running"' in other.log.text
    assert one.state.profiles["cpu"].latest is not None


async def test_more_probes_than_there_is_room_for_are_turned_away(clock: FakeClock, fetcher: PatientFetcher) -> None:
    prober = prober_of(clock, fetcher, Probing(concurrency=1))
    running = asyncio.create_task(prober.probe(prober.read("a:1", "default"), 9.5))
    await settle()
    with pytest.raises(Overloaded, match="concurrency"):
        await prober.probe(prober.read("b:1", "default"), 9.5)
    await clock.advance(9.5)
    assert running.result().state.up is True
    assert (prober.in_flight, prober.target_count) == (0, 1)


async def test_who_gives_up_ends_the_probe(clock: FakeClock, fetcher: PatientFetcher, prober: Prober) -> None:
    asking = asyncio.create_task(prober.probe(prober.read("shop:6060", "default"), 9.5))
    await clock.advance(2)
    asking.cancel()
    await settle()
    assert (prober.in_flight, fetcher.running["profile"]) == (0, 0)
    assert (await probe(clock, prober)).state.up is True


async def test_who_shares_a_probe_that_is_given_up_before_it_knew_anything_is_told_so(
    clock: FakeClock, fetcher: PatientFetcher, prober: Prober
) -> None:
    fetcher.takes["shop:6060/"] = 5
    asked = prober.read("shop:6060", "default")
    first, second = [asyncio.create_task(prober.probe(asked, 9.5)) for _ in range(2)]
    await clock.advance(1)
    first.cancel()
    await settle()
    with pytest.raises(Overloaded, match="still running"):
        await second


# What is kept


async def test_targets_are_forgotten_when_there_are_too_many_the_longest_unasked_first(
    clock: FakeClock, fetcher: PatientFetcher
) -> None:
    prober = prober_of(clock, fetcher, Probing(targets=2))
    for target in ("a:1", "b:1", "a:1", "c:1"):
        await probe(clock, prober, target, module="cheap", timeout=1)
    assert prober.target_count == 2
    again = {target: await probe(clock, prober, target, module="cheap", timeout=1) for target in ("a:1", "b:1")}
    assert again["a:1"].state.index_counters.outcomes == {Outcome.SUCCESS: 3}
    assert again["b:1"].state.index_counters.outcomes == {Outcome.SUCCESS: 1}


async def test_targets_that_nobody_asks_for_are_forgotten(clock: FakeClock, fetcher: PatientFetcher) -> None:
    prober = prober_of(clock, fetcher, Probing(forget_after=600))
    await probe(clock, prober, "a:1", module="cheap", timeout=1)
    await clock.advance(601)
    await probe(clock, prober, "b:1", module="cheap", timeout=1)
    assert prober.target_count == 1


async def test_a_target_under_another_service_is_another(clock: FakeClock, prober: Prober) -> None:
    asked = prober.read("shop:6060", "cheap", "shop")
    assert asked.target.labels == (("service", "shop"),)
    assert prober.read("shop:6060", "cheap").target != asked.target


async def test_a_reload_keeps_the_counters_of_modules_that_stay(clock: FakeClock, fetcher: PatientFetcher) -> None:
    prober = prober_of(clock, fetcher)
    for name in ("default", "cheap"):
        await probe(clock, prober, module=name)
    changed = replace(prober.modules["cheap"], timeout=3)
    prober.apply(settings_of(Probing({"cheap": changed}, history=1)))
    assert prober.target_count == 1
    answer = await probe(clock, prober)
    assert answer.state.index_counters.outcomes == {Outcome.SUCCESS: 2}
    prober.apply(replace(settings_of(), timeout=1))
    assert prober.target_count == 0


async def test_probes_that_failed_are_kept_longer(clock: FakeClock, fetcher: PatientFetcher) -> None:
    prober = prober_of(clock, fetcher, Probing(history=3))
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, "refused"))
    for target in ("gone:1", "a:1", "b:1", "c:1", "d:1"):
        await probe(clock, prober, target, module="cheap", timeout=1)
    entries = prober.history.entries()
    assert [entry.target for entry in entries] == ["d:1", "c:1", "b:1", "gone:1"]
    assert prober.history.find(entries[-1].number) is entries[-1]
    assert prober.history.find(2) is None


async def test_a_module_asks_with_its_credentials(clock: FakeClock, fetcher: PatientFetcher) -> None:
    client = ClientSettings(auth=BasicAuth(Secret("pprof"), Secret("secret")))
    guarded = ProbeModule("guarded", choose_profiles(default_profiles(), ()), client=client)
    prober = prober_of(clock, fetcher, Probing({"guarded": guarded}))
    for module in ("cheap", "guarded"):
        assert (await probe(clock, prober, module=module)).state.up
    assert fetcher.clients == {DEFAULT_CLIENT: 1, client: 1}


async def test_a_module_that_does_not_exist_is_named_with_those_that_do(prober: Prober) -> None:
    with pytest.raises(BadProbe, match="choose from cheap, default") as caught:
        prober.read("shop:1", "defualt")
    assert caught.value.status == 400


async def test_a_probe_of_a_module_mounts_pprof_where_the_module_says(
    clock: FakeClock, fetcher: PatientFetcher
) -> None:
    module = ProbeModule("inner", prober_of(clock, fetcher).modules["cheap"].profiles, path="/internal/pprof/")
    prober = prober_of(clock, fetcher, Probing({"inner": module}))
    assert prober.read("shop:1", "inner").target == parse_target("http://shop:1/internal/pprof")
