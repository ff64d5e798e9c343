"""The reason of a request without a reply, from the error of the HTTP client and the phase of the request."""

from __future__ import annotations

import re
import ssl

from pprof_exporter.catalog import Phase, Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.exhaustion import exhausted_resource
from pprof_exporter.scrape.client.dialer import ProxyRefused
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError, HttpError
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.reply_head import HeadTooLarge, MalformedHeader, NotHttp
from pprof_exporter.scrape.client.reply_parser import MalformedBody
from pprof_exporter.scrape.client.stream import NoHttp2, PlainReply, StreamRefused

_TIMED_OUT: dict[Phase, tuple[Reason, str]] = {
    Phase.RESOLVE: (Reason.RESOLVE, "no answer from the name server"),
    Phase.CONNECT: (Reason.CONNECT, "no connection"),
    Phase.TLS: (Reason.TLS, "it did not finish"),
    Phase.FIRST_BYTE: (Reason.TIMEOUT_HEADER, "no reply"),
    Phase.TRANSFER: (Reason.TIMEOUT_BODY, "no end"),
}
_BROKEN: dict[Phase, tuple[Reason, str]] = {
    Phase.RESOLVE: (Reason.RESOLVE, "no address"),
    Phase.CONNECT: (Reason.CONNECT, "no connection"),
    Phase.TLS: (Reason.TLS, "the connection was closed"),
    Phase.FIRST_BYTE: (Reason.CLOSED, "the connection was closed"),
    Phase.TRANSFER: (Reason.TRUNCATED, "the connection was cut within the body"),
}
"""Reasons by phase, and what is said of an error without words."""
_BY_VERIFY_CODE: dict[int, Hint] = {
    9: Hint.CERTIFICATE_EXPIRED,  # Not yet valid.
    10: Hint.CERTIFICATE_EXPIRED,
    18: Hint.CERTIFICATE_AUTHORITY,  # It signs itself.
    19: Hint.CERTIFICATE_AUTHORITY,
    20: Hint.CERTIFICATE_AUTHORITY,
    21: Hint.CERTIFICATE_AUTHORITY,
    62: Hint.CERTIFICATE_NAME,
    64: Hint.CERTIFICATE_NAME,  # An IP address.
}
"""Codes of OpenSSL (X509_V_ERR_..., include/openssl/x509_vfy.h)."""
_BY_ALERT: dict[str, Hint] = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Hint.CLIENT_CERTIFICATE,
    # For a missing one too, in TLS 1.2 (crypto/tls/handshake_server.go).
    "SSLV3_ALERT_BAD_CERTIFICATE": Hint.CLIENT_CERTIFICATE,
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": Hint.HTTP2,
}
_PLACE_IN_C = re.compile(r" \(_ssl\.c:\d+\)$")

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
        case HttpError() if (found := _http_error(error)) is not None:
            return found
        case ssl.SSLError():
            # With TLS 1.3, a server checks the certificate of a client after the handshake of the client has ended.
            ended = "the server ended the TLS connection: " if phase is Phase.FIRST_BYTE else ""
            return FetchError(Reason.TLS, f"{ended}{_PLACE_IN_C.sub('', str(error))}", hint=_tls_hint(error))
    return _broken(phase, str(error))


def _http_error(error: HttpError) -> FetchError | None:
    """The error for what a server or proxy sent; None for a reply that is only cut."""
    match error:
        case ProxyRefused():
            return FetchError(Reason.CONNECT, str(error))
        case PlainReply():
            return FetchError(Reason.TLS, f"the server answers {error}", hint=Hint.PLAIN_PORT)
        case NotHttp():
            return FetchError(Reason.NOT_HTTP, str(error), hint=error.hint)
        case MalformedHeader() | HeadTooLarge():
            return FetchError(Reason.HEADERS, str(error))
        case NoHttp2():
            return FetchError(Reason.CLOSED, f"the server spoke HTTP/2 before: {error}")
        case StreamRefused():
            return FetchError(Reason.CLOSED, str(error), hint=Hint.HTTP2)
        case MalformedBody():
            return FetchError(Reason.TRUNCATED, f"the body is not whole: {error}")
    return None


def _broken(phase: Phase, cause: str) -> FetchError:
    reason, detail = _BROKEN[phase]
    return FetchError(reason, cause or detail)


def _tls_hint(error: ssl.SSLError) -> Hint | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFY_CODE.get(error.verify_code)
    return _BY_ALERT.get(error.reason or "")


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
