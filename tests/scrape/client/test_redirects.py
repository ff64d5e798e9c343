"""Where a fetch goes when a target sends it elsewhere, and what stays at home."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.config import ClientSettings, Secret
from pprof_exporter.scrape import Fetcher
from tests.scrape.client.servers import BASIC, PATIENCE, SECRET, basic, failure, get, serving, to


async def test_redirects_are_not_followed_unless_asked_for(fetcher: Fetcher) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to("/elsewhere")
        error = await failure(fetcher, BASIC, server.url)
        assert (error.reason, error.detail) == (Reason.HTTP_3XX, "HTTP 302 Found: /elsewhere")
        following = ClientSettings(BASIC.auth, follow_redirects=True)
        assert await get(fetcher, following, server.url) == b"here"
    assert [request.path for request in server.asked] == [server.url.path, server.url.path, "/elsewhere"]
    assert server.authorizations[2] == basic("scott", SECRET)


async def test_credentials_never_go_to_another_host_not_even_on_the_way_back(fetcher: Fetcher) -> None:
    settings = ClientSettings(BASIC.auth, headers=(("X-Key", Secret(SECRET)),), follow_redirects=True)
    async with serving() as home, serving(host="127.0.0.2") as stranger:
        home.replies[home.url.path] = to(str(stranger.url.with_path("/a")))
        stranger.replies["/a"] = to(str(home.url.with_path("/back")))
        assert await get(fetcher, settings, home.url) == b"here"
    for request in (*stranger.asked, home.asked[1]):
        assert "Authorization" not in request.headers
        assert "X-Key" not in request.headers
    assert len(home.asked) == 2


@pytest.mark.parametrize("location", ["/a%2Fb/c%20d", "a%2Fb", "/a%2Fb?c=d%2Fe"])
async def test_a_redirect_is_followed_as_it_is_written(fetcher: Fetcher, location: str) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to(location)
        assert await get(fetcher, ClientSettings(follow_redirects=True), server.url) == b"here"
    assert server.asked[1].raw_path.endswith(location)


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/debug/pprof/heap", "more than 10 redirects, the last was HTTP 302: /debug/pprof/heap"),
        ("file:///etc/passwd", "which is not an http or https URL"),
        ("http://[x", "which is not an http or https URL"),
        ("gopher://x:1/", "which is not an http or https URL"),
    ],
)
async def test_redirects_that_lead_nowhere_end(fetcher: Fetcher, location: str, says: str) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to(location)
        error = await failure(fetcher, ClientSettings(follow_redirects=True), server.url)
    assert error.reason is Reason.HTTP_3XX
    assert says in error.detail
    assert len(server.asked) <= 11


async def test_redirects_are_part_of_what_a_fetch_took(fetcher: Fetcher) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to("/next", 307)
        client = fetcher.bind(ClientSettings(follow_redirects=True))
        reply = await client.get(server.url, timeout=PATIENCE)
        alone = await client.get(server.url.with_path("/next"), timeout=PATIENCE)
    assert reply.phases.connect > 0
    assert reply.phases.total > 0
    assert alone.body == reply.body
