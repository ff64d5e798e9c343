"""How a URL is reached."""

from __future__ import annotations

import ssl
from base64 import b64encode
from dataclasses import dataclass

from yarl import URL

from pprof_exporter.scrape.client.reserved_addresses import RedirectGuard


@dataclass(frozen=True, slots=True)
class Route:
    """`tls` for https, with `server_name` if the certificate has another name than the host; the proxy, if any."""

    tls: ssl.SSLContext | None = None
    server_name: str = ""
    proxy: URL | None = None
    guard: RedirectGuard | None = None
    """Which addresses a redirect may lead to; None: any."""

    @property
    def proxy_authorization(self) -> str:
        """The value of `Proxy-Authorization`; "" if the URL of the proxy has no user."""
        proxy = self.proxy
        if proxy is None or (proxy.user is None and proxy.password is None):
            return ""
        return basic_authorization(proxy.user or "", proxy.password or "")


def basic_authorization(user: str, password: str) -> str:
    """User and password as in RFC 7617. UTF-8, as Go sends it and the RFC allows."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
