"""How a person writes an address to listen on, and the URL under which the pages are reached from outside.

As in Prometheus (cmd/prometheus/main.go of 3.5, `computeExternalURL` and what follows it) and the exporters with these
flags, the prefix of the paths is by default the path of the external URL. A proxy that strips the path before it
passes a request on needs `--web.route-prefix=/` besides.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

# What stands in a path as it is (RFC 3986, section 3.3). An asterisk or brace would be a pattern for the router.
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()+,;=:@-]+)*")


class BadAddress(ValueError):
    """The text is not an address to listen on."""


@dataclass(frozen=True, slots=True)
class Listen:
    """An address; host None means every interface, IPv4 and IPv6. Port 0 lets the system choose."""

    host: str | None
    port: int

    @property
    def loopback(self) -> bool:
        """Only programs on this machine can reach it."""
        return self.host is not None and is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host is a loopback address or localhost; other names are not resolved."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def parse_listen(text: str) -> Listen:
    """Read `:9717`, `127.0.0.1:9717` or `[::1]:9717`. Raises `BadAddress`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadAddress(f"{text!r} is not an address; write :9717, 127.0.0.1:9717 or [::1]:9717")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise BadAddress(f"{text!r}: write an IPv6 address in brackets, as in [::1]:9717")
    return Listen(host.strip("[]") or None, int(port))


class BadPath(ValueError):
    """The text is no external URL, or no prefix."""


def external_path(url: str) -> str:
    """The path of an external URL, without a slash at its end: "" for https://host/. Raises `BadPath`."""
    if url[:1] in ("'", '"') or url[-1:] in ("'", '"'):
        raise BadPath("the external URL must not begin or end with quotes")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadPath(f"{url!r} is not a URL: {error}") from None
    if (parts.scheme or parts.netloc) and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise BadPath(f"{url!r} is not a URL; write for example https://monitoring.example.org/pprof-exporter")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadPath(f"{url!r} must not have a query or a fragment")
    return _checked(parts.path)


def route_prefix(text: str, external: str) -> str:
    """The prefix of every path of ours, "" or `/PATH`: `text`, or the path `external` if it is "". Raises `BadPath`."""
    return _checked(text) if text else external


def _checked(path: str) -> str:
    # Prometheus takes slashes off both ends, and puts one before what is left.
    bare = path.strip("/")
    prefix = f"/{bare}" if bare else ""
    if not _PATH.fullmatch(prefix):
        raise BadPath(f"{path!r} is not a path; write for example /pprof-exporter")
    return prefix
