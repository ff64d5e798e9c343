"""What every request has to pass before a page sees it: rate limit, client certificate, password, a body in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware

from pprof_exporter.clock import Clock
from pprof_exporter.web.bearer_token import Bearer
from pprof_exporter.web.passwords import Login, PasswordGate
from pprof_exporter.web.protocol import MALFORMED_PATH, log_malformed, malformed_reply
from pprof_exporter.web.replies import text_reply
from pprof_exporter.web.security import WebSecurity

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

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
            if request.path == MALFORMED_PATH:
                reply: web.StreamResponse = malformed_reply(400)
            elif config.interval and not rate.allows(config.interval, config.burst):
                reply = _refusal(429, "Too many requests")
            elif config.allowed_sans and not config.allowed_sans & _names_of_client(request):
                reply = _refusal(403, "The client certificate has none of the allowed names")
            elif config.users and not await by_token(request):
                login = await gate.login(request.headers.getall("Authorization", []), config.users, request.remote)
                reply = await _with_body(request, handler) if login is Login.RIGHT else _refused_login(login)
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
        except (HttpProcessingError, web.RequestPayloadError, ConnectionError) as error:
            log_malformed(request.remote, error)
            return malformed_reply(400)
        except TimeoutError:
            return _refusal(408, f"The request was not complete within {_BODY_WITHIN:g} s.")
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413, "The request is too large.")
    return await handler(request)


def _refused_login(login: Login) -> web.Response:
    if login is Login.TOO_MANY:
        reply = _refusal(429, "Too many passwords are being checked")
        reply.headers["Retry-After"] = "1"
        return reply
    reply = _refusal(401, "Unauthorized")
    reply.headers["WWW-Authenticate"] = 'Basic realm="pprof-exporter"'
    return reply


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
