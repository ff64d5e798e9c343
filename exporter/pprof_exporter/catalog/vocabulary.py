"""Closed sets that appear as label values, in log lines and in error messages."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Outcome(StrEnum):
    """How a fetch ended. `busy` is no failure: another profiler runs the one CPU profile of the process."""

    SUCCESS = "success"
    BUSY = "busy"
    FAILURE = "failure"


class Phase(StrEnum):
    """Parts of a fetch, in order. `first_byte` does not include the window of the profile."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    FIRST_BYTE = "first_byte"
    TRANSFER = "transfer"


class Skip(StrEnum):
    """Why a scheduled fetch did not run."""

    LATE = "late"
    """An earlier fetch of the target was still running at its time."""
    BACKOFF = "backoff"
    """Earlier fetches of this profile failed, so the exporter waits longer before the next try."""
    TARGET_DOWN = "target_down"
    """The index page did not answer, so costly profiles are not fetched."""
    GUARD = "guard"
    """The profile would stop a target of this size for long."""
    DEADLINE = "deadline"
    """The probe would have passed Prometheus's timeout."""
    MEMORY = "memory"
    """The reply is large, and other large replies took all of the memory for replies in flight for long."""


class Deferral(StrEnum):
    """Why a costly profile is deferred, for a limited time."""

    BUDGET = "budget"
    """The target has used up its profiling budget."""
    SLOW = "slow"
    """The canary is slow or failed: the target already has trouble."""
    CPU = "cpu"
    """The target uses nearly all of its processors. CPU profiles still run: they show the cause."""


class ProbeResult(StrEnum):
    """Result of a probe request."""

    UP = "up"
    DOWN = "down"
    """The target was fetched and did not answer properly: that is data."""
    REFUSED = "refused"
    """The request is invalid, or the target is not allowed (400 and 403)."""
    OVERLOADED = "overloaded"
    """The exporter had no capacity, or did not start in time (503)."""
    ERROR = "error"
    """An internal error of the exporter (500)."""


class ReasonGroup(StrEnum):
    """What kind of failure a reason is.

    Alerts, verdicts and the fetch policy select reasons by group, so that a new reason is classed in one place.
    """

    UNREACHABLE = "unreachable"
    """No HTTP: name, TCP or TLS failed, the address is not allowed, or another protocol answers."""
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
    UNUSABLE = "unusable"
    """A reply came that no HTTP client can use: its status, header or encoding."""
    INCOMPLETE = "incomplete"
    """The connection or the body ended too early."""
    OWN = "own"
    """The exporter lacks something. Says nothing about the target, and is never counted for it."""
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

    EXHAUSTED = "exhausted", ReasonGroup.OWN
    RESOLVE = "resolve", ReasonGroup.UNREACHABLE
    CONNECT = "connect", ReasonGroup.UNREACHABLE
    FORBIDDEN = "forbidden", ReasonGroup.UNREACHABLE
    TLS = "tls", ReasonGroup.UNREACHABLE
    NOT_HTTP = "not_http", ReasonGroup.UNREACHABLE
    HEADERS = "headers", ReasonGroup.UNUSABLE
    TIMEOUT_HEADER = "timeout_header", ReasonGroup.TIMEOUT
    TIMEOUT_BODY = "timeout_body", ReasonGroup.TIMEOUT
    UNAUTHORIZED = "unauthorized", ReasonGroup.REFUSED
    NOT_MOUNTED = "not_mounted", ReasonGroup.NOT_MOUNTED
    HTTP_3XX = "http_3xx", ReasonGroup.NOT_MOUNTED
    UNKNOWN_PROFILE = "unknown_profile", ReasonGroup.UNKNOWN_PROFILE
    BUSY = "busy", ReasonGroup.BUSY
    HTTP_2XX = "http_2xx", ReasonGroup.UNUSABLE
    WRITE_TIMEOUT = "write_timeout", ReasonGroup.REFUSED
    METHOD = "method", ReasonGroup.REFUSED
    HTTP_4XX = "http_4xx", ReasonGroup.REFUSED
    HTTP_5XX = "http_5xx", ReasonGroup.SERVER_ERROR
    TOO_LARGE = "too_large", ReasonGroup.UNDECODABLE
    CLOSED = "closed", ReasonGroup.INCOMPLETE
    EMPTY = "empty", ReasonGroup.UNDECODABLE
    ENCODING = "encoding", ReasonGroup.UNUSABLE
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
        """What was observed, as one sentence without a full stop."""
        return _EXPLAINED[self][0]

    @property
    def advice(self) -> str:
        """What to do next, as one sentence."""
        return _EXPLAINED[self][1]


NOT_SERVED = ReasonGroup.NOT_MOUNTED.reasons | ReasonGroup.UNKNOWN_PROFILE.reasons
"""A server answers, and nothing serves this path."""

NO_INDEX_PAGE = ReasonGroup.NOT_MOUNTED.reasons | ReasonGroup.OTHER_PAGE.reasons | {Reason.TEXT, Reason.EMPTY}
"""A web server answers without the index page of pprof: 404, or a page of its own with status 200, of whatever kind.

Single profiles may be mounted all the same.
"""

NO_PROFILE = ReasonGroup.OTHER_PAGE.reasons | ReasonGroup.UNDECODABLE.reasons
"""A complete reply that is no profile."""

