"""How a person writes an address to listen on."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


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
