"""What it means that a request did not end with a reply: by what the HTTP client says, and by the phase it was in."""

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
    Phase.FIRST_BYTE: (Reason.EMPTY, "the connection was closed without a reply"),
    Phase.TRANSFER: (Reason.TRUNCATED, "the connection was cut within the body"),
}


def timeout_error(watch: Stopwatch, after: float) -> FetchError:
    """The reason of a request that was given up after so many seconds."""
    reason, detail = _TIMED_OUT[watch.phase]
    return FetchError(reason, f"{detail} within {round(after, 1):g} s")


def transport_error(error: Exception, watch: Stopwatch) -> FetchError:
    """The reason of a request that the HTTP client gave up."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return FetchError(Reason.RESOLVE, str(error.os_error))
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return FetchError(Reason.TLS, cause_of(error))
        case aiohttp.ClientHttpProxyError():
            return FetchError(Reason.CONNECT, f"the proxy answered {error.status} {error.message}")
        case aiohttp.ClientResponseError():
            return FetchError(Reason.TEXT, f"the reply is not HTTP: {error.message}")
    if watch.alert is not None and watch.phase is Phase.FIRST_BYTE:
        # With TLS 1.3, a server looks at the certificate of a client after the client's handshake has ended.
        return FetchError(Reason.TLS, f"the server ended the TLS connection: {watch.alert}")
    reason, detail = _BROKEN[Phase.FIRST_BYTE if isinstance(error, RetryRefused) else watch.phase]
    cause = cause_of(error)
    return FetchError(reason, f"{detail}: {cause}" if cause else detail)


def cause_of(error: Exception) -> str:
    """What went wrong, without the address that was asked and the context with which."""
    return str(getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error)
