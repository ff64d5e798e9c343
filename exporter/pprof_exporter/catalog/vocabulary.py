"""Closed sets that appear as label values, in log lines and in error messages."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Outcome(StrEnum):
    """How a fetch ended. `busy` is nobody's failure: another profiler holds the one CPU profile of the process."""

    SUCCESS = "success"
    BUSY = "busy"
    FAILURE = "failure"


class Phase(StrEnum):
    """Parts of a fetch, in order. `first_byte` leaves out the window that the profile was asked to run."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    FIRST_BYTE = "first_byte"
    TRANSFER = "transfer"


class Skip(StrEnum):
    """Why a planned fetch was not made."""

    LATE = "late"
    """Its time passed while an earlier fetch of the same target was still running."""
    BACKOFF = "backoff"
    """Earlier fetches of this profile failed; the exporter waits longer before the next try."""
    TARGET_DOWN = "target_down"
    """The index page did not answer, so the dear profiles were not asked for."""
    GUARD = "guard"
    """To make this profile would stop the target for long, as large as it is now."""
    DEADLINE = "deadline"
    """Prometheus would have given up on the probe before it was done."""


class Deferral(StrEnum):
    """Why a profile that costs the target something waits for a better moment, though not for ever."""

    BUDGET = "budget"
    """The target has been profiled for more of its time than the budget allows."""
    SLOW = "slow"
    """The canary is slow, or was not answered: the target has trouble already."""
    CPU = "cpu"
    """The target uses nearly all processors that it may. CPU profiles are made all the same: they show with what."""


class ProbeResult(StrEnum):
    """How a request for a probe ended."""

    UP = "up"
    DOWN = "down"
    """The target was asked, and did not answer as it should: that is data."""
    REFUSED = "refused"
    """The request is wrong, or asks for what no probe may do (400 and 403)."""
    OVERLOADED = "overloaded"
    """The exporter had no room for it, or did not get to it in time (503)."""
    ERROR = "error"
    """A fault of the exporter itself (500)."""


class ReasonGroup(StrEnum):
    """What kind of failure a reason is.

    Alerts, verdicts and the fetch policy select reasons by group, so that a new reason is classed in one place.
    """

    UNREACHABLE = "unreachable"
    """No connection to the target: name resolution, TCP or TLS failed, or the address is not allowed."""
    TIMEOUT = "timeout"
    """The target accepted the connection. The reply did not begin or did not end in time."""
    REFUSED = "refused"
    """The server refuses this request by its configuration. It will refuse the next one too."""
    NOT_MOUNTED = "not_mounted"
    """A server answers, and has no net/http/pprof under this path."""
    UNKNOWN_PROFILE = "unknown_profile"
    """pprof is mounted, and does not have this profile."""
    BUSY = "busy"
    """Another profiler holds the one CPU profile of the process. Not a fault of the target."""
    SERVER_ERROR = "server_error"
    """The server, or a proxy before it, failed."""
    INCOMPLETE = "incomplete"
    """The connection or the body ended too early."""
    OTHER_PAGE = "other_page"
    """A complete HTML page where a profile was expected."""
    UNDECODABLE = "undecodable"
    """A complete reply that is neither a profile nor an HTML page."""

    @property
    def reasons(self) -> frozenset[Reason]:
        """The reasons of this group."""
        return frozenset(reason for reason in Reason if reason.group is self)


class Reason(StrEnum):
    """Why a fetch gave no profile. Every value has a `group`, a `meaning` and an `advice`."""

    RESOLVE = "resolve", ReasonGroup.UNREACHABLE
    CONNECT = "connect", ReasonGroup.UNREACHABLE
    FORBIDDEN = "forbidden", ReasonGroup.UNREACHABLE
    TLS = "tls", ReasonGroup.UNREACHABLE
    TIMEOUT_HEADER = "timeout_header", ReasonGroup.TIMEOUT
    TIMEOUT_BODY = "timeout_body", ReasonGroup.TIMEOUT
    UNAUTHORIZED = "unauthorized", ReasonGroup.REFUSED
    NOT_MOUNTED = "not_mounted", ReasonGroup.NOT_MOUNTED
    UNKNOWN_PROFILE = "unknown_profile", ReasonGroup.UNKNOWN_PROFILE
    BUSY = "busy", ReasonGroup.BUSY
    WRITE_TIMEOUT = "write_timeout", ReasonGroup.REFUSED
    METHOD = "method", ReasonGroup.REFUSED
    HTTP_4XX = "http_4xx", ReasonGroup.REFUSED
    HTTP_5XX = "http_5xx", ReasonGroup.SERVER_ERROR
    TOO_LARGE = "too_large", ReasonGroup.UNDECODABLE
    EMPTY = "empty", ReasonGroup.INCOMPLETE
    HTML = "html", ReasonGroup.OTHER_PAGE
    TEXT = "text", ReasonGroup.UNDECODABLE
    GZIP = "gzip", ReasonGroup.UNDECODABLE
    TRUNCATED = "truncated", ReasonGroup.INCOMPLETE
    PROTO = "proto", ReasonGroup.UNDECODABLE
    INVALID = "invalid", ReasonGroup.UNDECODABLE

    group: ReasonGroup

    def __new__(cls, value: str, group: ReasonGroup | None = None) -> Self:
        """A member without a group is an error when the module is imported."""
        if group is None:
            raise TypeError(f"reason {value!r} has no group; name one of ReasonGroup")
        member = str.__new__(cls, value)
        member._value_ = value
        member.group = group
        return member

    @property
    def meaning(self) -> str:
        """What was seen, as one sentence without a full stop."""
        return _EXPLAINED[self][0]

    @property
    def advice(self) -> str:
        """What a person does next, as one sentence."""
        return _EXPLAINED[self][1]


NOT_SERVED = ReasonGroup.NOT_MOUNTED.reasons | ReasonGroup.UNKNOWN_PROFILE.reasons
"""A server answers, and nothing serves this path."""

NO_INDEX_PAGE = ReasonGroup.NOT_MOUNTED.reasons | ReasonGroup.OTHER_PAGE.reasons
"""A web server answers without the index page of pprof. Single profiles may be mounted all the same."""

NO_PROFILE = ReasonGroup.OTHER_PAGE.reasons | ReasonGroup.UNDECODABLE.reasons
"""A complete reply that is no profile."""

_EXPLAINED: dict[Reason, tuple[str, str]] = {
    Reason.RESOLVE: (
        "the host name did not resolve",
        "Check the name, and the DNS that the exporter uses.",
    ),
    Reason.CONNECT: (
        "no TCP connection",
        "Check that the service runs, that it listens on this address, and that no firewall is between.",
    ),
    Reason.FORBIDDEN: (
        "the name resolved to addresses to which no probe may connect",
        "Check the name; if the address is right, name its network under probe.allowed.networks.",
    ),
    Reason.TLS: (
        "the TLS handshake failed",
        "Check the certificate, the server name, and whether the port speaks TLS at all.",
    ),
    Reason.TIMEOUT_HEADER: (
        "connected, but no reply before the deadline",
        "If the index page answers and this profile does not, the Go runtime may be unable to stop the world.",
    ),
    Reason.TIMEOUT_BODY: (
        "the reply began, but did not end before the deadline",
        "Look for a slow network, a proxy that buffers, or a process that stalls.",
    ),
    Reason.UNAUTHORIZED: (
        "the target wants credentials (401 or 403)",
        "Give the exporter access to the pprof endpoints, or expose them on a port of their own.",
    ),
    Reason.NOT_MOUNTED: (
        "something answered, but not net/http/pprof (404, or a redirect)",
        "Import net/http/pprof in the service, or correct the path prefix of the target.",
    ),
    Reason.UNKNOWN_PROFILE: (
        "pprof is mounted, but this Go version or router has no such profile",
        "Nothing is wrong: disable this profile for the target, or upgrade Go.",
    ),
    Reason.BUSY: (
        "another profiler is collecting from this process",
        "Find the second profiler (Pyroscope, Parca, Datadog, a person) and let one of the two go.",
    ),
    Reason.WRITE_TIMEOUT: (
        "the window is longer than the server's WriteTimeout (Go 1.22 and older refuse)",
        "Ask for a shorter window, or raise WriteTimeout of the server that serves pprof.",
    ),
    Reason.METHOD: (
        "the server does not allow GET on this path (405)",
        "Check which handler the router has under this path.",
    ),
    Reason.HTTP_4XX: (
        "the server refused the request (another 4xx)",
        "Read the reply: a plain request to a TLS port, for example, is answered with 400.",
    ),
    Reason.HTTP_5XX: (
        "the server failed (5xx)",
        "Read the log of the service, or of the proxy before it.",
    ),
    Reason.TOO_LARGE: (
        "the reply is larger than the limit",
        "Raise the limit if the profile really is that large; a few KiB that inflate to GiB are an attack or a fault.",
    ),
    Reason.EMPTY: (
        "the reply has no body, or the connection was closed without a reply",
        "Look for a proxy that swallows the body, or a process that died meanwhile.",
    ),
    Reason.HTML: (
        "an HTML page where a profile was expected",
        "A router, login page or proxy answers instead of pprof; correct the address or the path prefix.",
    ),
    Reason.TEXT: (
        "readable text where a profile was expected",
        "Ask without debug=1 or debug=2; the legacy text formats are not read.",
    ),
    Reason.GZIP: (
        "the gzip stream is corrupt",
        "Look for a proxy that rewrites bodies.",
    ),
    Reason.TRUNCATED: (
        "the body ends too early",
        "The connection was cut: look for WriteTimeout of the server, a proxy timeout, or a crash meanwhile.",
    ),
    Reason.PROTO: (
        "the body is not a profile.proto message",
        "Check what the target serves under this path.",
    ),
    Reason.INVALID: (
        "the message parses, but breaks the rules of the format",
        "Keep the file and report it to those who made the profiler that wrote it.",
    ),
}


INDEX = "index"
"""The index page of net/http/pprof."""
CANARY = "canary"
"""A request that costs the target nothing."""
MEMSTATS = "memstats"
"""`runtime.MemStats`, at the end of heap?debug=1."""
TRACE = "trace"
"""An execution trace, for an audit of the sampling clock."""
STACKS = "stacks"
"""goroutine?debug=2, off unless it is asked for."""
