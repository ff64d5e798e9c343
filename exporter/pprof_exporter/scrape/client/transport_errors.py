"""The reason of a request without a reply, from the error of the HTTP client and the phase of the request."""

from __future__ import annotations

import ssl

from pprof_exporter.catalog import Phase, Reason
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.exhaustion import exhausted_resource
from pprof_exporter.scrape.client.dialer import ProxyRefused
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError, HttpError
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_head import HeadTooLarge, MalformedReply
from pprof_exporter.scrape.client.reply_parser import MalformedBody

_TIMED_OUT: dict[Phase, tuple[Reason, str]] = {
    Phase.RESOLVE: (Reason.RESOLVE, "no answer from the name server"),
    Phase.CONNECT: (Reason.CONNECT, "no TCP connection"),
    Phase.TLS: (Reason.TLS, "the TLS handshake did not finish"),
    Phase.FIRST_BYTE: (Reason.TIMEOUT_HEADER, "connected, no reply"),
    Phase.TRANSFER: (Reason.TIMEOUT_BODY, "the reply did not finish"),
}
_BROKEN: dict[Phase, tuple[Reason, str]] = {
    Phase.RESOLVE: (Reason.RESOLVE, "the name did not resolve"),
    Phase.CONNECT: (Reason.CONNECT, "no TCP connection"),
    Phase.TLS: (Reason.TLS, "the TLS handshake failed"),
    Phase.FIRST_BYTE: (Reason.CLOSED, "the connection was closed without a reply"),
    Phase.TRANSFER: (Reason.TRUNCATED, "the connection was cut within the body"),
}


TRANSPORT_ERRORS = (OSError, HttpError)
"""What a request raises when it fails. The time-out of the event loop is an `OSError` too."""


def transport_error(error: Exception, watch: Stopwatch, allowed: float) -> FetchError:
    """The error of a request that failed in the HTTP client, or after `allowed` seconds."""
    phase = watch.phase
    match error:
        # The system's own time-out of a connection has a number.
        case TimeoutError(errno=None):
            reason, detail = _TIMED_OUT[phase]
            return FetchError(reason, f"{detail} within {round(allowed, 1):g} s")
        case ProxyRefused():
            return FetchError(Reason.CONNECT, str(error))
        case MalformedReply():
            return FetchError(Reason.NOT_HTTP, f"the reply is not HTTP: {error}")
        case HeadTooLarge():
            return FetchError(Reason.TOO_LARGE, str(error))
        case MalformedBody():
            return FetchError(Reason.TRUNCATED, f"the body is not whole: {error}")
        case ssl.SSLError() if phase is Phase.FIRST_BYTE:
            # With TLS 1.3, a server checks the certificate of a client after the handshake of the client has ended.
            return FetchError(Reason.TLS, f"the server ended the TLS connection: {error}")
        case ssl.SSLError():
            return FetchError(Reason.TLS, str(error))
    reason, detail = _BROKEN[phase]
    cause = str(error)
    return FetchError(reason, f"{detail}: {cause}" if cause else detail)


def own_trouble(error: Exception, watch: Stopwatch, allowed: float) -> ExporterExhausted | None:
    """The error of a request that failed for lack of something in the exporter; None if it is about the target."""
    match error:
        case TimeoutError(errno=None) if watch.to_proxy:
            return ExporterExhausted(ExhaustedResource.PROXY, f"no connection within {round(allowed, 1):g} s")
        case ProxyRefused(wants_credentials=True):
            return ExporterExhausted(ExhaustedResource.PROXY, str(error))
    resource = exhausted_resource(error)
    return None if resource is None else ExporterExhausted(resource, str(error) or type(error).__name__)


def forget_frames(error: BaseException) -> None:
    """Have an error that was dealt with refer to nothing.

    A future of the event loop holds its error, and the traceback of the error a frame that holds the future. So all
    that is in the frames of the request, such as its body, would stay until a full collection of garbage.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
