"""Assesses the values of two sides: a verdict on each signal, and on the share of each function.

`worse` needs a difference that chance does not explain, after the correction for all tests of the report, and that is
larger than the alerts allow (catalog/regressions.py). `no worse` needs intervals that exclude such a difference.
Otherwise the verdict is that these values cannot decide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pprof_exporter.catalog.regressions import (
    RESOURCES,
    SAMPLED_PROCESSORS,
    USED_PROCESSORS,
    Measure,
    ThresholdValues,
    WorseDirection,
    measure_of,
)
from pprof_exporter.compare import statistics
from pprof_exporter.compare.figures import FIGURES
from pprof_exporter.compare.quantities import p_value, signal_value
from pprof_exporter.compare.releases import CrossedReleases
from pprof_exporter.compare.report import ChangeVerdict, SignalChange, Spread
from pprof_exporter.compare.statistics import Estimate

SIGNIFICANCE = 0.05
"""Probability of at least one wrong verdict in a report without changes, before the limits of the alerts apply."""

UNJUDGED = {SAMPLED_PROCESSORS: "Counted from CPU samples, which may be lost: the CPU time itself is not known."}
"""Why a signal has no verdict."""

_MORE_WORK = "which more work explains as well as a costlier program, and so does a machine that gives it more time"

FAILURE_RATIO = "fetch_failure_ratio"
"""Signal name before the colon and the profile kind: 1 for a round in which the fetch failed, else 0."""
CONFLICT_RATIO = "profiler_conflict_ratio"
"""The same for a round in which another profiler held the profile. Such a round is not a failure."""
_SHARES = {
    FAILURE_RATIO: (Measure(f"{FAILURE_RATIO}:.+", WorseDirection.HIGHER, difference="failing"), "Not fetched in"),
    CONFLICT_RATIO: (
        Measure(f"{CONFLICT_RATIO}:.+", WorseDirection.HIGHER, difference="busy"),
        "Busy with another profiler in",
    ),
}


@dataclass(frozen=True, slots=True)
class SignalTest:
    """One signal with its values and statistics, before the correction for the number of tests."""

    signal: str
    measure: Measure | None
    before: tuple[float, ...]
    after: tuple[float, ...]
    test: statistics.RankTest | None = None
    shift: Estimate | None = None
    ratio: Estimate | None = None
    dominance: float | None = None

    @property
    def is_tested(self) -> bool:
        """Whether the correction counts this test: the signal is assessed, and its values can show a change."""
        return self.measure is not None and self.test is not None and self.test.min_p < 1


@dataclass(frozen=True, slots=True)
class CorrectedPValues:
    """Corrected p of each tested signal, by pair and signal."""

    p_values: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Mapping[str, Sequence[SignalTest]]) -> CorrectedPValues:
        """The correction over every resource of every pair, and over every other signal of every pair."""
        corrected: dict[tuple[str, str], float] = {}
        for resources in (True, False):
            found = {
                (pair, one.signal): one.test.p
                for pair, tested in pairs.items()
                for one in tested
                if one.is_tested and one.test is not None and (one.signal in RESOURCES) is resources
            }
            corrected |= dict(zip(found, statistics.holm(list(found.values())), strict=True))
        return cls(corrected)

    def tests(self, signal: str) -> int:
        """The number of tests that a signal is corrected for, itself included; at least 1."""
        return max(1, sum((other in RESOURCES) is (signal in RESOURCES) for _, other in self.p_values))


def min_rounds(tests: int) -> int:
    """Values that each side needs to make the clearest possible difference significant among so many tests."""
    count = 1
    while 2 / math.comb(2 * count, count) * max(tests, 1) >= SIGNIFICANCE:
        count += 1
    return count


def signal_test(signal: str, before: Sequence[float], after: Sequence[float]) -> SignalTest:
    """The statistics of one signal."""
    measure = measure_of(signal)
    if not before or not after:
        return SignalTest(signal, measure, tuple(before), tuple(after))
    return SignalTest(
        signal,
        measure,
        tuple(before),
        tuple(after),
        statistics.rank_test(before, after),
        *estimates(signal, before, after),
        statistics.dominance(before, after),
    )


def estimates(signal: str, before: Sequence[float], after: Sequence[float]) -> tuple[Estimate, Estimate | None]:
    """Difference and factor of a signal. Those of `FIGURES` agree with the medians that stand beside them."""
    if signal in FIGURES:
        return statistics.change_of_medians(before, after), statistics.ratio_of_medians(before, after)
    return statistics.shift(before, after), statistics.ratio(before, after)


def share_test(name: str, kind: str, before: Sequence[bool], after: Sequence[bool]) -> SignalTest:
    """The statistics of how often an event met a profile kind: `FAILURE_RATIO` or `CONFLICT_RATIO`.

    Medians and Hodges-Lehmann shifts do not see events rarer than one half, so the shift is that of the shares.
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
    """Verdicts on the signals of one pair. `limit` has the thresholds, `crossed` the Go releases between the sides."""

    def __init__(
        self, limit: ThresholdValues, crossed: CrossedReleases, corrected: CorrectedPValues, pair: str, *, same_go: bool
    ) -> None:
        self._limit = limit
        self._crossed = crossed
        self._corrected = corrected
        self._pair = pair
        self._same_go = same_go

    def assess(self, one: SignalTest) -> SignalChange:
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
            self._corrected.p_values.get((self._pair, one.signal)),
        )

    def _verdict(self, one: SignalTest) -> tuple[ChangeVerdict, str]:
        if one.measure is None:
            return ChangeVerdict.NOT_JUDGED, UNJUDGED.get(one.signal, "Neither direction is bad by itself.")
        if one.shift is None or one.test is None:
            designed = self._crossed.one_sided(one.signal, before=len(one.before), after=len(one.after))
            return ChangeVerdict.BY_DESIGN if designed else ChangeVerdict.UNSURE, " ".join(
                said for said in (_missing(one), designed) if said
            )
        p = self._corrected.p_values.get((self._pair, one.signal), 1.0)
        small, large = sorted((len(one.before), len(one.after)))
        tests = self._corrected.tests(one.signal)
        if 2 / math.comb(small + large, small) * tests >= SIGNIFICANCE:
            return ChangeVerdict.UNSURE, (
                f"Too few values: {len(one.before)} before and {len(one.after)} after; "
                f"{min_rounds(tests)} on each side are needed."
            )
        name = one.signal.partition(":")[0]
        if name in _SHARES:
            return self._share(one, p, *_SHARES[name])
        worse, better = self._is_worse(one, one.measure), self._improved(one, one.measure)
        if p < SIGNIFICANCE and (worse or better):
            return self._beyond_chance(one, one.measure, p, worse=worse)
        if worse:
            return ChangeVerdict.UNSURE, f"Worse, but within chance ({p_value(p)})."
        if self._may_be_worse(one, one.measure):
            # It moved, and a release explains why: by how much is no question of these values.
            designed = self._crossed.signal(one.signal, worse=True) if p < SIGNIFICANCE else None
            if designed is not None:
                return ChangeVerdict.BY_DESIGN, designed
            return ChangeVerdict.UNSURE, f"Anything between {_interval(one)} is possible."
        if p < SIGNIFICANCE:
            return ChangeVerdict.SAME, f"Changed beyond chance ({p_value(p)}), but within the limits of the alerts."
        return ChangeVerdict.SAME, "A change beyond the limits of the alerts is ruled out."

    def _beyond_chance(self, one: SignalTest, measure: Measure, p: float, *, worse: bool) -> tuple[ChangeVerdict, str]:
        designed = self._crossed.signal(one.signal, worse=worse)
        if designed is not None:
            return ChangeVerdict.BY_DESIGN, designed
        # Between two known versions, what the releases do not explain is of the program.
        if worse and one.signal == USED_PROCESSORS:
            return ChangeVerdict.UNSURE, f"More CPU time beyond chance ({p_value(p)}), {_MORE_WORK}."
        if worse and measure.same_go and not self._same_go and not self._crossed.is_exact:
            return ChangeVerdict.UNSURE, "This value depends on the Go version, which is not known exactly."
        return ChangeVerdict.WORSE if worse else ChangeVerdict.BETTER, f"Beyond chance ({p_value(p)})."

    def _share(self, one: SignalTest, p: float, measure: Measure, what: str) -> tuple[ChangeVerdict, str]:
        found = [round(sum(values)) for values in (one.before, one.after)]
        said = f"{what} {found[0]} of {len(one.before)} rounds before, and in {found[1]} of {len(one.after)} after"
        worse, better = self._is_worse(one, measure), self._improved(one, measure)
        if p < SIGNIFICANCE and (worse or better):
            designed = self._crossed.signal(one.signal, worse=worse)
            if designed is not None:
                return ChangeVerdict.BY_DESIGN, f"{said}. {designed}"
            return ChangeVerdict.WORSE if worse else ChangeVerdict.BETTER, f"{said} ({p_value(p)})."
        rose = found[1] * len(one.before) > found[0] * len(one.after)
        return ChangeVerdict.UNSURE if rose else ChangeVerdict.SAME, f"{said}{', within chance' if rose else ''}."

    def _is_worse(self, one: SignalTest, measure: Measure) -> bool:
        return one.shift is not None and measure.is_exceeded(
            self._limit, ratio=one.ratio.value if one.ratio else None, now=_median(one.after), change=one.shift.value
        )

    def _improved(self, one: SignalTest, measure: Measure) -> bool:
        return one.shift is not None and measure.is_exceeded(
            self._limit,
            ratio=1 / one.ratio.value if one.ratio else None,
            now=_median(one.before),
            change=-one.shift.value,
        )

    def _may_be_worse(self, one: SignalTest, measure: Measure) -> bool:
        """Whether a value within the intervals is worse than the alerts allow."""
        now = statistics.median(one.after)
        if one.shift is None or one.shift.low is None or one.shift.high is None or now.low is None or now.high is None:
            return True
        higher = measure.worse is WorseDirection.HIGHER
        ratio = None if one.ratio is None else one.ratio.high if higher else one.ratio.low
        return measure.is_exceeded(
            self._limit,
            ratio=ratio,
            now=now.high if higher else now.low,
            change=one.shift.high if higher else one.shift.low,
        )


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
