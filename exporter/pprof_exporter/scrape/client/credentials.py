"""Applies client settings to each request: current credentials and certificates, and the proxy."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import Clock
from pprof_exporter.config.client_settings import Authorization, BasicAuth, ClientSettings, OAuth2
from pprof_exporter.config.file_stamp import FileStamp, file_stamp
from pprof_exporter.config.secret import BadSecret, hide
from pprof_exporter.config.tls import DEFAULT_TLS, BadTls, TlsSettings, client_context
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.http_client import Headers, HttpClient
from pprof_exporter.scrape.client.oauth2 import TokenError, TokenSource
from pprof_exporter.scrape.client.route import Route, basic_authorization


@dataclass(frozen=True, slots=True)
class Credentials:
    """The headers that authorize one request, and the secrets in them, which are never shown."""

    headers: Headers
    authorization: str = ""
    """The value of the header `Authorization`, which is one of them."""
    secrets: tuple[str, ...] = ()

    def hide(self, text: str) -> str:
        """The text without the secrets, which a server may have repeated."""
        return hide(text, *self.secrets)


class TlsContexts:
    """TLS contexts. Each is created again when one of its files has changed."""

    def __init__(self) -> None:
        self._contexts: dict[TlsSettings, tuple[tuple[FileStamp | None, ...], ssl.SSLContext]] = {}

    def get(self, tls: TlsSettings) -> ssl.SSLContext:
        """The context of these settings. Raises `FetchError` if a file cannot be used now."""
        stamps = tuple(map(file_stamp, tls.files))
        known = self._contexts.get(tls)
        if known is not None and known[0] == stamps:
            return known[1]
        try:
            context = client_context(tls)
        except BadTls as error:
            raise FetchError(Reason.TLS, f"tls_config: {error}") from None
        self._contexts[tls] = (stamps, context)
        return context


class ConfiguredClient:
    """One set of client settings in use. All targets with the same settings share it, and with it the OAuth 2 token."""

    def __init__(self, settings: ClientSettings, clock: Clock, default: TlsContexts) -> None:
        self._settings = settings
        self._default = default
        self._contexts = TlsContexts()
        auth = settings.auth
        self._tokens = TokenSource(auth, clock, lambda: self._context(auth.tls)) if isinstance(auth, OAuth2) else None

    @property
    def follows_redirects(self) -> bool:
        """Whether redirects are followed."""
        return self._settings.follow_redirects

    async def credentials(self, http: HttpClient, url: URL, timeout: float) -> Credentials:
        """The credentials of a request to this URL. User and password in the URL take precedence.

        Raises `FetchError` if they are not available within `timeout` seconds.
        """
        try:
            headers = [(name, secret.read()) for name, secret in self._settings.headers]
        except BadSecret as error:
            raise FetchError(Reason.UNAUTHORIZED, f"http_headers: {error}") from None
        secrets = [value for _, value in headers]
        if url.user is not None or url.password is not None:
            value, *hidden = _basic(url.user or "", url.password or "")
        else:
            value, *hidden = await self._authorization(http, timeout)
        if value:
            headers.append(("Authorization", value))
            secrets += [value.partition(" ")[2], *hidden]
        return Credentials(headers, value, tuple(secrets))

    def discard_token(self, used: Credentials) -> bool:
        """Discard the token that a target refused with 401. Returns whether to try again with a new one."""
        if self._tokens is None or not used.authorization:
            return False
        self._tokens.discard(used.authorization)
        return True

    def route(self, url: URL, *, same_origin: bool) -> Route:
        """How this URL is reached now. Another origin gets no client certificate and no server name.

        Raises `FetchError`.
        """
        settings = self._settings
        proxy = settings.proxy.for_url(url) if settings.proxy else None
        if url.scheme != "https":
            return Route(proxy=proxy)
        tls = settings.tls
        if not same_origin:
            tls = replace(tls, cert_file=None, key_file=None, server_name="")
        return Route(self._context(tls), tls.server_name, proxy)

    def _context(self, tls: TlsSettings) -> ssl.SSLContext:
        return (self._default if tls == DEFAULT_TLS else self._contexts).get(tls)

    async def _authorization(self, http: HttpClient, timeout: float) -> tuple[str, ...]:
        """The value of the header, "" for none, and the other texts to hide."""
        try:
            match self._settings.auth:
                case BasicAuth(username, password):
                    return _basic(username.read(), password.read())
                case Authorization(kind, credentials):
                    return (f"{kind} {credentials.read()}",)
                case OAuth2(client_secret=secret) if self._tokens is not None:
                    async with asyncio.timeout(timeout):
                        return await self._tokens.header(http), secret.text
        except BadSecret as error:
            raise FetchError(Reason.UNAUTHORIZED, str(error)) from None
        except TokenError as error:
            raise FetchError(Reason.UNAUTHORIZED, f"no token from oauth2.token_url: {error}") from None
        except TimeoutError:
            detail = f"no token from oauth2.token_url: no answer within {timeout:g} s"
            raise FetchError(Reason.UNAUTHORIZED, detail) from None
        return ("",)


def _basic(user: str, password: str) -> tuple[str, str]:
    return basic_authorization(user, password), password


class ClientPool:
    """One client for each set of settings, for as long as a caller holds a reference to it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._default = TlsContexts()
        self._by_settings: WeakValueDictionary[ClientSettings, ConfiguredClient] = WeakValueDictionary()

    def get(self, settings: ClientSettings) -> ConfiguredClient:
        """The client of these settings. The caller holds it for as long as it is needed."""
        client = self._by_settings.get(settings)
        if client is None:
            client = self._by_settings[settings] = ConfiguredClient(settings, self._clock, self._default)
        return client
