"""The exception of a fetch, and what an HTTP reply that is no profile means.

The replies are those of net/http/pprof (src/net/http/pprof/pprof.go, Go 1.16 to 1.27). The header `X-Go-Pprof: 1`,
which it sets on its errors only, tells them from those of a router or proxy.
"""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog import Reason

_UNAUTHORIZED = (401, 403)
_ALREADY_IN_USE = (b"already in use", b"already enabled", b"already tracing")


class FetchError(Exception):
    """No complete 200 reply came; `reason` says why in a closed set, the text in words."""

    def __init__(self, reason: Reason, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status
        """That of the reply, where there was one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A complete reply with a status other than 200."""

    status: int
    from_pprof: bool
    body: bytes
    location: str = ""


def classify_response(reply: Refusal) -> FetchError:
    """The reason for which the target did not give a profile."""
    reason = _reason(reply)
    words = reply.location[:200] or " ".join(reply.body[:200].decode("utf-8", "replace").split())
    return FetchError(reason, f"HTTP {reply.status}: {words}" if words else f"HTTP {reply.status}", reply.status)


def _reason(reply: Refusal) -> Reason:
    match reply.status:
        case status if status in _UNAUTHORIZED:
            return Reason.UNAUTHORIZED
        case 404 if reply.from_pprof and b"Unknown profile" in reply.body:
            return Reason.UNKNOWN_PROFILE
        case 404:
            return Reason.NOT_MOUNTED
        case 405:
            return Reason.METHOD
        case 400 if reply.from_pprof and b"WriteTimeout" in reply.body:
            return Reason.WRITE_TIMEOUT
        case 500 if reply.from_pprof and any(words in reply.body for words in _ALREADY_IN_USE):
            return Reason.BUSY
        case status if status >= 500:
            return Reason.HTTP_5XX
        case status if status >= 400:
            return Reason.HTTP_4XX
        case status if status >= 300:
            return Reason.NOT_MOUNTED
        case _:
            return Reason.EMPTY
