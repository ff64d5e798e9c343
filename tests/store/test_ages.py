"""Levels are compared at like ages of the process, and held against the load of the same time."""

from __future__ import annotations

import pytest
from yarl import URL

from pprof_exporter.catalog.regressions import ALLOCATION, HEAP_IN_USE, SAMPLED_PROCESSORS, THREADS, USED_PROCESSORS
from pprof_exporter.config import Target
from pprof_exporter.scrape.identity.identity import Identity
from pprof_exporter.scrape.identity.process import ProcessEvidence
from pprof_exporter.store import Store, Summary, age_band
from pprof_exporter.store.ages import compare_ages, plain_signal


def summary(value: float, count: int = 20) -> Summary:
    return Summary(count, value, 0, value, value, value, value, value)


@pytest.mark.parametrize(("settled", "band"), [(1, 0), (1.9, 0), (2, 1), (7.9, 2), (8, 3), (16, 4), (900, 4)])
def test_bands_of_ages_double(settled: float, band: int) -> None:
    assert age_band(HEAP_IN_USE, settled) == f"{HEAP_IN_USE}#{band}"
    assert plain_signal(age_band(HEAP_IN_USE, settled)) == HEAP_IN_USE
    assert plain_signal("fetch_duration_seconds:heap") == "fetch_duration_seconds:heap"


def heaps(**bands: float) -> dict[str, Summary]:
    """The heap in bands of ages, `b0` the youngest; a value below 1 is one of which there are too few."""
    return {f"{HEAP_IN_USE}#{name[1:]}": summary(value, 20 if value >= 1 else 3) for name, value in bands.items()}


@pytest.mark.parametrize(
    ("before", "now", "compared"),
    [
        # A cache that fills for hours: like ages, whatever else is known.
        (heaps(b0=10, b1=20, b4=90), heaps(b0=11), (10, 11)),
        (heaps(b0=10, b1=20, b4=90), heaps(b0=11, b1=21), (20, 21)),
        # A process that was replaced within the hour.
        (heaps(b0=10), heaps(b0=11, b1=21, b4=95), (10, 11)),
        (heaps(b0=10, b1=0.5), heaps(b0=11, b1=21), (10, 11)),
        # The exporter began to watch when the process was old: only after hours is there something alike.
        (heaps(b4=90), heaps(b0=11, b1=21, b2=40), None),
        (heaps(b4=90), heaps(b0=11, b1=21, b3=80), (90, 80)),
        (heaps(b0=10), heaps(b4=90), None),
    ],
)
def test_levels_are_compared_at_like_ages(
    before: dict[str, Summary], now: dict[str, Summary], compared: tuple[float, float] | None
) -> None:
    pairs, load = compare_ages(before, now)
    assert {name: (one.p50, other.p50) for name, (one, other) in pairs.items()} == (
        {HEAP_IN_USE: compared} if compared else {}
    )
    assert load == {}


def test_the_load_is_that_of_the_same_ages() -> None:
    before = {
        USED_PROCESSORS: summary(1.0),
        f"{USED_PROCESSORS}#0": summary(0.2),
        **heaps(b0=10),
        ALLOCATION: summary(5),
    }
    now = {USED_PROCESSORS: summary(1.5), f"{USED_PROCESSORS}#0": summary(0.8), **heaps(b0=11), ALLOCATION: summary(6)}
    pairs, load = compare_ages(before, now)
    assert set(pairs) == {USED_PROCESSORS, ALLOCATION, HEAP_IN_USE}
    assert load == {USED_PROCESSORS: 1.5, ALLOCATION: 1.5, HEAP_IN_USE: pytest.approx(4)}


def test_samples_stand_in_for_the_cpu_time() -> None:
    sides = [{SAMPLED_PROCESSORS: summary(value), ALLOCATION: summary(5)} for value in (0.5, 0.25)]
    assert compare_ages(*sides)[1] == {ALLOCATION: 0.5}
    sides[0][SAMPLED_PROCESSORS] = summary(0)
    assert compare_ages(*sides)[1] == {}


def test_a_young_process_gives_no_values_and_levels_later_than_rates() -> None:
    store = Store(None)
    identity = Identity(Target("shop", URL("http://shop/debug/pprof/"), ()), store)
    identity.take(ProcessEvidence(1000.0, started={"page": 940.0}, build="b"), 1000.0)
    epoch = store.enter("shop", "shop", identity.fingerprint, 1000.0)
    identity.epoch, identity.whole = epoch, True

    def counted(age: float) -> set[str]:
        before = set(store.summaries(epoch.id))
        for signal in (THREADS, ALLOCATION, USED_PROCESSORS):
            identity.observe_resource(signal, 5.0, 940.0 + age)
        return set(store.summaries(epoch.id)) - before

    assert counted(200) == set()
    assert counted(310) == {ALLOCATION, USED_PROCESSORS}
    assert counted(1790) == set()
    assert counted(1810) == {f"{THREADS}#0", f"{USED_PROCESSORS}#0"}
    assert counted(3700) == {f"{THREADS}#1", f"{USED_PROCESSORS}#1"}
