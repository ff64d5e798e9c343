"""Tokens of the client credentials grant (RFC 6749, section 4.4): one at a time, kept until shortly before it ends."""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import aiohttp
from yarl import URL

from pprof_exporter.clock import Clock
from pprof_exporter.config import BadSecret, OAuth2, fits_header, hide
from pprof_exporter.scrape.client.phases import untimed
from pprof_exporter.scrape.client.transport_errors import cause_of

# As golang.org/x/oauth2: a token is not used in its last seconds.
_ENDS_EARLY = 10.0
# After a failure, nobody asks again for so many seconds: a thousand targets may share one token.
_REST = 10.0
_LARGEST = 1024 * 1024


class NoToken(Exception):
    """There is no token now; the message says why, and shows no secret."""


class TokenSource:
    """The token of one client. It is asked for once, whatever the number of requests that wait for it."""

    def __init__(self, settings: OAuth2, clock: Clock, context: Callable[[], ssl.SSLContext]) -> None:
        self._settings = settings
        self._clock = clock
        self._context = context
        self._asking = asyncio.Lock()
        self._header = ""
        self._ends = 0.0
        self._trouble = ""
        self._rests_until = 0.0
        self._in_header = True

    async def header(self, session: aiohttp.ClientSession) -> str:
        """The value of `Authorization`. Raises `NoToken`."""
        async with self._asking:
            now = self._clock.steady()
            if self._header and now < self._ends:
                return self._header
            if now < self._rests_until:
                raise NoToken(self._trouble)
            try:
                with untimed():
                    self._header, seconds = await self._ask(session)
            except NoToken as error:
                self._trouble, self._rests_until = str(error), self._clock.steady() + _REST
                raise
            self._ends = now + seconds - _ENDS_EARLY if seconds is not None else float("inf")
            return self._header

    def refuse(self, header: str) -> None:
        """Do not use this token again, since a target did not take it."""
        if header == self._header:
            self._header = ""

    async def _ask(self, session: aiohttp.ClientSession) -> tuple[str, float | None]:
        """The header, and for how many seconds it holds."""
        try:
            secret = self._settings.client_secret.read()
        except BadSecret as error:
            raise NoToken(f"client_secret_file {error}") from None
        status, body = await self._post(session, secret)
        if 400 <= status < 500:
            # Servers are to take the credentials in a header, and some take them in the form only.
            self._in_header = not self._in_header
            status, body = await self._post(session, secret)
        if status != 200:
            raise NoToken(f"HTTP {status}{_told(body, secret)}")
        token, kind = body.get("access_token"), body.get("token_type") or "Bearer"
        if not isinstance(token, str) or not token or not isinstance(kind, str) or not fits_header(kind + token):
            raise NoToken("the reply contains no access_token")
        return f"{'Bearer' if kind.lower() == 'bearer' else kind} {token}", _seconds(body.get("expires_in"))

    async def _post(self, session: aiohttp.ClientSession, secret: str) -> tuple[int, dict[str, Any]]:
        settings, url = self._settings, URL(self._settings.token_url)
        form = {"grant_type": "client_credentials", **dict(settings.endpoint_params)}
        if settings.scopes:
            form["scope"] = " ".join(settings.scopes)
        headers = {"Accept": "application/json"}
        if self._in_header:
            both = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {b64encode(both.encode()).decode()}"
        else:
            form |= {"client_id": settings.client_id, "client_secret": secret}
        try:
            async with session.post(
                url.with_user(None),
                data=form,
                headers=headers,
                ssl=self._context(),
                server_hostname=settings.tls.server_name or None,
                proxy=settings.proxy.for_url(url) if settings.proxy else None,
                allow_redirects=False,
            ) as reply:
                return reply.status, _object(await reply.content.read(_LARGEST))
        except (aiohttp.ClientError, OSError) as error:
            raise NoToken(cause_of(error) or "the connection was cut") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(body: dict[str, Any], secret: str) -> str:
    """What an error reply says, by RFC 6749, section 5.2."""
    words = ", ".join(str(body[key])[:200] for key in ("error", "error_description") if body.get(key))
    return f": {hide(words, secret)}" if words else ""


def _seconds(given: object) -> float | None:
    """`expires_in`: a number, which some servers write as text."""
    try:
        seconds = float(given) if isinstance(given, str | int | float) else None
    except ValueError:
        return None
    return seconds if seconds is not None and seconds > 0 else None
