"""Compares captures: matches targets, and reports on each pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pprof_exporter.capture.reader import Capture, ReplayedRound, ReplayedTarget
from pprof_exporter.catalog.regressions import ThresholdValues
from pprof_exporter.compare import statistics
from pprof_exporter.compare.assessment import (
    CONFLICT_RATIO,
    FAILURE_RATIO,
    SIGNIFICANCE,
    CorrectedPValues,
    SignalAssessor,
    SignalTest,
    share_test,
    signal_test,
)
from pprof_exporter.compare.flames import Frame, difference_tree
from pprof_exporter.compare.functions import assess_functions
from pprof_exporter.compare.releases import CrossedReleases
from pprof_exporter.compare.replacements import installed_software, replacements, unknown_changes
from pprof_exporter.compare.report import (
    ComparedPair,
    ComparedSide,
    ComparisonMethod,
    ComparisonReport,
    Replacement,
    signals_worst_first,
)
from pprof_exporter.profile import KINDS as PROFILES
from pprof_exporter.store import Change, changed_parts
from pprof_exporter.verdicts.verdict import VerdictLimits

COMPARED_KINDS = ("cpu", "heap", "goroutine")
"""Profiles whose functions are compared."""

# runtime.MemProfileRate, unless the program sets another: one sample for so many bytes.
_HEAP_RATE = 524_288
_MOST_ROUNDS = 200
_UNEVEN_LOAD = 1.5
_MIN_LOAD = 0.1

_GROUPS = "canary against stable"
_LIMITS = (
    (
        f"A signal is worse if the rank test is significant at {100 * SIGNIFICANCE:.0f} % over all resources together, "
        "and as much over all other signals (Mann and Whitney, corrected by Holm), and if it changed beyond the limits "
        "of the alerts."
    ),
    f"Each interval has a confidence of {100 * statistics.CONFIDENCE:.0f} %.",
    "Rounds of one side are close in time: other activity on the machine is part of its values.",
)


@dataclass(frozen=True, slots=True)
class MatchedTargets:
    """The targets of one pair. All rounds of a side count equally, whichever target they come from."""

    name: str
    before: tuple[ReplayedTarget, ...]
    after: tuple[ReplayedTarget, ...]


def compare_captures(
    before: Capture, after: Capture, thresholds: Mapping[str, float] | None = None
) -> ComparisonReport:
    """Compare targets of the same name. Two captures with one target each may differ in its name."""
    sides, alone = _matched(before.targets, after.targets)
    names = (str(before.path), str(after.path))
    pairs = _pairs(sides, VerdictLimits(thresholds))
    return ComparisonReport(ComparisonMethod.CAPTURES, *names, pairs, alone, _LIMITS)


def compare_groups(
    stable: Sequence[ReplayedTarget], canary: Sequence[ReplayedTarget], thresholds: Mapping[str, float] | None = None
) -> ComparisonReport:
    """Compare two groups of targets that were captured at the same time."""
    sides = [MatchedTargets(_GROUPS, tuple(stable), tuple(canary))]
    limits = (*_LIMITS, "All rounds of a group count equally: check single targets before you blame the group.")
    return ComparisonReport(
        ComparisonMethod.GROUPS, "stable", "canary", _pairs(sides, VerdictLimits(thresholds)), (), limits
    )


def flames_of(before: Capture, after: Capture) -> dict[str, dict[str, Frame]]:
    """Call trees by pair and profile kind, for the pairs of `compare_captures`."""
    sides, _ = _matched(before.targets, after.targets)
    return {one.name: _flames(one) for one in sides}


def flames_of_groups(stable: Sequence[ReplayedTarget], canary: Sequence[ReplayedTarget]) -> dict[str, dict[str, Frame]]:
    """Call trees by pair and profile kind, for `compare_groups`."""
    return {_GROUPS: _flames(MatchedTargets(_GROUPS, tuple(stable), tuple(canary)))}


def _flames(sides: MatchedTargets) -> dict[str, Frame]:
    found = {}
    for kind in COMPARED_KINDS:
        files = [
            [round_.files[kind] for round_ in _compared(targets) if kind in round_.files]
            for targets in (sides.before, sides.after)
        ]
        tree = difference_tree(kind, *files)
        if tree is not None:
            found[kind] = tree
    return found


def _matched(
    before: Sequence[ReplayedTarget], after: Sequence[ReplayedTarget]
) -> tuple[list[MatchedTargets], tuple[str, ...]]:
    if len(before) == len(after) == 1:
        old, new = before[0].name, after[0].name
        return [MatchedTargets(old if old == new else f"{old} → {new}", tuple(before), tuple(after))], ()
    late = {target.name: target for target in after}
    early = {target.name for target in before}
    sides = [MatchedTargets(target.name, (target,), (late[target.name],)) for target in before if target.name in late]
    alone = [
        *(f"{target.name} is only in the capture before." for target in before if target.name not in late),
        *(f"{target.name} is only in the capture after." for target in after if target.name not in early),
    ]
    return sides, tuple(alone)


def _pairs(sides: Iterable[MatchedTargets], limit: ThresholdValues) -> tuple[ComparedPair, ...]:
    found = {one.name: (one, _tested(one, limit)) for one in sides}
    corrected = CorrectedPValues.of({name: values for name, (_, values) in found.items()})
    return tuple(_pair(one, values, limit, corrected) for one, values in found.values())


def _tested(sides: MatchedTargets, limit: ThresholdValues) -> tuple[SignalTest, ...]:
    before, after = _compared(sides.before), _compared(sides.after)
    names = sorted({name for round_ in (*before, *after) for name in round_.signals})
    signals = [signal_test(name, _values(before, name, limit), _values(after, name, limit)) for name in names]
    return (*signals, *_failures(before, after))


def _rounds(targets: Iterable[ReplayedTarget]) -> list[ReplayedRound]:
    return sorted((round_ for target in targets for round_ in target.rounds), key=lambda round_: round_.at)


def _compared(targets: Iterable[ReplayedTarget]) -> list[ReplayedRound]:
    """At most `_MOST_ROUNDS`, evenly spread: more rounds take time and hardly narrow the intervals."""
    rounds = _rounds(targets)
    count = min(len(rounds), _MOST_ROUNDS)
    return [rounds[place * len(rounds) // count] for place in range(count)]


def _values(rounds: Sequence[ReplayedRound], name: str, limit: ThresholdValues) -> list[float]:
    """The values of a signal. Clock signals use only audits of busy targets: idle threads look like late ticks."""
    audited = name.startswith("tick_")
    return [
        round_.signals[name]
        for round_ in rounds
        if name in round_.signals and (not audited or _busy(round_) >= limit["tick_busy"])
    ]


def _busy(round_: ReplayedRound) -> float:
    """Processors in use: those that the samples account for, divided by the CPU coverage."""
    return round_.signals.get("cpu_processors", 0.0) / (round_.signals.get("cpu_coverage_ratio") or 1.0)


def _failures(before: Sequence[ReplayedRound], after: Sequence[ReplayedRound]) -> list[SignalTest]:
    """Tests of profile kinds that were fetched before, and failed at times or were held by another profiler."""
    found = []
    for kind in sorted({kind for round_ in before for kind in round_.files if kind in PROFILES}):
        failed = [[kind not in round_.files for round_ in side if kind not in round_.busy] for side in (before, after)]
        held = [[kind in round_.busy for round_ in side] for side in (before, after)]
        for name, sides in ((FAILURE_RATIO, failed), (CONFLICT_RATIO, held)):
            if all(sides) and any(map(any, sides)):
                found.append(share_test(name, kind, *sides))
    return found


def _pair(
    sides: MatchedTargets, values: Sequence[SignalTest], limit: ThresholdValues, corrected: CorrectedPValues
) -> ComparedPair:
    before, after = sides.before[-1], sides.after[-1]
    old, new = installed_software(before), installed_software(after)
    early, late = _compared(sides.before), _compared(sides.after)
    cut = frozenset(
        kind
        for kind in COMPARED_KINDS
        if any(round_.signals.get(f"truncated_stack_ratio:{kind}") for round_ in (*early, *late))
    )
    crossed = CrossedReleases(before.go_version, after.go_version, after.system, cut)
    gone = replacements(old, new)
    judge = SignalAssessor(limit, crossed, corrected, sides.name, same_go=Change.GO not in [one.change for one in gone])
    return ComparedPair(
        sides.name,
        _side(sides.before),
        _side(sides.after),
        gone,
        unknown_changes(old, new),
        _notes(sides, values, gone),
        signals_worst_first(judge.assess(one) for one in values),
        tuple(
            function
            for kind in COMPARED_KINDS
            for function in assess_functions(
                kind,
                [round_.functions[kind] for round_ in early if kind in round_.functions],
                [round_.functions[kind] for round_ in late if kind in round_.functions],
                min_change=limit["regression_share"],
                crossed=crossed,
                samples=(_allocations(early), _allocations(late)) if kind == "heap" else None,
            )
        ),
        _intervals(early),
        _intervals(late),
    )


def _side(targets: Sequence[ReplayedTarget]) -> ComparedSide:
    rounds = _rounds(targets)
    return ComparedSide(
        tuple(target.name for target in targets),
        len(rounds),
        rounds[0].at if rounds else None,
        rounds[-1].at if rounds else None,
        ", ".join(sorted({target.go_version for target in targets})),
        ", ".join(sorted({target.system.value if target.system else "unknown" for target in targets})),
    )


def _allocations(rounds: Sequence[ReplayedRound]) -> float:
    """Approximate number of sampled allocations in a heap profile of these rounds."""
    sizes = [round_.signals["heap_inuse_bytes"] for round_ in rounds if "heap_inuse_bytes" in round_.signals]
    return statistics.median(sizes).value / _HEAP_RATE if sizes else 0.0


def _intervals(rounds: Iterable[ReplayedRound]) -> tuple[float, ...]:
    return tuple(
        interval
        for round_ in rounds
        if round_.audit is not None and not round_.audit.interleaved
        for interval in round_.audit.intervals
    )


def _notes(sides: MatchedTargets, values: Sequence[SignalTest], gone: Sequence[Replacement]) -> tuple[str, ...]:
    found = []
    if len(gone) > 1:
        found.append("Several parts changed together: the comparison cannot attribute a change to one of them.")
    for side, targets in (("before", sides.before), ("after", sides.after)):
        if len(targets) > 1 and any(changed_parts(targets[0].fingerprint, one.fingerprint) for one in targets[1:]):
            found.append(f"The targets {side} differ in system, build, Go or modules.")
        rounds = len(_rounds(targets))
        if rounds > _MOST_ROUNDS:
            found.append(f"Of {rounds} rounds {side}, {_MOST_ROUNDS} are compared, evenly spread.")
        if any(not target.rounds for target in targets):
            found.append(f"There is no complete round {side}.")
    load = _load(values, sides)
    return (*found, load) if load else tuple(found)


def _load(values: Sequence[SignalTest], sides: MatchedTargets) -> str | None:
    """A sentence if the load of the two sides differs, since latencies follow the load."""
    early, late = (
        [_busy(round_) for round_ in _compared(side) if "cpu_processors" in round_.signals]
        for side in (sides.before, sides.after)
    )
    if not early or not late:
        return None
    before, after = statistics.median(early).value, statistics.median(late).value
    low, high = sorted((before, after))
    if high - low < _MIN_LOAD or high < _UNEVEN_LOAD * low or statistics.rank_test(early, late).p >= SIGNIFICANCE:
        return None
    return (
        f"The load was not the same: {before:.2f} processors busy before and {after:.2f} after. Latencies depend on "
        "the load; compare under the same load."
    )
