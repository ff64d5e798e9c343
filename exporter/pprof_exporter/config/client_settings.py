"""Settings of requests: credentials, certificates, proxy, headers. Frozen, so that equal settings can be shared."""

from __future__ import annotations

from dataclasses import dataclass, field

from pprof_exporter.config.proxy import Proxy
from pprof_exporter.config.secret import Secret
from pprof_exporter.config.tls import DEFAULT_TLS, TlsSettings

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """Username and password."""

    username: Secret
    password: Secret


@dataclass(frozen=True, slots=True)
class Authorization:
    """A header `Authorization: TYPE CREDENTIALS`."""

    type: str
    credentials: Secret


@dataclass(frozen=True, slots=True)
class OAuth2:
    """A token from `token_url`, given for the credentials of this client (RFC 6749, section 4.4)."""

    client_id: str
    client_secret: Secret
    token_url: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    endpoint_params: Params = field(default=(), repr=False)
    tls: TlsSettings = DEFAULT_TLS
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class ClientSettings:
    """How requests are made. `headers` are sent besides those of the exporter; a name may come more than once."""

    auth: BasicAuth | Authorization | OAuth2 | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    tls: TlsSettings = DEFAULT_TLS
    proxy: Proxy | None = None
    follow_redirects: bool = False

    @property
    def carries_secrets(self) -> bool:
        """Whether requests carry credentials, headers or a client certificate, which not every server may get."""
        return self.auth is not None or bool(self.headers) or self.tls.cert_file is not None


DEFAULT_CLIENT = ClientSettings()