UNANSWERED = (
    ReasonGroup.UNREACHABLE.reasons
    | ReasonGroup.TIMEOUT.reasons
    | ReasonGroup.SERVER_ERROR.reasons
    | ReasonGroup.INCOMPLETE.reasons
)
"""The server did not answer this request. After any other reason it did: with something else than pprof."""

_EXPLAINED: dict[Reason, tuple[str, str]] = {
    Reason.EXHAUSTED: (
        "the exporter itself lacks descriptors, ports, memory, threads, its name server or its proxy",
        "See pprof_exporter_exhausted_total and the log of the exporter. The target was not judged.",
    ),
    Reason.RESOLVE: ("the host name did not resolve", "Check the name and the exporter's DNS."),
    Reason.CONNECT: (
        "the TCP connection failed",
        "Check that the service runs and listens on this address, and that no firewall blocks it.",
    ),
    Reason.FORBIDDEN: (
        "the name resolved to addresses that probes may not connect to",
        "Check the name. If the address is right, add its network to probe.allowed.networks.",
    ),
    Reason.TLS: ("the TLS handshake failed", "Check the certificate, the server name, and that the port speaks TLS."),
    Reason.NOT_HTTP: (
        "the reply is not HTTP",
        "Check the port of the target: a server of another protocol listens there.",
    ),
    Reason.HEADERS: (
        "the header of the reply is malformed, or longer than 1 MiB or 10,000 lines",
        "Check the server, or the proxy in front of it. The detail names the line.",
    ),
    Reason.TIMEOUT_HEADER: (
        "connected, but no reply before the deadline",
        "If nothing that stops the world answers (goroutine, heap?debug=1), the Go runtime may be unable to stop it.",
    ),
    Reason.TIMEOUT_BODY: (
        "the reply began, but did not end before the deadline",
        "Check for a slow network, a buffering proxy or a stalled process.",
    ),
    Reason.UNAUTHORIZED: (
        "the target requires credentials (401 or 403)",
        "Give the exporter credentials for the pprof endpoints, or serve them on a separate port.",
    ),
    Reason.NOT_MOUNTED: (
        "net/http/pprof is not at this path (404)",
        "Import net/http/pprof in the service, or correct the target's path prefix.",
    ),
    Reason.HTTP_2XX: (
        "the server answered with another status than 200 (other 2xx)",
        "Check for a proxy: 203 and 206 say that a body was changed or is not whole.",
    ),
    Reason.HTTP_3XX: (
        "the server redirects the request (3xx), which is not followed by default",
        "If it leads to a login page, give the exporter credentials. Otherwise correct the address.",
    ),
    Reason.UNKNOWN_PROFILE: (
        "pprof is mounted, but this Go version or router does not have the profile",
        "Nothing is wrong. Disable this profile for the target, or upgrade Go.",
    ),
    Reason.BUSY: (
        "another profiler is running a CPU profile of this process",
        "Find the other profiler (Pyroscope, Parca, Datadog, a person) and disable one of the two.",
    ),
    Reason.WRITE_TIMEOUT: (
        "the window is longer than the server's WriteTimeout (Go 1.22 and older refuse)",
        "Shorten the window, or raise WriteTimeout of the server that serves pprof.",
    ),
    Reason.METHOD: (
        "the server does not allow GET on this path (405)",
        "Check which handler the router has at this path.",
    ),
    Reason.HTTP_4XX: (
        "the server rejected the request (other 4xx)",
        "Check what the server asks for, such as a rate limit. Its words are with the latest failure.",
    ),
    Reason.HTTP_5XX: ("the server failed (5xx)", "Check the log of the service, or of the proxy in front of it."),
    Reason.TOO_LARGE: (
        "the reply is larger than a limit, or would become so in memory",
        "The message names it. Raise a limit of bytes if need be. A few KiB that become GiB are an attack.",
    ),
    Reason.CLOSED: (
        "the connection was closed without a reply",
        "Check for a crash of the process, and for a proxy or port forwarding without a server behind it.",
    ),
    Reason.EMPTY: (
        "the reply has no body",
        "Check for a proxy that drops the body, or a server that answers every path with an empty reply.",
    ),
    Reason.ENCODING: (
        "the reply has a Content-Encoding other than gzip and deflate",
        "Stop the server or proxy from compressing replies to clients that send Accept-Encoding: identity.",
    ),
    Reason.HTML: (
        "the reply is an HTML page, not a profile",
        "A router, login page or proxy answers instead of pprof. Correct the address, the path or the credentials.",
    ),
    Reason.TEXT: (
        "the reply is text, not a profile",
        "Check which server answers at this path. Remove debug=1 or debug=2: the text formats are not supported.",
    ),
    Reason.GZIP: ("the gzip stream is corrupt", "Check for a proxy that rewrites bodies."),
    Reason.TRUNCATED: (
        "the body ends too early",
        "The connection was cut. Check the server's WriteTimeout, proxy timeouts, and crashes.",
    ),
    Reason.PROTO: ("the body is not a profile.proto message", "Check what the target serves at this path."),
    Reason.INVALID: (
        "the profile.proto message violates the rules of the format",
        "Save the file and report it to the authors of the profiler.",
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


class Severity(StrEnum):
    """Urgency of an alert."""

    INFO = "info"
    """For information; by default it notifies no receiver."""
    WARNING = "warning"
    """To be handled within the working day."""
    CRITICAL = "critical"
    """Profiling, or the service with it, is broken now."""
