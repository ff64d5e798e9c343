"""The exception of a fetch, and the meaning of an HTTP reply that is not a profile.

The replies are those of net/http/pprof (src/net/http/pprof/pprof.go, Go 1.16 to 1.27). The header `X-Go-Pprof: 1`,
which pprof sets on its errors only, distinguishes them from those of a router or proxy.
"""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.exhaustion import with_limit
from pprof_exporter.profile.page_words import quoted_words

_BY_STATUS: dict[int, Reason] = {
    204: Reason.EMPTY,
    205: Reason.EMPTY,
    400: Reason.HTTP_4XX,  # A plain request to a TLS port (net/http), or parameters that pprof does not combine.
    401: Reason.UNAUTHORIZED,
    403: Reason.UNAUTHORIZED,
    404: Reason.NOT_MOUNTED,
    405: Reason.METHOD,
    407: Reason.HTTP_4XX,
    408: Reason.HTTP_4XX,
    429: Reason.HTTP_4XX,  # Rate limits of gateways.
    500: Reason.HTTP_5XX,
    502: Reason.HTTP_5XX,
    503: Reason.HTTP_5XX,
    504: Reason.HTTP_5XX,
}
"""The statuses that pprof, routers and proxies send; the body does not matter."""

_BY_CLASS: dict[int, Reason] = {
    1: Reason.NOT_HTTP,  # Only 101 ends a request, and the exporter asks for no other protocol.
    2: Reason.HTTP_2XX,
    3: Reason.HTTP_3XX,
    4: Reason.HTTP_4XX,
    5: Reason.HTTP_5XX,
}
"""All other statuses, by their first digit."""

_BY_TEXT: tuple[tuple[int, bytes, Reason], ...] = (
    (400, b"WriteTimeout", Reason.WRITE_TIMEOUT),
    (404, b"Unknown profile", Reason.UNKNOWN_PROFILE),
    (500, b"already in use", Reason.BUSY),
    (500, b"already enabled", Reason.BUSY),
    (500, b"already tracing", Reason.BUSY),
)
"""Errors of pprof itself: the status, a text in the body, and the reason."""

_ASKS_FOR_TLS = (
    b"client sent an http request to an https server",  # net/http/server.go
    b"plain http request was sent to https port",  # nginx
    b"speaking plain http to an ssl-enabled server port",  # Apache
)
_LONGEST_STATUS = 80


class HttpError(Exception):
    """What a server or proxy sends is no reply, or not a whole one. Each kind is a class of its own."""


class FetchError(Exception):
    """There was no complete 200 reply. `reason` is one of a closed set, `detail` a text for people."""

    def __init__(self, reason: Reason, detail: str, status: int | None = None, hint: Hint | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status
        """The HTTP status; None without a reply."""
        self.hint = hint
        """What the reply shows beyond its reason, if that was recognised."""


class ExporterExhausted(FetchError):
    """The exporter itself lacks something, so it does not know how the target is.

    `counted`: whether this one is among those of `OwnTroubles` already.
    """

    def __init__(self, resource: ExhaustedResource, cause: str, *, counted: bool = False) -> None:
        super().__init__(Reason.EXHAUSTED, f"{resource.meaning} ({with_limit(resource, cause)})")
        self.resource = resource
        self.cause = cause
        """What happened, without what that means."""
        self.counted = counted


class NoRoom(FetchError):
    """The exporter had no memory for a large reply: others took all of `limits.bytes_in_flight`.

    That says nothing about the target.
    """

    def __init__(self, most: int) -> None:
        super().__init__(Reason.EXHAUSTED, f"too many large replies at a time for {most} bytes in flight")


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A complete reply with a status other than 200."""

    status: int
    from_pprof: bool
    body: bytes
    """Its beginning, without its encoding."""
    status_text: str = ""
    """Status and words as the server sent them, such as "404 Not Found"."""
    location: str = ""


def classify_response(reply: ErrorReply) -> FetchError:
    """The error for a reply that is not a profile. Its detail has the status line and the first words of the body."""
    line = f"HTTP {reply.status_text.strip()[:_LONGEST_STATUS] or reply.status}"
    words = reply.location[:200] or quoted_words(reply.body)
    return FetchError(_reason(reply), f"{line}: {words}" if words else line, reply.status, _hint(reply))


def _hint(reply: ErrorReply) -> Hint | None:
    said = reply.body.lower()
    asks_for_tls = reply.status == 400 and any(words in said for words in _ASKS_FOR_TLS)
    return Hint.TLS_PORT if asks_for_tls else None


def _reason(reply: ErrorReply) -> Reason:
    if reply.from_pprof:
        for status, text, reason in _BY_TEXT:
            if reply.status == status and text in reply.body:
                return reason
    # No standard has statuses of 600 and more. They count as errors of the server.
    return _BY_STATUS.get(reply.status) or _BY_CLASS.get(reply.status // 100, Reason.HTTP_5XX)
