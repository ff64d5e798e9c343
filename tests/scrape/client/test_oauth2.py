"""Tokens that are asked for: when, how, and what a login server that does not answer costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.config import ClientSettings, OAuth2, Secret
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.errors import FetchError
from tests.scrape.client.servers import PATIENCE, SECRET, Server, basic, failure, serving
from tests.scrape.client.test_fetcher import listening
from tests.scrape.fakes import FakeClock


def oauth2(url: URL, **more: Any) -> ClientSettings:
    return ClientSettings(OAuth2("exporter", Secret(SECRET), str(url), **more))


class Login:
    """A server of tokens, and a target that takes only the latest."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.issued = 0
        self.taken = ""
        self.expires: object = 3600
        server.replies["/token"] = self.token
        server.replies["/debug/pprof/heap"] = self.target

    @property
    def token_url(self) -> URL:
        return self.server.url.with_path("/token")

    def token(self, request: web.BaseRequest) -> web.Response:
        self.issued += 1
        self.taken = f"token-{self.issued}"
        return web.json_response({"access_token": self.taken, "token_type": "bearer", "expires_in": self.expires})

    def target(self, request: web.BaseRequest) -> web.Response:
        good = request.headers.get("Authorization") == f"Bearer {self.taken}"
        return web.Response(status=200 if good else 401, text="here")


@pytest.fixture
async def login() -> AsyncIterator[Login]:
    async with serving() as server:
        yield Login(server)


async def test_a_token_is_asked_for_once_and_kept_until_shortly_before_it_ends(
    fetcher: Fetcher, login: Login, clock: FakeClock
) -> None:
    settings = oauth2(login.token_url, scopes=("a", "b"), endpoint_params=(("audience", "shop"),))
    client = fetcher.bind(settings)
    await asyncio.gather(*(client.get(login.server.url, timeout=PATIENCE) for _ in range(20)))
    assert login.issued == 1
    asked = login.server.asked[0]
    assert asked.headers["Authorization"] == basic("exporter", SECRET)
    assert login.server.forms[0] == {"grant_type": ["client_credentials"], "scope": ["a b"], "audience": ["shop"]}
    clock.time += 3589
    await client.get(login.server.url, timeout=PATIENCE)
    assert login.issued == 1
    clock.time += 2
    await client.get(login.server.url, timeout=PATIENCE)
    assert login.issued == 2


async def test_a_token_that_is_refused_is_renewed_once(fetcher: Fetcher, login: Login) -> None:
    client = fetcher.bind(oauth2(login.token_url))
    await client.get(login.server.url, timeout=PATIENCE)
    login.taken = "another"
    assert (await client.get(login.server.url, timeout=PATIENCE)).body == b"here"
    assert login.issued == 2
    login.server.replies["/debug/pprof/heap"] = lambda _: web.Response(status=401, text="never")
    with pytest.raises(FetchError, match='HTTP 401 Unauthorized: "never"') as caught:
        await client.get(login.server.url, timeout=PATIENCE)
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert login.issued == 3


async def test_a_server_that_takes_the_secret_in_the_form_only_gets_it_there(fetcher: Fetcher, login: Login) -> None:
    def only_form(request: web.BaseRequest) -> web.Response:
        if "Authorization" in request.headers:
            return web.json_response({"error": "invalid_client"}, status=401)
        return login.token(request)

    login.server.replies["/token"] = only_form
    client = fetcher.bind(oauth2(login.token_url))
    await client.get(login.server.url, timeout=PATIENCE)
    assert login.server.forms[1]["client_secret"] == [SECRET]
    login.taken = "another"
    await client.get(login.server.url, timeout=PATIENCE)
    asked = [request for request in login.server.asked if request.path == "/token"]
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (
            lambda: web.json_response({"error": "invalid_client", "error_description": SECRET}, status=400),
            "HTTP 400: invalid_client, <secret>",
        ),
        (lambda: web.Response(status=503, text="no"), "HTTP 503"),
        (lambda: web.json_response({"token": "a"}), "contains no access_token"),
        (lambda: web.json_response({"access_token": "a\r\nX-Admin: 1"}), "contains no access_token"),
        (lambda: web.Response(text="[" * 100_000), "contains no access_token"),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.2:1/"}), "HTTP 302"),
    ],
    ids=["refused", "down", "other", "lines", "deep", "redirect"],
)
async def test_no_token_is_unauthorized_with_the_cause_and_is_not_asked_for_again_at_once(
    fetcher: Fetcher, login: Login, clock: FakeClock, reply: Callable[[], web.Response], says: str
) -> None:
    login.server.replies["/token"] = lambda _: reply()
    settings = oauth2(login.token_url)
    client = fetcher.bind(settings)
    error = await failure(fetcher, settings, login.server.url)
    assert error.reason is Reason.UNAUTHORIZED
    assert error.detail.startswith("no token from oauth2.token_url: ")
    assert says in error.detail
    asked = len(login.server.asked)
    await failure(fetcher, settings, login.server.url)
    assert len(login.server.asked) == asked
    clock.time += 11
    login.server.replies["/token"] = login.token
    assert (await client.get(login.server.url, timeout=PATIENCE)).body == b"here"


async def test_a_login_server_that_hangs_does_not_take_longer_than_the_fetch_may(fetcher: Fetcher) -> None:
    async with listening() as (port, _):
        url = URL(f"http://127.0.0.1:{port}/token")
        error = await failure(fetcher, oauth2(url), URL("http://127.0.0.1:1/"), timeout=0.3)
    assert error.reason is Reason.UNAUTHORIZED
    assert "no answer within 0.3 s" in error.detail
