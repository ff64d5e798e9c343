"""What goes out with a request, what must not, and the reason when it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from pprof_exporter.catalog import Reason
from pprof_exporter.config import Authorization, BasicAuth, ClientSettings, Secret
from pprof_exporter.scrape import Fetcher
from tests.scrape.client.servers import BASIC, PATIENCE, SECRET, basic, failure, get, serving


async def test_each_kind_of_credentials_arrives_as_it_is_written(fetcher: Fetcher) -> None:
    token = ClientSettings(
        Authorization("Token", Secret(SECRET)), headers=(("X-Scope", Secret("a")), ("X-Scope", Secret("b")))
    )
    async with serving() as server:
        await get(fetcher, BASIC, server.url)
        await get(fetcher, token, server.url)
        await get(fetcher, ClientSettings(BasicAuth(Secret("ü€"), Secret("ß"))), server.url)
        await get(fetcher, BASIC, server.url.with_user("own").with_password("p"))
    assert server.authorizations == [
        basic("scott", SECRET),
        f"Token {SECRET}",
        basic("ü€", "ß"),
        basic("own", "p"),
    ]
    assert server.asked[1].headers.getall("X-Scope") == ["a", "b"]


async def test_a_secret_is_read_anew_each_time_and_its_file_is_named_when_it_is_gone(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    settings = ClientSettings(Authorization("Bearer", Secret(file=file)))
    async with serving() as server:
        for text in ("one", "two\n"):
            file.write_text(text)
            await get(fetcher, settings, server.url)
        assert server.authorizations == ["Bearer one", "Bearer two"]
        file.write_text(f"{SECRET}\r\nX-Admin: yes")
        error = await failure(fetcher, settings, server.url)
        assert (error.reason, error.detail) == (
            Reason.UNAUTHORIZED,
            f"{file}: more than one line, or control characters; write the secret on one line",
        )
        file.unlink()
        error = await failure(fetcher, settings, server.url)
        assert error.reason is Reason.UNAUTHORIZED
        assert f"{file}: No such file" in error.detail
        header = ClientSettings(headers=(("X-Key", Secret(file=file)),))
        assert "http_headers: " in (await failure(fetcher, header, server.url)).detail
        assert len(server.asked) == 2


async def test_parameters_go_along_and_those_of_pprof_win(fetcher: Fetcher) -> None:
    async with serving() as server:
        client = fetcher.bind(ClientSettings(), (("tenant", "a b"), ("debug", "9"), ("tenant", "c")))
        await client.get(server.url, query={"debug": "1"}, timeout=PATIENCE)
        await client.get(server.url, timeout=PATIENCE)
    assert server.asked[0].rel_url.raw_query_string == "debug=1&tenant=a+b&tenant=c"
    assert server.asked[1].rel_url.raw_query_string == "tenant=a+b&debug=9&tenant=c"


@pytest.mark.parametrize("text", ["x\r\nX-Admin: yes", "x\nGET /admin HTTP/1.1", "x y", "\x00"])
async def test_what_a_target_or_a_parameter_brings_cannot_add_a_header(fetcher: Fetcher, text: str) -> None:
    async with serving() as server:
        await fetcher.bind(ClientSettings(), (("a", text),)).get(server.url.with_path(f"/{text}/"), timeout=PATIENCE)
    (request,) = server.asked
    assert request.query["a"] == text
    assert request.path == f"/{text}/"
    assert "X-Admin" not in request.headers


async def test_a_server_that_repeats_a_secret_does_not_bring_it_into_messages(fetcher: Fetcher) -> None:
    def repeat(request: web.BaseRequest) -> web.Response:
        return web.Response(status=403, text=f"{request.headers['Authorization']} {SECRET}")

    async with serving() as server:
        server.replies[server.url.path] = repeat
        error = await failure(fetcher, BASIC, server.url)
    assert error.detail == 'HTTP 403 Forbidden: "Basic <secret> <secret>"'


async def test_a_client_that_nobody_holds_any_longer_is_let_go(fetcher: Fetcher) -> None:
    async with serving() as server:
        for number in range(5):
            await get(fetcher, ClientSettings(Authorization("Bearer", Secret(str(number)))), server.url)
    assert len(fetcher._clients._by_settings) == 1
