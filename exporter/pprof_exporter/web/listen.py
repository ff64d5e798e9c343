"""Where the exporter listens."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass

from aiohttp import web


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
    """Whether a host is this machine and nobody else's; names other than localhost are not asked for."""
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


async def start_sites(runner: web.AppRunner, addresses: list[Listen], tls: ssl.SSLContext | None = None) -> list[str]:
    """Listen on every address; returns the URL of each socket. Raises `OSError` when an address is taken."""
    for address in addresses:
        await web.TCPSite(runner, address.host, address.port, ssl_context=tls).start()
    scheme = "https" if tls else "http"
    return [f"{scheme}://{_shown(socket[0])}:{socket[1]}" for socket in runner.addresses]


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - shown to a person, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
