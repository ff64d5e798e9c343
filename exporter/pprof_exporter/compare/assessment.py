"""From the values of two sides to a verdict on each signal, and on the share of each function.

`worse` takes two things: a difference that chance does not explain, after the correction for everything that the report
tests; and one that is larger than the alerts let pass (catalog/regressions.py). `no worse` takes as much: intervals in
which nothing is as bad as that. Whatever is neither, nobody can tell from these values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pprof_exporter.catalog.regressions import Limit, Measure, Worse, measure_of
from pprof_exporter.compare import statistics
from pprof_exporter.compare.quantities import p_value, signal_value
from pprof_exporter.compare.releases import Crossed
from pprof_exporter.compare.report import ChangeVerdict, FunctionChange, Movement, SignalChange, Spread
from pprof_exporter.compare.statistics import Estimate

SIGNIFICANT = 0.05
"""The chance of even one wrong verdict in a report in which nothing changed, before the limits of the alerts."""

# What stays below this on both sides cannot have moved by the share that counts, and would only cost the rest power.
_SELDOM = 0.02

FAILURES = "fetch_failure_ratio"
"""With the kind of profile behind a colon: 1 of a round in which it did not come, else 0."""
CONFLICTS = "profiler_conflict_ratio"
"""The same of a round in which another profiler held it. Such a round is no failure of the profile."""
_SHARES = {
    FAILURES: (Measure(f"{FAILURES}:.+", Worse.HIGHER, difference="failing"), "Not fetched in"),
    CONFLICTS: (Measure(f"{CONFLICTS}:.+", Worse.HIGHER, difference="busy"), "Busy with another profiler in"),
}


@dataclass(frozen=True, slots=True)
class SignalTest:
    """One signal with its values and figures, before it is known how many others are tested."""

    signal: str
    measure: Measure | None
    before: tuple[float, ...]
    after: tuple[float, ...]
    test: statistics.RankTest | None = None
    shift: Estimate | None = None
    ratio: Estimate | None = None
    dominance: float | None = None

    @property
    def counts(self) -> bool:
        """Whether it is one of the tests that the correction is for: judged, and able to show anything."""
        return self.measure is not None and self.test is not None and self.test.least < 1


@dataclass(frozen=True, slots=True)
class CorrectedChances:
    """p of each signal that counts, by pair and signal, and how many they are."""

    chances: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Mapping[str, Sequence[SignalTest]]) -> CorrectedChances:
        """The correction over every signal of every pair."""
        found = {
            (pair, one.signal): one.test.p
            for pair, tested in pairs.items()
            for one in tested
            if one.counts and one.test is not None
        }
        return cls(dict(zip(found, statistics.holm(list(found.values())), strict=True)))

    def fewest(self) -> int:
        """Rounds that each side needs so that the clearest difference of all counts."""
        return fewest_rounds(len(self.chances))


def fewest_rounds(tests: int) -> int:
    """Values on each side from which on the clearest difference is significant among so many tests."""
    count = 1
    while 2 / math.comb(2 * count, count) * max(tests, 1) >= SIGNIFICANT:
        count += 1
    return count


def signal_test(signal: str, before: Sequence[float], after: Sequence[float]) -> SignalTest:
    """The figures of one signal."""
    measure = measure_of(signal)
    if not before or not after:
        return SignalTest(signal, measure, tuple(before), tuple(after))
    return SignalTest(
        signal,
        measure,
        tuple(before),
        tuple(after),
        statistics.rank_test(before, after),
        statistics.shift(before, after),
        statistics.ratio(before, after),
        statistics.dominance(before, after),
    )


def share_test(name: str, kind: str, before: Sequence[bool], after: Sequence[bool]) -> SignalTest:
    """The same of how often something became of a kind of profile: `FAILURES` or `CONFLICTS`.

    Medians and Hodges and Lehmann see nothing that is rarer than one half, so the shift is that of the shares.
    """
    values = [[float(happened) for happened in side] for side in (before, after)]
    early, late = values
    return SignalTest(
        f"{name}:{kind}",
        _SHARES[name][0],
        tuple(early),
        tuple(late),
        statistics.rank_test(early, late),
        Estimate(sum(late) / len(late) - sum(early) / len(early), None, None),
        None,
        statistics.dominance(early, late),
    )


def spread(values: Sequence[float]) -> Spread:
    """Count, median and quartiles."""
    if not values:
        return Spread(0, None)
    low, high = statistics.quartiles(values)
    return Spread(len(values), statistics.median(values).value, low, high, tuple(values))


class SignalAssessor:
    """Verdicts on the signals of one pair. `limit` has the thresholds, `crossed` the releases of Go in between."""

    def __init__(
        self, limit: Limit, crossed: Crossed, corrected: CorrectedChances, pair: str, *, same_go: bool
    ) -> None:
        self._limit = limit
        self._crossed = crossed
        self._corrected = corrected
        self._pair = pair
        self._same_go = same_go

    def judge(self, one: SignalTest) -> SignalChange:
        """The signal with its verdict."""
        verdict, why = self._verdict(one)
        return SignalChange(
            one.signal,
            verdict,
            why,
            spread(one.before),
            spread(one.after),
            one.ratio,
            one.shift,
            one.dominance,
            self._corrected.chances.get((self._pair, one.signal)),
        )

    def _verdict(self, one: SignalTest) -> tuple[ChangeVerdict, str]:
        if one.measure is None:
            return ChangeVerdict.NOT_JUDGED, "Neither direction is bad by itself."
        if one.shift is None or one.test is None:
            return ChangeVerdict.UNSURE, _missing(one)
        p = self._corrected.chances.get((self._pair, one.signal), 1.0)
        small, large = sorted((len(one.before), len(one.after)))
        if 2 / math.comb(small + large, small) * max(1, len(self._corrected.chances)) >= SIGNIFICANT:
            return ChangeVerdict.UNSURE, (
                f"Too few values: {len(one.before)} before and {len(one.after)} after; "
                f"{self._corrected.fewest()} on each side are needed."
            )
        name = one.signal.partition(":")[0]
        if name in _SHARES:
            return self._share(one, p, *_SHARES[name])
        worse, better = self._passed(one, one.measure), self._passed_back(one, one.measure)
        if p < SIGNIFICANT and (worse or better):
            return self._beyond_chance(one, one.measure, p, worse=worse)
        if worse:
            return ChangeVerdict.UNSURE, f"Worse, but within chance ({p_value(p)})."
        if self._could_be(one, one.measure):
            return ChangeVerdict.UNSURE, f"Anything between {_interval(one)} is possible."
        if p < SIGNIFICANT:
            return ChangeVerdict.SAME, f"Changed beyond chance ({p_value(p)}), but within the limits of the alerts."
        return ChangeVerdict.SAME, "A change beyond the limits of the alerts is ruled out."

    def _beyond_chance(self, one: SignalTest, measure: Measure, p: float, *, worse: bool) -> tuple[ChangeVerdict, str]:
        designed = self._crossed.signal(one.signal)
        if designed is not None:
            return ChangeVerdict.BY_DESIGN, designed
        if worse and measure.same_go and not self._same_go:
            return ChangeVerdict.UNSURE, "This value depends on the Go version."
        return ChangeVerdict.WORSE if worse else ChangeVerdict.BETTER, f"Beyond chance ({p_value(p)})."

    def _share(self, one: SignalTest, p: float, measure: Measure, what: str) -> tuple[ChangeVerdict, str]:
        found = [round(sum(values)) for values in (one.before, one.after)]
        said = f"{what} {found[0]} of {len(one.before)} rounds before, and in {found[1]} of {len(one.after)} after"
        worse, better = self._passed(one, measure), self._passed_back(one, measure)
        if p < SIGNIFICANT and (worse or better):
            designed = self._crossed.signal(one.signal)
            if designed is not None:
                return ChangeVerdict.BY_DESIGN, f"{said}. {designed}"
            return ChangeVerdict.WORSE if worse else ChangeVerdict.BETTER, f"{said} ({p_value(p)})."
        rose = found[1] * len(one.before) > found[0] * len(one.after)
        return ChangeVerdict.UNSURE if rose else ChangeVerdict.SAME, f"{said}{', within chance' if rose else ''}."

    def _passed(self, one: SignalTest, measure: Measure) -> bool:
        return one.shift is not None and measure.passed(
            self._limit,
            ratio=one.ratio.value if one.ratio else None,
            now=_median(one.after),
            change=one.shift.value,
        )

    def _passed_back(self, one: SignalTest, measure: Measure) -> bool:
        return one.shift is not None and measure.passed(
            self._limit,
            ratio=1 / one.ratio.value if one.ratio else None,
            now=_median(one.before),
            change=-one.shift.value,
        )

    def _could_be(self, one: SignalTest, measure: Measure) -> bool:
        """Whether anything within the intervals is worse than the alerts let pass."""
        now = statistics.median(one.after)
        if one.shift is None or one.shift.low is None or one.shift.high is None or now.low is None or now.high is None:
            return True
        higher = measure.worse is Worse.HIGHER
        ratio = None if one.ratio is None else one.ratio.high if higher else one.ratio.low
        return measure.passed(
            self._limit,
            ratio=ratio,
            now=now.high if higher else now.low,
            change=one.shift.high if higher else one.shift.low,
        )


def assess_functions(
    kind: str,
    before: Sequence[Mapping[str, float]],
    after: Sequence[Mapping[str, float]],
    *,
    least: float,
    crossed: Crossed,
    samples: tuple[float, float] | None = None,
) -> tuple[FunctionChange, ...]:
    """The functions of one kind of profile, those that moved most first; one mapping for each round.

    A function counts as moved when its share changed by more than `least`, and chance does not explain it. The
    correction is over the functions of the kind. `samples` says how many a profile of each side rests on, where the
    rounds do not sample anew: what was allocated once is in the live heap of every round.
    """
    if not before or not after:
        return ()
    names = {name for shares in (*before, *after) for name in shares}
    series = {
        name: ([round_.get(name, 0.0) for round_ in before], [round_.get(name, 0.0) for round_ in after])
        for name in names
    }
    # By both sides together: which side they come from has no part in the choice.
    series = {
        name: sides for name, sides in series.items() if sum(map(sum, sides)) >= _SELDOM * (len(before) + len(after))
    }
    tests = [statistics.rank_test(*sides) for sides in series.values()]
    adjusted = dict(zip(series, statistics.holm([test.p for test in tests]), strict=True))
    fewest = fewest_rounds(len(series))
    few = min(len(before), len(after)) < fewest
    found = []
    for name, sides in series.items():
        moved, p = statistics.shift(*sides), adjusted[name]
        movement, why = Movement.STEADY, "The share is about the same."
        if few:
            movement, why = Movement.UNSURE, f"Too few profiles; {fewest} on each side are needed."
        elif abs(moved.value) > least:
            designed = crossed.function(name)
            if samples is not None and abs(moved.value) < _sampling_error(sides, samples):
                movement, why = Movement.UNSURE, "Too few sampled allocations; within chance."
            elif p >= SIGNIFICANT:
                movement, why = Movement.UNSURE, f"Within chance ({p_value(p)})."
            elif designed is not None:
                movement, why = Movement.BY_DESIGN, designed
            else:
                movement = Movement.GREW if moved.value > 0 else Movement.SHRANK
                why = f"Beyond chance ({p_value(p)})."
        found.append(FunctionChange(kind, name, movement, why, _median(sides[0]), _median(sides[1]), moved, p))
    return tuple(sorted(found, key=lambda one: (-abs(one.shift.value), one.function)))


def _sampling_error(sides: tuple[Sequence[float], Sequence[float]], samples: tuple[float, float]) -> float:
    """Three standard deviations of the difference of two shares that rest on so many samples."""
    variances = [
        (share := (_median(values) * count + 1) / (count + 2)) * (1 - share) / max(count, 1.0)
        for values, count in zip(sides, samples, strict=True)
    ]
    return 3 * math.sqrt(sum(variances))


def _median(values: Sequence[float]) -> float:
    return statistics.median(values).value


def _missing(one: SignalTest) -> str:
    busy = " while the target was busy" if one.measure is not None and one.measure.busy else ""
    if one.before:
        return f"Measured {len(one.before)} times before, never after{busy}."
    if one.after:
        return f"Measured {len(one.after)} times after, never before{busy}."
    return f"Never measured{busy}."


def _interval(one: SignalTest) -> str:
    if one.ratio is not None and one.ratio.low is not None and one.ratio.high is not None:
        return f"×{one.ratio.low:.3g} and ×{one.ratio.high:.3g}"
    if one.shift is not None and one.shift.low is not None and one.shift.high is not None:
        low, high = (signal_value(one.signal, bound, sign=True) for bound in (one.shift.low, one.shift.high))
        return f"{low} and {high}"
    return "anything"
