"""The order of causes for which a target sends no profiles, or not all. Alerts and verdicts follow it.

Of the causes that hold for a target, the first is its root cause, and only that one is reported: a later cause steps
aside for each earlier one, never the other way round, so that no two step aside for each other.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pprof_exporter.catalog.vocabulary import NO_INDEX_PAGE, NOT_SERVED, Reason

OTHER_PAGE = NO_INDEX_PAGE - NOT_SERVED
"""A page of another server. Without an index page, it stands for a profile that is not mounted."""
NO_HANDLER = (
    "the index page lists it, and the program's router has no handler at its path. pprof.Index serves neither profile "
    "nor trace nor cmdline: register pprof.Profile, pprof.Trace and pprof.Cmdline. For other profiles, register "
    "pprof.Handler(NAME), or give all paths below /debug/pprof/ to pprof.Index."
)
"""What a missing page of a profile means and what to do, where the index page was read."""
_LISTED = "the index page lists it, and the program's router has no handler at its path"
# Profiles by the names that the exporter has for them, with their own handlers (net/http/pprof.init).
_OWN_HANDLERS = {"cpu": ("profile", "pprof.Profile"), "trace": ("trace", "pprof.Trace")}


def not_served(reason: Reason | None, profile: str) -> str:
    """What a reason of `NOT_SERVED` means for a profile whose target has an index page, and what to do; else ""."""
    if reason not in NOT_SERVED or reason is Reason.HTTP_3XX:
        return ""
    if own := _OWN_HANDLERS.get(profile):
        path, handler = own
        return f"{_LISTED}. pprof.Index does not serve it: register {handler} under /debug/pprof/{path}."
    return f"{_LISTED}. Register pprof.Handler(NAME) there, or give all paths below /debug/pprof/ to pprof.Index."


class RootCause(StrEnum):
    """A cause, with its alert. The order of the members is that of the causes."""

    HANGS = "hangs", "PprofTargetWedged", False
    """Connections are accepted and nothing is answered, or nothing that stops the world."""
    NOT_MOUNTED = "not_mounted", "PprofNotMounted", True
    """A web server answers without pprof: 404, or a page of its own with status 200."""
    REFUSED = "refused", "PprofProfileRejected", True
    """The server refuses the index page: credentials, method, other 4xx."""
    DOWN = "down", "PprofTargetDown", True
    """The index page does not come, for any other reason or for changing ones."""
    SEVERAL_PROCESSES = "several_processes", "PprofSeveralProcesses", False
    """Requests reach different processes by turns."""
    REJECTED = "rejected", "PprofProfileRejected", False
    """The index page comes, and single profiles are refused or have no handler."""
    UNREADABLE = "unreadable", "PprofDecodeFailing", False
    """Complete replies that are no profiles."""
    CONFLICT = "conflict", "PprofProfilerConflict", False
    """Another profiler holds the CPU profile."""
    FAILING = "failing", "PprofFetchFailing", False
    """Fetches fail, all of a profile or some."""
    STALE = "stale", "PprofProfileStale", False
    """A profile that came before comes no more, and no other cause says why."""

    alert: str
    without_index: bool

    def __new__(cls, value: str, alert: str, without_index: bool) -> Self:  # noqa: FBT001 - a row of a table
        """`without_index`: it holds only while the target counts as down; no other cause below HANGS does then."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.alert, member.without_index = alert, without_index
        return member

    @property
    def earlier(self) -> tuple[RootCause, ...]:
        """The causes for which this one steps aside."""
        return tuple(RootCause)[: tuple(RootCause).index(self)]
