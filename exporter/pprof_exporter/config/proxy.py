"""Which requests go through a proxy, with the rules of Go's golang.org/x/net/http/httpproxy for exceptions."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import parse_url


@dataclass(frozen=True, slots=True)
class Proxy:
    """Proxies by the scheme of a request. Their URLs may hold a password, so they are never shown."""

    http: URL | None = field(default=None, repr=False)
    https: URL | None = field(default=None, repr=False)
    exempt: tuple[str, ...] = ()
    """Hosts that are requested directly: `host`, `.domain`, `host:port`, an address, a network, or `*`."""
    loopback: bool = True
    """Whether requests to this machine go through the proxy too."""

    def for_url(self, url: URL) -> URL | None:
        """The proxy for a request, or None if it goes directly."""
        proxy = self.https if url.scheme == "https" else self.http
        if proxy is None or self._is_exempt((url.host or "").lower().rstrip("."), url.port):
            return None
        return proxy

    def _is_exempt(self, host: str, port: int | None) -> bool:
        address = _address(host)
        if not self.loopback and (host == "localhost" or (address is not None and address.is_loopback)):
            return True
        return any(_matches(entry, host, port, address) for entry in self.exempt)


def parse_proxy(text: str) -> URL:
    """Read `http://[USER:PASSWORD@]HOST:PORT`. Raises `ValueError` with a sentence that does not show it."""
    if "://" in text and not text.lower().startswith("http://"):
        raise ValueError("only plain HTTP proxies are supported; write http://HOST:PORT")
    try:
        return parse_url(text if "://" in text else f"http://{text}")
    except BadUrl as error:
        raise ValueError(f"not a proxy URL: {error}; write http://HOST:PORT") from None


def parse_exempt(text: str) -> tuple[str, ...]:
    """Read `no_proxy`: entries by comma."""
    return tuple(entry for part in text.split(",") if (entry := part.strip().lower()))


def proxy_from(environ: Mapping[str, str]) -> Proxy | None:
    """What HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, in capitals or not; None without a proxy. Raises `ValueError`."""

    def value(name: str) -> str:
        return environ.get(name) or environ.get(name.lower()) or ""

    http, https = (parse_proxy(text) if (text := value(name)) else None for name in ("HTTP_PROXY", "HTTPS_PROXY"))
    return Proxy(http, https, parse_exempt(value("NO_PROXY")), loopback=False) if http or https else None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _matches(
    entry: str, host: str, port: int | None, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
) -> bool:
    if entry == "*":
        return True
    before, colon, number = entry.rpartition(":")
    if colon and number.isdecimal() and ("]" in before or ":" not in before):
        if port != int(number):
            return False
        entry = before.strip("[]")
    if address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name = entry.removeprefix("*")
    # `.example.com` is what lies below, `example.com` itself as well.
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")
