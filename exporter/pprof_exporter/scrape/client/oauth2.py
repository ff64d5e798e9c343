"""Tokens of the client credentials grant (RFC 6749, section 4.4), each used until shortly before it expires."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

from pprof_exporter.clock import Clock
from pprof_exporter.config import BadSecret, OAuth2, fits_header, hide
from pprof_exporter.exhaustion import exhausted_resource
from pprof_exporter.inputs.json_document import BadJson, parse_json
from pprof_exporter.inputs.urls import parse_url
from pprof_exporter.scrape.client.content_encoding import decoded_beginning
from pprof_exporter.scrape.client.errors import ExporterExhausted
from pprof_exporter.scrape.client.http_client import HttpClient, HttpRequest
from pprof_exporter.scrape.client.phases import Stopwatch
from pprof_exporter.scrape.client.route import Route, basic_authorization
from pprof_exporter.scrape.client.transport_errors import TRANSPORT_ERRORS, forget_frames

# As in golang.org/x/oauth2: a token is not used in its last seconds.
_EXPIRES_EARLY = 10.0
# Seconds without another request after a failure: a thousand targets may share one token.
_RETRY_AFTER = 10.0
_MAX_BYTES = 1024 * 1024


class TokenError(Exception):
    """No token was obtained. The message says why, without secrets."""


class TokenSource:
    """The token of one client. It is requested once, however many fetches wait for it."""

    def __init__(self, settings: OAuth2, clock: Clock, context: Callable[[], ssl.SSLContext]) -> None:
        self._settings = settings
        self._clock = clock
        self._context = context
        self._lock = asyncio.Lock()
        self._header = ""
        self._expires_at = 0.0
        self._problem = ""
        self._retry_at = 0.0
        self._in_header = True

    async def header(self, http: HttpClient) -> str:
        """The value of `Authorization`. Raises `TokenError`."""
        async with self._lock:
            now = self._clock.steady()
            if self._header and now < self._expires_at:
                return self._header
            if now < self._retry_at:
                raise TokenError(self._problem)
            try:
                self._header, seconds = await self._request_token(http)
            except TokenError as error:
                self._problem, self._retry_at = str(error), self._clock.steady() + _RETRY_AFTER
                raise
            self._expires_at = now + seconds - _EXPIRES_EARLY if seconds is not None else float("inf")
            return self._header

    def discard(self, header: str) -> None:
        """Stop using this token: a target refused it."""
        if header == self._header:
            self._header = ""

    async def _request_token(self, http: HttpClient) -> tuple[str, float | None]:
        """The header, and the seconds for which it is valid; None: without end."""
        try:
            secret = self._settings.client_secret.read()
        except BadSecret as error:
            raise TokenError(f"client_secret_file {error}") from None
        status, body = await self._post(http, secret)
        if 400 <= status < 500:
            # Servers should accept the credentials in a header; some accept them in the form only.
            self._in_header = not self._in_header
            status, body = await self._post(http, secret)
        if status != 200:
            raise TokenError(f"HTTP {status}{_error_text(body, secret)}")
        token, kind = body.get("access_token"), body.get("token_type") or "Bearer"
        if not isinstance(token, str) or not token or not isinstance(kind, str) or not fits_header(kind + token):
            raise TokenError("the reply contains no access_token")
        return f"{'Bearer' if kind.lower() == 'bearer' else kind} {token}", _seconds(body.get("expires_in"))

    async def _post(self, http: HttpClient, secret: str) -> tuple[int, dict[str, Any]]:
        settings, url = self._settings, parse_url(self._settings.token_url)
        form = {"grant_type": "client_credentials", **dict(settings.endpoint_params)}
        if settings.scopes:
            form["scope"] = " ".join(settings.scopes)
        headers = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")]
        if self._in_header:
            authorization = basic_authorization(quote_plus(settings.client_id), quote_plus(secret))
            headers.append(("Authorization", authorization))
        else:
            form |= {"client_id": settings.client_id, "client_secret": secret}
        tls = self._context() if url.scheme == "https" else None
        route = Route(tls, settings.tls.server_name, settings.proxy.for_url(url) if settings.proxy else None)
        request = HttpRequest(url.with_user(None), route, headers, urlencode(form).encode())
        try:
            with await http.send(request, Stopwatch()) as reply:
                beginning = await reply.beginning(_MAX_BYTES)
                encodings = reply.head.headers.get("content-encoding", ())
                return reply.head.status, _object(decoded_beginning(beginning, encodings, _MAX_BYTES))
        except TRANSPORT_ERRORS as error:
            problem, resource = str(error), exhausted_resource(error)
            forget_frames(error)
        if resource is not None:
            raise ExporterExhausted(resource, problem)
        raise TokenError(problem or "the connection was cut")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = parse_json(body)
    except BadJson:
        return {}
    return found if isinstance(found, dict) else {}


def _error_text(body: dict[str, Any], secret: str) -> str:
    """The error and its description in a reply (RFC 6749, section 5.2)."""
    words = ", ".join(str(body[key])[:200] for key in ("error", "error_description") if body.get(key))
    return f": {hide(words, secret)}" if words else ""


def _seconds(given: object) -> float | None:
    """`expires_in` as a number; some servers write it as text."""
    try:
        seconds = float(given) if isinstance(given, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    return seconds if seconds is not None and seconds > 0 else None
