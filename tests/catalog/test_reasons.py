"""Every reason has one group, and the alert and the verdict that follow from it are pinned."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from pprof_exporter.catalog import NO_INDEX_PAGE, NO_PROFILE, NOT_SERVED, Reason, ReasonGroup
from pprof_exporter.catalog.root_causes import RootCause
from pprof_exporter.rules import ALERTS, RECORDING_RULES
from pprof_exporter.scrape.state.counters import LatestFailure
from pprof_exporter.verdicts import TargetSnapshot, verdicts
from pprof_exporter.verdicts.snapshot import FetchSummary

GROUPS: dict[ReasonGroup, set[Reason]] = {
    ReasonGroup.UNREACHABLE: {Reason.RESOLVE, Reason.CONNECT, Reason.FORBIDDEN, Reason.TLS, Reason.NOT_HTTP},
    ReasonGroup.TIMEOUT: {Reason.TIMEOUT_HEADER, Reason.TIMEOUT_BODY},
    ReasonGroup.REFUSED: {Reason.UNAUTHORIZED, Reason.WRITE_TIMEOUT, Reason.METHOD, Reason.HTTP_4XX},
    ReasonGroup.NOT_MOUNTED: {Reason.NOT_MOUNTED, Reason.HTTP_3XX},
    ReasonGroup.UNKNOWN_PROFILE: {Reason.UNKNOWN_PROFILE},
    ReasonGroup.BUSY: {Reason.BUSY},
    ReasonGroup.OWN: {Reason.EXHAUSTED},
    ReasonGroup.SERVER_ERROR: {Reason.HTTP_5XX},
    ReasonGroup.UNUSABLE: {Reason.ENCODING, Reason.HEADERS, Reason.HTTP_2XX},
    ReasonGroup.INCOMPLETE: {Reason.CLOSED, Reason.TRUNCATED},
    ReasonGroup.OTHER_PAGE: {Reason.HTML},
    ReasonGroup.UNDECODABLE: {
        Reason.EMPTY,
        Reason.GZIP,
        Reason.INVALID,
        Reason.PROTO,
        Reason.TEXT,
        Reason.TOO_LARGE,
    },
}


@dataclass(frozen=True, slots=True)
class Follows:
    """What a reason leads to: of a failed profile, and of an index page that does not come."""

    alert: str
    """The alert on `pprof_fetch_failures_total` of a profile."""
    verdict: str
    """The alert that the verdict on a failed profile names."""
    down: str
    """The alert on `pprof_down_info`. A refused index page is a refused profile."""
    down_verdict: str = "PprofTargetDown"


REJECTED, FAILING, UNREADABLE = "PprofProfileRejected", "PprofFetchFailing", "PprofDecodeFailing"
DOWN, NOT_MOUNTED = "PprofTargetDown", "PprofNotMounted"

BY_GROUP: dict[ReasonGroup, Follows] = {
    ReasonGroup.UNREACHABLE: Follows(FAILING, FAILING, DOWN),
    ReasonGroup.TIMEOUT: Follows(FAILING, FAILING, DOWN),
    ReasonGroup.REFUSED: Follows(REJECTED, REJECTED, REJECTED, REJECTED),
    ReasonGroup.NOT_MOUNTED: Follows(REJECTED, REJECTED, NOT_MOUNTED, NOT_MOUNTED),
    ReasonGroup.UNKNOWN_PROFILE: Follows(REJECTED, REJECTED, DOWN),
    # A busy profile is counted as an outcome of its own, never as a failure: only F14 tells of it.
    ReasonGroup.BUSY: Follows(FAILING, "", DOWN),
    # Never counted for a target: the alerts would take the series if there were one.
    ReasonGroup.OWN: Follows(FAILING, "", DOWN),
    ReasonGroup.SERVER_ERROR: Follows(FAILING, FAILING, DOWN),
    ReasonGroup.UNUSABLE: Follows(FAILING, FAILING, DOWN),
    ReasonGroup.INCOMPLETE: Follows(FAILING, FAILING, DOWN),
    ReasonGroup.OTHER_PAGE: Follows(FAILING, UNREADABLE, NOT_MOUNTED, NOT_MOUNTED),
    # The server may also send text that is not HTTP, so that these are among the failed fetches too.
    ReasonGroup.UNDECODABLE: Follows(FAILING, UNREADABLE, DOWN),
}

FOLLOWS = {reason: BY_GROUP[group] for group, reasons in GROUPS.items() for reason in reasons}
FOLLOWS |= dict.fromkeys((Reason.TEXT, Reason.EMPTY), Follows(FAILING, UNREADABLE, NOT_MOUNTED, NOT_MOUNTED))
"""What each reason leads to, by the groups that are pinned here and not by those of the package."""


CAUSES = {
    REJECTED: RootCause.REJECTED,
    FAILING: RootCause.FAILING,
    UNREADABLE: RootCause.UNREADABLE,
    NOT_MOUNTED: RootCause.NOT_MOUNTED,
}


def expression(name: str) -> str:
    """That of the recording rule on which the alert rests."""
    return next(rule.expr for rule in RECORDING_RULES if rule.name == f"target:pprof_{CAUSES[name]}:problem")


def selects(name: str, series: str, reason: Reason) -> bool:
    """Whether the cause of the alert takes series of this name with this reason."""
    found = [
        part
        for part in re.split(r"(?=\bunless\b)|(?=\band\b)|(?=\bor\b)", expression(name))
        if re.search(rf"\b{re.escape(series)}\b", part)
        and not part.startswith("unless")
        and "reason=" in part.replace("!~", "=")
    ]
    assert found, f"{name} does not ask for the reason of {series}"
    return any(_matches(part, reason) for part in found)


def _matches(selector: str, reason: Reason) -> bool:
    operator, pattern = re.findall(r'\breason\s*(=~|!~|!=|=)\s*"([^"]*)"', selector)[0]
    matched = bool(re.fullmatch(pattern, reason))
    return matched if operator in ("=", "=~") else not matched


FAILED = "target_profile_reason:pprof_fetch_failures:ratio_increase30m"
FAILURES = "pprof_fetch_failures_total"
UNDECODED = "target_profile_reason:pprof_decode_failures:ratio_increase30m"


@pytest.mark.parametrize("group", ReasonGroup)
def test_a_group_has_the_reasons_that_are_pinned(group: ReasonGroup) -> None:
    assert group.reasons == GROUPS[group]


def test_every_reason_is_in_one_group() -> None:
    assert set().union(*(group.reasons for group in ReasonGroup)) == set(Reason)
    assert sum(len(group.reasons) for group in ReasonGroup) == len(Reason)


def test_the_unions_of_groups_are_those_that_are_pinned() -> None:
    assert {Reason.NOT_MOUNTED, Reason.HTTP_3XX, Reason.UNKNOWN_PROFILE} == NOT_SERVED
    assert {Reason.NOT_MOUNTED, Reason.HTTP_3XX, Reason.HTML, Reason.TEXT, Reason.EMPTY} == NO_INDEX_PAGE
    assert GROUPS[ReasonGroup.UNDECODABLE] | {Reason.HTML} == NO_PROFILE


@pytest.mark.parametrize("reason", Reason)
def test_a_failed_fetch_of_a_profile_has_one_alert(reason: Reason) -> None:
    alerts = {name for name, series in ((REJECTED, FAILED), (FAILING, FAILURES)) if selects(name, series, reason)}
    assert alerts == {FOLLOWS[reason].alert}
    assert selects(UNREADABLE, UNDECODED, reason), "whatever cannot be decoded has one alert, whatever the reason"


@pytest.mark.parametrize("reason", Reason)
def test_a_missing_index_page_has_one_alert(reason: Reason) -> None:
    alerts = {NOT_MOUNTED} if selects(NOT_MOUNTED, "pprof_down_info", reason) else set()
    if reason in GROUPS[ReasonGroup.REFUSED]:
        alerts.add(REJECTED)
    # Whatever is left: PprofTargetDown leaves out the two others.
    alerts = alerts or {DOWN}
    assert alerts == {FOLLOWS[reason].down}


@pytest.mark.parametrize("reason", Reason)
def test_a_verdict_names_the_alert_of_the_reason(reason: Reason) -> None:
    failed = FetchSummary(LatestFailure(reason), succeeded=1, busy=0, failed=1, mean_latency=0.01)
    found = verdicts(TargetSnapshot(up=True, fetches={"heap": failed}))
    named = {finding.alert for verdict in found for finding in verdict.findings}
    assert named == ({FOLLOWS[reason].verdict} - {""})
    found = verdicts(TargetSnapshot(up=False, down=reason))
    assert {finding.alert for verdict in found for finding in verdict.findings} == {FOLLOWS[reason].down_verdict}


def test_every_alert_of_a_cause_leaves_out_the_causes_before_it_and_no_other() -> None:
    """So that no two alerts step aside for each other, and that two of one tier cannot hold together."""
    for cause in RootCause:
        expr = next(alert.expr for alert in ALERTS if alert.name == cause.alert)
        left_out = set(re.findall(r"unless on \(job, instance, target\) target:pprof_(\w+):problem", expr))
        wanted = {str(one) for one in cause.earlier if one.without_index == cause.without_index} | {"hangs"}
        wanted -= {"several_processes"}
        if cause in (RootCause.HANGS, RootCause.REFUSED):
            continue
        assert left_out == wanted, cause
        assert cause.without_index or "pprof_up" in expr + _recorded(cause), cause


def _recorded(cause: RootCause) -> str:
    return "".join(rule.expr for rule in RECORDING_RULES if rule.name == f"target:pprof_{cause}:problem")
