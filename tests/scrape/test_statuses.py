"""Every HTTP status has a pinned reason and a pinned group: a new row of the table cannot move one unseen."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog import Reason, ReasonGroup
from pprof_exporter.scrape.client.errors import ErrorReply, classify_response

STATUSES = range(100, 600)

BY_REASON: dict[Reason, tuple[ReasonGroup, set[int]]] = {
    Reason.NOT_HTTP: (ReasonGroup.UNREACHABLE, set(range(100, 200))),
    Reason.HTTP_2XX: (ReasonGroup.UNUSABLE, {*range(200, 300)} - {204, 205}),
    Reason.EMPTY: (ReasonGroup.UNDECODABLE, {204, 205}),
    Reason.NOT_MOUNTED: (ReasonGroup.NOT_MOUNTED, {404}),
    Reason.HTTP_3XX: (ReasonGroup.NOT_MOUNTED, set(range(300, 400))),
    Reason.UNAUTHORIZED: (ReasonGroup.REFUSED, {401, 403}),
    Reason.METHOD: (ReasonGroup.REFUSED, {405}),
    # 429 is among them: a limit on requests is a refusal (PprofProfileRejected), not a fault of the server.
    Reason.HTTP_4XX: (ReasonGroup.REFUSED, {*range(400, 500)} - {401, 403, 404, 405}),
    Reason.HTTP_5XX: (ReasonGroup.SERVER_ERROR, set(range(500, 600))),
}
"""What a reply means whose text says nothing that pprof would say."""

BY_TEXT = [
    (400, b"profile duration exceeds server's WriteTimeout\n", Reason.WRITE_TIMEOUT, ReasonGroup.REFUSED),
    (404, b"Unknown profile\n", Reason.UNKNOWN_PROFILE, ReasonGroup.UNKNOWN_PROFILE),
    (500, b"Could not enable CPU profiling: cpu profiling already in use\n", Reason.BUSY, ReasonGroup.BUSY),
]


def reason_of(status: int, body: bytes = b"", *, from_pprof: bool = False) -> Reason:
    return classify_response(ErrorReply(status, from_pprof, body)).reason


def test_every_status_is_pinned_once() -> None:
    pinned = sorted(status for _, statuses in BY_REASON.values() for status in statuses)
    assert pinned == list(STATUSES)


@pytest.mark.parametrize("from_pprof", [False, True])
@pytest.mark.parametrize("pinned", BY_REASON)
def test_every_status_has_its_reason_and_its_group(pinned: Reason, *, from_pprof: bool) -> None:
    group, statuses = BY_REASON[pinned]
    assert {status for status in STATUSES if reason_of(status, from_pprof=from_pprof) is pinned} == statuses
    assert pinned.group is group


@pytest.mark.parametrize(("status", "body", "reason", "group"), BY_TEXT)
def test_only_pprof_itself_says_more_than_its_status(
    status: int, body: bytes, reason: Reason, group: ReasonGroup
) -> None:
    assert reason_of(status, body, from_pprof=True) is reason
    assert reason.group is group
    assert reason_of(status, body) is reason_of(status)
    others = {of for of in STATUSES if of != status and reason_of(of, body, from_pprof=True) is reason}
    assert others == set()


def test_no_standard_knows_statuses_of_600_and_more() -> None:
    assert {reason_of(status) for status in (600, 999)} == {Reason.HTTP_5XX}
