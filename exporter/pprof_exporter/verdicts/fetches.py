"""F13, F14, F15 and F19: whether profiles arrive at all, and what fetching them costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pprof_exporter.catalog import NO_INDEX_PAGE, NO_PROFILE, NOT_SERVED, Reason, ReasonGroup
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.catalog.root_causes import OTHER_PAGE, RootCause, not_served
from pprof_exporter.catalog.vocabulary import INDEX
from pprof_exporter.scrape.state.counters import LatestFailure
from pprof_exporter.scrape.state.wedge import STOP_THE_WORLD
from pprof_exporter.verdicts.phrases import joined, percent, seconds
from pprof_exporter.verdicts.snapshot import FetchSummary, TargetSnapshot
from pprof_exporter.verdicts.verdict import (
    CheckOutcome,
    Finding,
    Level,
    Note,
    VerdictLimits,
    healthy,
    noted,
    unknown,
    wrong,
)

_REFUSED = ReasonGroup.REFUSED.reasons
# Reasons of other failure modes: refusals and missing handlers are F15, a second profiler is F14. And those of none.
_NOT_F13 = _REFUSED | NOT_SERVED | ReasonGroup.BUSY.reasons | ReasonGroup.OWN.reasons
# The failures of `RootCause.FAILING`.
_BROKEN = frozenset(Reason) - _NOT_F13 - NO_PROFILE
_HANDLER_WAITS = (
    "Other requests that stop the world are answered, so the runtime is not stuck: the handler of this profile waits "
    "for something, or sleeps for longer than the exporter waits."
)
# Only Go 1.26 and later have it, so a missing one is no finding.
_MAY_BE_ABSENT = "goroutineleak"


def unreachable(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F13: the target is down, fetches fail, or it restarts. One finding for each cause, the worst first."""
    restarts = _restarts(snapshot, limit)
    if snapshot.up is None:
        return unknown("The target has not been queried yet.")
    if snapshot.hangs.get(INDEX):
        return wrong([restarts], unknown("The target accepts connections and does not answer: F6 reports it."))
    if not snapshot.up:
        return wrong([_down(snapshot), restarts], unknown("The target does not answer."))
    failed = {
        name: fetches
        for name, fetches in ((name, _with_latest_failure(one)) for name, one in snapshot.fetches.items())
        if fetches.reason is not None and fetches.reason not in _NOT_F13 and not _not_mounted(snapshot, fetches)
    }
    unclear = [name for name, one in failed.items() if one.reason is Reason.TIMEOUT_HEADER and one.undecided]
    known = [one.lately for one in snapshot.fetches.values() if one.lately is not None]
    everywhere = bool(known) and _lost([reason for lately in known for reason in lately], limit, _BROKEN)
    causes = {
        RootCause.UNREADABLE: {
            name: one
            for name, one in failed.items()
            if one.reason in NO_PROFILE and _lost(one.lately, limit, NO_PROFILE, "undecodable")
        },
        RootCause.FAILING: {
            name: one
            for name, one in failed.items()
            if one.reason not in NO_PROFILE and (everywhere or _lost(one.lately, limit, _BROKEN))
        },
    }
    told = {name for fetches in causes.values() for name in fetches}
    few = [
        _few(snapshot, name, one)
        for name, one in failed.items()
        if name not in told and name not in unclear and snapshot.fetches[name].reason is not None
    ]
    brought = [name for name, fetches in snapshot.fetches.items() if fetches.succeeded and fetches.reason is None]
    return noted(
        wrong(
            (*(_said(snapshot, cause, fetches) for cause, fetches in causes.items()), restarts),
            _otherwise(brought, unclear, few),
        ),
        (_left_out(snapshot), *few, *_sleeps(snapshot)),
    )


