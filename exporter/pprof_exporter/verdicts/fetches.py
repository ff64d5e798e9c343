"""F13, F14, F15 and F19: whether profiles arrive at all, and what fetching them costs."""

from __future__ import annotations

from pprof_exporter.catalog import NO_INDEX_PAGE, NO_PROFILE, NOT_SERVED, ReasonGroup
from pprof_exporter.verdicts.phrases import joined, percent
from pprof_exporter.verdicts.snapshot import FetchSummary, TargetSnapshot
from pprof_exporter.verdicts.verdict import CheckOutcome, Finding, Level, VerdictLimits, healthy, unknown, wrong

_REFUSED = ReasonGroup.REFUSED.reasons
# Reasons of other failure modes: refusals and missing handlers are F15, a second profiler is F14.
_NOT_F13 = _REFUSED | NOT_SERVED | ReasonGroup.BUSY.reasons
# Only Go 1.26 and later have it, so a missing one is no finding.
_MAY_BE_ABSENT = "goroutineleak"


def unreachable(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F13: the target is down, or fetches fail."""
    if snapshot.up is None:
        return unknown("The target has not been queried yet.")
    if not snapshot.up:
        return CheckOutcome("", (_down(snapshot),))
    findings = [
        Finding(Level.WARNING, _said(name, fetches), "PprofDecodeFailing" if _undecodable(fetches) else _FAILING)
        for name, fetches in snapshot.fetches.items()
        if fetches.reason is not None and fetches.reason not in _NOT_F13
    ]
    brought = [name for name, fetches in snapshot.fetches.items() if fetches.succeeded and fetches.reason is None]
    return wrong(
        findings, healthy(f"The target sends {joined(brought)}.") if brought else unknown("No fetch has finished yet.")
    )


def _down(snapshot: TargetSnapshot) -> Finding:
    reason = snapshot.down
    alert = "PprofNotMounted" if reason in NO_INDEX_PAGE else "PprofTargetDown"
    if reason is None:
        return Finding(Level.CRITICAL, "The target does not answer.", alert)
    return Finding(Level.CRITICAL, f"No pprof index page: {reason.meaning}. {reason.advice}", alert)


_FAILING = "PprofFetchFailing"


def _undecodable(fetches: FetchSummary) -> bool:
    return fetches.reason in NO_PROFILE


def _said(name: str, fetches: FetchSummary) -> str:
    why = f"{fetches.reason.meaning}. {fetches.reason.advice}" if fetches.reason else f"{fetches.problem}."
    return f"The latest fetch of {name} failed: {why}"


def profiler_conflict(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F14: another profiler is active."""
    asked = {name: fetches for name, fetches in snapshot.fetches.items() if fetches.succeeded or fetches.busy}
    findings = (
        Finding(
            Level.WARNING,
            f"Another profiler blocked {fetches.busy} of {_count(fetches)} fetches of {name}.",
            "PprofProfilerConflict",
        )
        for name, fetches in asked.items()
        if fetches.busy > limit["busy"] * _count(fetches)
    )
    if "cpu" not in asked:
        return wrong(findings, unknown("No CPU profile has been requested yet."))
    blocked, made = sum(one.busy for one in asked.values()), sum(map(_count, asked.values()))
    return wrong(findings, healthy(f"Another profiler blocked {blocked} of {made} fetches."))


def _count(fetches: FetchSummary) -> int:
    return fetches.succeeded + fetches.busy + fetches.failed


def refused_requests(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F15: profiles are refused or not served."""
    findings = [
        Finding(Level.WARNING, _said(name, fetches), "PprofProfileRejected")
        for name, fetches in snapshot.fetches.items()
        if fetches.reason in _REFUSED or (fetches.reason in NOT_SERVED and name != _MAY_BE_ABSENT)
    ]
    if not snapshot.up:
        # Then all are refused, which F13 reports.
        return unknown("The target has not been queried yet." if snapshot.up is None else "The target does not answer.")
    if "cpu" not in snapshot.profiles:
        return wrong(findings, unknown("No CPU profile has been read yet; only its window can exceed a time limit."))
    return wrong(findings, healthy("The server sends every profile that it lists, CPU windows included."))


_NO_ROOM = "the target is busy or slow, or its profiling budget is used up"


def profiling_cost(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F19: profiles are deferred too long; the cost of profiling."""
    late = [name for name, fetches in snapshot.fetches.items() if fetches.overdue >= limit["overdue"]]
    findings = [
        Finding(
            Level.WARNING,
            f"Fetches of {joined(late)} were deferred for the longest time allowed: {_NO_ROOM}.",
            "PprofExporterDeferring",
        )
        if late
        else None
    ]
    share, budget = snapshot.profiling, snapshot.budget
    if budget is None:
        return wrong(findings, unknown("A single check has no budget; a running exporter measures this cost."))
    if share is None:
        return wrong(findings, unknown("The target has not been profiled yet."))
    if share > budget:
        said = (
            f"The target was profiled for {percent(share)} of the time so far; the budget is {percent(budget)}. A new "
            "target has credit for five minutes, so the cost can be judged only later."
        )
        return wrong(findings, unknown(said))
    said = f"The target was profiled for {percent(share)} of the time; the budget is {percent(budget)}."
    return wrong(findings, healthy(said))
