"""The reason of a request without a reply, from the error of the HTTP client and the phase of the request."""

from __future__ import annotations

import ssl

import aiohttp

from pprof_exporter.catalog import Phase, Reason
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.phases import RetryRefused, Stopwatch

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


def timeout_error(watch: Stopwatch, after: float) -> FetchError:
    """The error of a request that timed out after `after` seconds."""
    reason, detail = _TIMED_OUT[watch.phase]
    return FetchError(reason, f"{detail} within {round(after, 1):g} s")


def transport_error(error: Exception, watch: Stopwatch) -> FetchError:
    """The error of a request that failed in the HTTP client."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return FetchError(Reason.RESOLVE, str(error.os_error))
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return FetchError(Reason.TLS, cause_of(error))
        case aiohttp.ClientHttpProxyError():
            return FetchError(Reason.CONNECT, f"the proxy answered {error.status} {error.message}")
        case aiohttp.ClientResponseError():
            return FetchError(Reason.NOT_HTTP, f"the reply is not HTTP: {error.message}")
    if watch.tls_error is not None and watch.phase is Phase.FIRST_BYTE:
        # With TLS 1.3, a server checks the certificate of a client after the handshake of the client has ended.
        return FetchError(Reason.TLS, f"the server ended the TLS connection: {watch.tls_error}")
    reason, detail = _BROKEN[Phase.FIRST_BYTE if isinstance(error, RetryRefused) else watch.phase]
    cause = cause_of(error)
    return FetchError(reason, f"{detail}: {cause}" if cause else detail)


def cause_of(error: Exception) -> str:
    """The cause, without address and TLS context."""
    return str(getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error)