def _with_latest_failure(fetches: FetchSummary) -> FetchSummary:
    """The same with the reason of the latest failure, as long as one within the last quarter of an hour counts."""
    if fetches.reason is not None or not fetches.lately:
        return fetches
    last_quarter = fetches.lately[-max(1, len(fetches.lately) // 4) :]
    reason = next((reason for reason in reversed(last_quarter) if reason is not None), None)
    return replace(fetches, failure=LatestFailure(reason), now_and_then=True) if reason is not None else fetches


def _lost(
    lately: Sequence[Reason | None] | None,
    limit: VerdictLimits,
    reasons: frozenset[Reason],
    share: str = "fetches_lost",
) -> bool:
    """Whether so many fetches end for these reasons as the alert wants. A single fetch says all that is known."""
    if lately is None:
        return True
    failed = sum(reason in reasons for reason in lately)
    return failed >= limit["failures"] and failed > limit[share] * len(lately)


def _otherwise(brought: list[str], unclear: list[str], few: list[Note]) -> CheckOutcome:
    if unclear:
        return unknown(
            f"{joined(unclear)} did not answer before the deadline. The exporter will wait longer once: that shows "
            "whether the handler sleeps before it answers."
        )
    if brought:
        return healthy(f"The target sends {joined(brought)}.")
    return unknown("No fetch has succeeded yet." if few else "No fetch has finished yet.")


def _few(snapshot: TargetSnapshot, name: str, fetches: FetchSummary) -> Note:
    failed = sum(reason is not None for reason in fetches.lately or ())
    return Note(
        f"The latest fetch of {name} failed: {_why(snapshot, name, fetches)} "
        f"In an hour, {failed} of {len(fetches.lately or ())} failed: too few for an alert."
    )


def _down(snapshot: TargetSnapshot) -> Finding:
    reason = snapshot.down
    cause = RootCause.DOWN
    if reason in NO_INDEX_PAGE:
        cause = RootCause.NOT_MOUNTED
    elif reason in _REFUSED:
        cause = RootCause.REFUSED
    if reason is None:
        return Finding(Level.CRITICAL, "The target does not answer.", cause.alert)
    last = snapshot.fetches[INDEX].failure if INDEX in snapshot.fetches else None
    failure = last if last is not None and last.reason is reason else LatestFailure(reason)
    return Finding(Level.CRITICAL, f"No pprof index page: {failure.explained()}", cause.alert)


def _restarts(snapshot: TargetSnapshot, limit: VerdictLimits) -> Finding | None:
    if snapshot.several or snapshot.restarts < limit["restarts"]:
        return None
    said = f"The process restarted {snapshot.restarts} times in the last hour. Read the end of its log."
    return Finding(Level.WARNING, said, "PprofTargetRestarts")


def _not_mounted(snapshot: TargetSnapshot, fetches: FetchSummary) -> bool:
    """Whether the server has no such profile: without an index page, nothing says that it should."""
    return snapshot.down is not None and fetches.reason in NOT_SERVED | OTHER_PAGE


def _left_out(snapshot: TargetSnapshot) -> Note | None:
    if snapshot.down is None or not snapshot.up:
        return None
    missing = [name for name, fetches in snapshot.fetches.items() if _not_mounted(snapshot, fetches) and name != INDEX]
    without = "The target has no index page that lists its profiles."
    return Note(f"{without} It does not serve {joined(missing)}." if missing else without)


def _sleeps(snapshot: TargetSnapshot) -> tuple[Note, ...]:
    return tuple(
        Note(f"The handler of {name} sleeps for {seconds(window)} before it answers. This counts as a window.")
        for name, window in snapshot.handler_windows.items()
    )


def _said(snapshot: TargetSnapshot, cause: RootCause, failed: Mapping[str, FetchSummary]) -> Finding | None:
    """One finding for all profiles that fail for one cause: which, why, and what to do, once for each reason."""
    if not failed:
        return None
    by_cause: dict[tuple[Reason | None, Hint | None, str, bool], list[str]] = {}
    for name, fetches in failed.items():
        hint = fetches.failure.hint if fetches.failure else None
        key = (fetches.reason, hint, not_served(fetches.reason, name), fetches.now_and_then)
        by_cause.setdefault(key, []).append(name)
    said = " ".join(
        f"{'Fetches' if now_and_then else 'The latest fetch'} of {joined(names)} "
        f"{'fail now and then' if now_and_then else 'failed'}: {_why(snapshot, names[0], failed[names[0]])}"
        for (*_, now_and_then), names in by_cause.items()
    )
    return Finding(Level.WARNING, said, cause.alert)


def _why(snapshot: TargetSnapshot, name: str, fetches: FetchSummary) -> str:
    """What the failure shows and what to do. Advice takes into account what else is known of the target."""
    failure = fetches.failure
    if failure is None:
        return "the reason is not known."
    if missing := not_served(failure.reason, name):
        return f"{failure.detail}: {missing}" if failure.detail else missing
    if failure.reason is Reason.TIMEOUT_HEADER and any(
        one.succeeded and one.reason is None for name, one in snapshot.fetches.items() if name in STOP_THE_WORLD
    ):
        return failure.explained(_HANDLER_WAITS)
    return failure.explained()


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
    refused = {
        name: fetches
        for name, fetches in snapshot.fetches.items()
        if name != INDEX and (fetches.reason in _REFUSED or _unserved(snapshot, name, fetches))
    }
    findings = [_said(snapshot, RootCause.REJECTED, refused)]
    if not snapshot.up:
        # Then all are refused, which F13 reports.
        return unknown("The target has not been queried yet." if snapshot.up is None else "The target does not answer.")
    if "cpu" not in snapshot.profiles:
        return wrong(findings, unknown("No CPU profile has been read yet; only its window can exceed a time limit."))
    return wrong(findings, healthy("The server sends every profile that it lists, CPU windows included."))


def _unserved(snapshot: TargetSnapshot, name: str, fetches: FetchSummary) -> bool:
    """Whether a profile that the index page lists has no handler."""
    return fetches.reason in NOT_SERVED and name != _MAY_BE_ABSENT and not _not_mounted(snapshot, fetches)


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
