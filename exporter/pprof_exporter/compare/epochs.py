"""The before and after of a running exporter, read from its metrics page: medians without single values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from pprof_exporter.catalog import identity, sampling
from pprof_exporter.catalog.regressions import Measure, ThresholdValues, go_line, measure_of
from pprof_exporter.compare.assessment import UNJUDGED
from pprof_exporter.compare.quantities import utc_time
from pprof_exporter.compare.releases import CrossedReleases
from pprof_exporter.compare.report import (
    ChangeVerdict,
    ComparedPair,
    ComparedSide,
    ComparisonMethod,
    ComparisonReport,
    Replacement,
    SignalChange,
    Spread,
    signals_worst_first,
)
from pprof_exporter.compare.statistics import Estimate
from pprof_exporter.profile import System
from pprof_exporter.store import Change
from pprof_exporter.verdicts.verdict import VerdictLimits

BEFORE, NOW = "before", "now"
_PARTS = {Change.OPERATING_SYSTEM: "modules", Change.BINARY: "build", Change.GO: "Go", Change.MODULES: "modules"}

_LIMITS = (
    "The exporter keeps distributions, not single values: there are medians, right to within 1 %, and no rank test.",
    (
        "A signal is worse by the rule of the alert PprofUpgradeRegression: the median exceeded its limits, "
        "and both epochs have enough values. Two captures, before and after, give more detail."
    ),
)
_SAID = {
    Change.OPERATING_SYSTEM: "The operating system was updated.",
    Change.BINARY: "The build of the program changed.",
    Change.GO: "The Go version of the program changed.",
    Change.MODULES: "The foreign modules in the process changed.",
}


class NoEpochs(ValueError):
    """The page is not one of this exporter, or has no upgrade yet. The message says which."""


@dataclass(slots=True)
class _EpochSeries:
    """The series of one target on the page."""

    medians: dict[tuple[str, str], float] = field(default_factory=dict)
    counts: dict[tuple[str, str], float] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    control: dict[str, float] = field(default_factory=dict)
    load: dict[str, float] = field(default_factory=dict)
    processors: float | None = None
    go_version: str = "unknown"
    system: str = "unknown"

    @property
    def has_before(self) -> bool:
        """Whether there is an epoch before, with signals or at least what it was."""
        return bool(self.medians or self.values)


def compare_epochs(
    page: str, source: str, *, target: str | None = None, thresholds: Mapping[str, float] | None = None
) -> ComparisonReport:
    """The report on every target of a metrics page, or on one. `source` names the exporter in the report.

    Raises `NoEpochs`.
    """
    seen = _read(page)
    if not seen:
        raise NoEpochs("this is not a metrics page of pprof-exporter with targets")
    if target is not None:
        if target not in seen:
            raise NoEpochs(f"unknown target {target!r}; choose from {', '.join(sorted(seen))}")
        seen = {target: seen[target]}
    limit = VerdictLimits(thresholds)
    pairs = tuple(_pair(name, one, limit) for name, one in sorted(seen.items()) if one.has_before)
    if not pairs:
        raise NoEpochs("no target has a previous epoch: nothing changed since the exporter knows them")
    alone = tuple(f"{name} has no previous epoch." for name, one in sorted(seen.items()) if not one.has_before)
    return ComparisonReport(
        ComparisonMethod.EPOCHS, f"the epoch before the latest change, {source}", "the epoch now", pairs, alone, _LIMITS
    )


def _read(page: str) -> dict[str, _EpochSeries]:
    seen: dict[str, _EpochSeries] = defaultdict(_EpochSeries)
    try:
        for name, labels, value in _samples(page):
            one = seen[labels["target"]]
            match name:
                case identity.SIGNAL_MEDIAN.name:
                    one.medians[labels["signal"], labels["epoch"]] = value
                case identity.SIGNAL_OBSERVATIONS.name:
                    one.counts[labels["signal"], labels["epoch"]] = value
                case identity.LAST_CHANGE.name:
                    one.changed[labels["change"]] = value
                case identity.LAST_CHANGE_INFO.name:
                    one.values[labels["change"]] = labels["from"], labels["to"]
                case identity.SIGNAL_CONTROL.name | identity.SIGNAL_LOAD.name:
                    (one.control if name == identity.SIGNAL_CONTROL.name else one.load)[labels["signal"]] = value
                case sampling.TICK_PROCESSORS.name:
                    one.processors = value
                case identity.TARGET_INFO.name:
                    one.go_version, one.system = labels["go_version"], labels["system"]
    except (ValueError, KeyError) as error:
        raise NoEpochs(f"this is not a readable metrics page: {error}") from None
    return dict(seen)


_READ = {
    family.name
    for family in (
        identity.SIGNAL_MEDIAN,
        identity.SIGNAL_OBSERVATIONS,
        identity.LAST_CHANGE,
        identity.LAST_CHANGE_INFO,
        identity.SIGNAL_CONTROL,
        identity.SIGNAL_LOAD,
        identity.TARGET_INFO,
        sampling.TICK_PROCESSORS,
    )
}


def _samples(page: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name in _READ:
                yield sample.name, sample.labels, sample.value


def _pair(name: str, seen: _EpochSeries, limit: ThresholdValues) -> ComparedPair:
    gone = tuple(_replaced(seen, limit))
    # A part that the latest event did not change was the same before.
    same_go = bool(gone) and Change.GO not in [one.change for one in gone]
    go_before = seen.values.get(Change.GO, (seen.go_version if same_go else "unknown", ""))[0]
    system = next((one for one in System if one == seen.system), None)
    crossed = CrossedReleases(go_before, seen.go_version, system)
    judge = _EpochAssessor(seen, limit, crossed, same_go=same_go, versions=(go_before, seen.go_version))
    signals = sorted({signal for signal, _ in seen.medians})
    return ComparedPair(
        name,
        ComparedSide((), 0, None, None, go_before, seen.system),
        ComparedSide((), 0, None, None, seen.go_version, seen.system),
        gone,
        () if gone else tuple(Change),
        (),
        signals_worst_first(judge.assess(signal) for signal in signals),
    )


def _replaced(seen: _EpochSeries, limit: ThresholdValues) -> Iterator[Replacement]:
    """The latest change, and the changes that came with it, as the alerts define them."""
    latest = max(seen.changed.values(), default=0.0)
    for change in Change:
        at = seen.changed.get(change)
        if at is not None and at >= latest - limit["changes_together"]:
            values = seen.values.get(change)
            parts = [(_PARTS[change], *values)] if values else []
            yield Replacement(change, _SAID[change], (*parts, ("seen", "", utc_time(at))))


@dataclass(frozen=True, slots=True)
class _EpochAssessor:
    """Verdicts on the signals of one target, by the conditions of the alert."""

    seen: _EpochSeries
    limit: ThresholdValues
    crossed: CrossedReleases
    same_go: bool
    versions: tuple[str, str]

    def assess(self, signal: str) -> SignalChange:
        """The verdict on a signal by its medians."""
        before, after = (
            Spread(round(self.seen.counts.get((signal, epoch), 0)), self.seen.medians.get((signal, epoch)))
            for epoch in (BEFORE, NOW)
        )
        if before.median is None or after.median is None:
            designed = self.crossed.one_sided(signal, before=before.count, after=after.count)
            verdict = ChangeVerdict.BY_DESIGN if designed else ChangeVerdict.UNSURE
            return SignalChange(signal, verdict, designed or "Only one epoch has values.", before, after)
        shift = Estimate(after.median - before.median, None, None)
        ratio = _ratio(before.median, after.median)
        verdict, why = self._verdict(signal, before, after)
        control = self.seen.control.get(signal)
        if control is not None:
            why = f"{why} On targets that were not upgraded it changed by a factor of {control:.2g}."
        elif signal in self.seen.load:
            why = f"{why} The CPU time that the target uses changed by a factor of {self.seen.load[signal]:.2g}."
        return SignalChange(signal, verdict, why, before, after, ratio, shift)

    def _verdict(self, signal: str, before: Spread, after: Spread) -> tuple[ChangeVerdict, str]:
        measure, limit = measure_of(signal), self.limit
        if measure is None:
            return ChangeVerdict.NOT_JUDGED, UNJUDGED.get(signal, "Neither direction is bad by itself.")
        fewest = limit[measure.min_observations]
        if min(before.count, after.count) < fewest:
            return (
                ChangeVerdict.UNSURE,
                f"Too few values: {before.count} before and {after.count} now; {fewest:g} each are needed.",
            )
        processors = self.seen.processors
        if measure.busy and (processors is None or processors < limit["tick_busy"]):
            return ChangeVerdict.UNSURE, "The target was not busy in the latest audit, so late ticks are normal."
        expected = measure.expected_growth(self.seen.control.get(signal), self.seen.load.get(signal))
        if expected is not None and self._is_worse(measure, before, after, expected):
            return self._beyond_limits(signal, measure)
        if measure.follows_load and self._is_worse(measure, before, after, 1.0):
            why = (
                "but how the load changed is not known" if expected is None else "but not beyond what the load explains"
            )
            return ChangeVerdict.UNSURE, f"It rose, {why}."
        if self._is_worse(measure, after, before, 1.0):
            return ChangeVerdict.BETTER, "The median improved by more than the limits of the alert."
        return ChangeVerdict.SAME, "The median is within the limits of the alert."

    def _beyond_limits(self, signal: str, measure: Measure) -> tuple[ChangeVerdict, str]:
        designed = self.crossed.signal(signal, worse=True)
        if designed is not None:
            return ChangeVerdict.BY_DESIGN, designed
        unknown = measure.same_go and not self.same_go and not self.crossed.is_exact
        if unknown or measure.by_design(*map(go_line, self.versions)):
            return ChangeVerdict.UNSURE, "This value depends on the Go version."
        return ChangeVerdict.WORSE, "The median exceeded the limits of the alert."

    def _is_worse(self, measure: Measure, early: Spread, late: Spread, expected: float) -> bool:
        was, now = early.median or 0.0, late.median or 0.0
        ratio = _ratio(was, now)
        relative = ratio.value / expected if ratio else None
        return measure.is_exceeded(self.limit, ratio=relative, now=now, change=now - was)


def _ratio(before: float, after: float) -> Estimate | None:
    return Estimate(after / before, None, None) if before > 0 and after > 0 else None
