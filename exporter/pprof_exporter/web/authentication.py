"""What every request has to pass before a page sees it: rate limit, client certificate, password, a body in time."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

from pprof_exporter.clock import Clock
from pprof_exporter.web.bearer_token import Bearer
from pprof_exporter.web.replies import text_reply
from pprof_exporter.web.security import WebSecurity

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# bcrypt is slow by design, and the threads are there for profiles.
_CHECKS_AT_ONCE = 2
_BODY_WITHIN = 20.0
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Frame-Options": "DENY",
}


def authentication_gates(security: WebSecurity, clock: Clock, tokens: Mapping[str, Bearer]) -> list[Middleware]:
    """All middlewares, in order. `tokens` are by path, and take the place of a password there."""
    gate, rate = PasswordGate(), RateGate(clock)

    async def by_token(request: web.Request) -> bool:
        token = tokens.get(request.path)
        return token is not None and await token.allows(request)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        config = security.now
        try:
            if config.interval and not rate.allows(config.interval, config.burst):
                reply: web.StreamResponse = _refusal(429, "Too many requests")
            elif config.allowed_sans and not config.allowed_sans & _names_of_client(request):
                reply = _refusal(403, "The client certificate has none of the allowed names")
            elif config.users and not (await by_token(request) or await gate.allows(request, config.users)):
                reply = _refusal(401, "Unauthorized")
                reply.headers["WWW-Authenticate"] = 'Basic realm="pprof-exporter"'
            else:
                reply = await _with_body(request, handler)
        except web.HTTPException as refused:
            _harden(refused, config.headers)
            raise
        _harden(reply, config.headers)
        return reply

    return [guard]


def _harden(reply: web.StreamResponse, own: dict[str, str]) -> None:
    for name, value in {**_HEADERS, **own}.items():
        if value:
            reply.headers.setdefault(name, value)


async def _with_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body first, so that one which never ends delays no page."""
    if request.can_read_body:
        try:
            async with asyncio.timeout(_BODY_WITHIN):
                await request.read()
        except TimeoutError:
            return _refusal(408, f"The request was not complete within {_BODY_WITHIN:g} s.")
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, "The request is too large.")
    return await handler(request)


def _refusal(status: int, text: str) -> web.Response:
    return text_reply(text, status)


def _names_of_client(request: web.Request) -> frozenset[str]:
    """Everything that the certificate of the client is for: names, addresses of hosts and of mail, URIs."""
    certificate = request.transport.get_extra_info("peercert") if request.transport else None
    return frozenset(value for _, value in (certificate or {}).get("subjectAltName", ()))


class RateGate:
    """A bucket of tokens, as golang.org/x/time/rate: full at the start, and one more after each interval."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used = 0.0
        self._at = clock.steady()

    def allows(self, interval: float, burst: int) -> bool:
        """Whether another request may come now."""
        now = self._clock.steady()
        self._used = max(0.0, self._used - (now - self._at) / interval)
        self._at = now
        if self._used + 1 > burst:
            return False
        self._used += 1
        return True


class PasswordGate:
    """Checks passwords and caches which ones were right: bcrypt is slow by design."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)
        self._right: set[bytes] = set()
        self._right_for: dict[str, str] = {}
        self._checks = asyncio.Semaphore(_CHECKS_AT_ONCE)

    async def allows(self, request: web.Request, users: dict[str, str]) -> bool:
        """Whether the request carries user and password of one of `users`, names to bcrypt hashes."""
        if users != self._right_for:
            self._right, self._right_for = set(), users
        given = _credentials(request.headers.getall("Authorization", []))
        if given is None:
            return False
        user, password = given
        mark = hmac.digest(self._salt, hashlib.sha256(user).digest() + password, "sha256")
        if mark in self._right:
            return True
        known = users.get(user.decode("utf-8", "replace"))
        # An unknown user takes as long, so that the time of the answer does not reveal which users exist.
        hashed = known or next(iter(users.values()))
        import bcrypt  # noqa: PLC0415 - only where there are passwords

        async with self._checks:
            # bcrypt reads 72 bytes at the most, and the library refuses more.
            right = await asyncio.to_thread(bcrypt.checkpw, password[:72], hashed.encode())
        if right and known is not None:
            if users == self._right_for:
                self._right.add(mark)
            return True
        return False


def _credentials(headers: list[str]) -> tuple[bytes, bytes] | None:
    if len(headers) != 1:
        return None
    scheme, _, encoded = headers[0].partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
