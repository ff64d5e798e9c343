"""Our pages behind a reverse proxy under a path: every link and form leads to a page, whoever strips the path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.registry import CollectorRegistry
from yarl import URL

from pprof_exporter.catalog import ProbeResult, Reason
from pprof_exporter.config.listen_address import BadPath, Listen, external_path, route_prefix
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore, ProfileRole, RawProfile
from pprof_exporter.healthcheck import default_url
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.probing import Prober, ProbeRecord
from pprof_exporter.web import AccessRules, Bearer, EvidenceAccess, PagePaths, Readiness, build_app
from pprof_exporter.web.listen import start_sites
from tests.evidence_store.saved import finding
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of
from tests.scrape.probing.fakes import PatientFetcher, prober_of
from tests.web.crawl import paths_below, visited_from

ROOT = "/monitoring/pprof-exporter/"
PLAIN, WITH_SLASH = "gone:1", "app:1/sub"
Serve = Callable[[PagePaths], Awaitable[str]]


@pytest.fixture
async def pool(clock: FakeClock) -> AsyncIterator[Pool]:
    fetcher = FakeFetcher(clock)
    fetcher.faults[PLAIN] = failing(FetchError(Reason.CONNECT, "refused"))
    pool = pool_of(clock, fetcher, PLAIN, WITH_SLASH, *(f"host-{i}:1" for i in range(120)))
    await clock.advance(70)
    yield pool
    await pool.close(0)


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    """Evidence of both targets, more than fits on one page."""
    store = EvidenceStore.open(tmp_path / "evidence", EvidenceRetention(), 1000.0)
    for number in range(102):
        of = finding(target=PLAIN if number else WITH_SLASH)
        saved = replace(of, runbook="/runbooks/PprofFetchSlow?target=gone:1")
        store.add(saved, [(RawProfile("heap", 990.0, b"\x1f\x8bnow"), ProfileRole.SHOWS)], 1000.0 + number)
    store.close()
    return store


@pytest.fixture
def prober(clock: FakeClock) -> Prober:
    prober = prober_of(clock, PatientFetcher(clock))
    number = prober.history.next_number()
    prober.history.add(ProbeRecord(number, PLAIN, "default", 0.0, 1.0, ProbeResult.DOWN, "connect", "level=info\n"))
    return prober


@pytest.fixture
async def serve(
    pool: Pool, store: EvidenceStore, prober: Prober, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Serve]:
    """Serves the pages; returns their URL without a path."""
    runners: list[web.AppRunner] = []

    async def begin(paths: PagePaths) -> str:
        access = AccessRules(loopback=True, paths=paths, bearer=Bearer(tmp_path / "token"))
        app = build_app(
            CollectorRegistry(), pool, Readiness(), prober=prober, evidence_access=EvidenceAccess(access, store)
        )
        runners.append(web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0))
        await runners[-1].setup()
        (url,) = await start_sites(runners[-1], [Listen("127.0.0.1", 0)])
        return url

    yield begin
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def proxied(session: aiohttp.ClientSession) -> AsyncIterator[Callable[[str, str, str], Awaitable[str]]]:
    """A reverse proxy for what is below `ROOT`: `strip` is taken off each path, and `decode` as nginx decodes."""
    runners: list[web.ServerRunner] = []

    async def begin(upstream: str, strip: str, slashes: str) -> str:
        async def forward(request: web.BaseRequest) -> web.Response:
            path = request.rel_url.raw_path_qs
            if not path.startswith(ROOT):
                return web.Response(status=410, text="outside of the sub-path")
            path = path.replace("%2F", slashes)
            to = URL(upstream + "/" + path.removeprefix(strip).lstrip("/"), encoded=True)
            async with session.get(to, allow_redirects=False) as reply:
                names = ("Content-Type", "Location")
                headers = {name: reply.headers[name] for name in names if name in reply.headers}
                return web.Response(status=reply.status, body=await reply.read(), headers=headers)

        runners.append(web.ServerRunner(web.Server(forward), shutdown_timeout=0))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runners[-1].addresses[0][1]}"

    yield begin
    for runner in runners:
        await runner.cleanup()


async def crawled(session: aiohttp.ClientSession, start: str) -> dict[str, int]:
    async def visit(url: str) -> tuple[int, Mapping[str, str], str]:
        async with session.get(URL(url, encoded=True), allow_redirects=False) as reply:
            return reply.status, reply.headers, (await reply.read()).decode("utf-8", "replace")

    async with asyncio.timeout(120):
        return await visited_from(start, visit)


@pytest.mark.parametrize(
    ("paths", "strip", "slashes"),
    [
        (PagePaths(), ROOT, "%2F"),
        (PagePaths(external=ROOT.rstrip("/")), ROOT, "%2F"),
        (PagePaths(external=ROOT.rstrip("/")), ROOT, "/"),
        (PagePaths(prefix=ROOT.rstrip("/")), "", "%2F"),
        (PagePaths(prefix=ROOT.rstrip("/"), external=ROOT.rstrip("/")), "", "%2F"),
        (PagePaths(prefix="/inner", external=ROOT.rstrip("/")), ROOT.replace("pprof-exporter", "x"), "%2F"),
    ],
    ids=["no flags, stripped", "stripped", "stripped by nginx", "prefix alone", "kept", "another prefix"],
)
async def test_every_link_leads_to_a_page(
    serve: Serve,
    proxied: Callable[[str, str, str], Awaitable[str]],
    session: aiohttp.ClientSession,
    paths: PagePaths,
    strip: str,
    slashes: str,
) -> None:
    upstream = await serve(paths)
    if paths.prefix == "/inner":
        # The proxy puts one path in the place of another.
        upstream, strip = f"{upstream}/inner", ROOT
    seen = await crawled(session, await proxied(upstream, strip, slashes) + ROOT)
    found = paths_below(seen, ROOT)
    assert {"", "targets", "probes", "probes/1", "evidence", "runbooks/", "metrics", "targets/gone:1"} <= found
    assert {"targets/app%3A1%2Fsub", "targets/app:1%2Fsub"} & found
    assert sum(path.startswith("runbooks/Pprof") for path in found) > 40
    assert sum(path.startswith("evidence/") and path.endswith("heap.pb.gz") for path in found) == 102
    assert any("page=2" in url for url in seen if "/evidence" in url)
    assert any("page=2" in url for url in seen if "/targets" in url)
    assert any("?target=gone:1" in url for url in seen if "/runbooks/" in url)


async def test_without_flags_a_name_with_literal_slashes_has_the_right_links_too(
    serve: Serve, session: aiohttp.ClientSession
) -> None:
    url = await serve(PagePaths())
    seen = await crawled(session, f"{url}/targets/{WITH_SLASH}")
    assert {"targets", "metrics", "runbooks/"} <= paths_below(seen, "/")


async def test_all_paths_are_below_the_prefix_and_the_root_leads_there(
    serve: Serve, session: aiohttp.ClientSession
) -> None:
    url = await serve(PagePaths(prefix="/sub/path"))
    for path, status in (
        *(("/sub/path/", 200), ("/sub/path/-/healthy", 200), ("/sub/path/-/ready", 200), ("/sub/path/metrics", 200)),
        *(("/metrics", 404), ("/-/healthy", 404), ("/probe", 404), ("/sub/pathmetrics", 404), ("/sub", 404)),
    ):
        async with session.get(url + path) as reply:
            assert reply.status == status, path
    for path in ("/", "/sub/path"):
        async with session.get(url + path, allow_redirects=False) as reply:
            assert (reply.status, reply.headers["Location"]) == (302, "/sub/path/")
    async with session.post(f"{url}/sub/path/-/alert", json={}) as reply:
        assert reply.status == 401


@pytest.mark.parametrize(
    ("url", "path"),
    [
        # Prometheus, cmd/prometheus/main_test.go, `TestComputeExternalURL`: the same are valid.
        *(("http://proxy.com/prometheus", "/prometheus"), ("https://url/prometheus", "/prometheus")),
        *(("http://localhost:9717", ""), ("http://localhost:9717/", ""), ("https://x/a/b/", "/a/b")),
        *(("/pprof-exporter/", "/pprof-exporter"), ("http://[::1]:9717/~me/a.b", "/~me/a.b")),
    ],
)
def test_the_path_of_an_external_url_is_the_default_of_the_prefix(url: str, path: str) -> None:
    assert external_path(url) == path
    assert route_prefix("", external_path(url)) == path
    assert route_prefix("/", external_path(url)) == ""
    assert route_prefix("other/", external_path(url)) == "/other"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "'https://url/prometheus'",
            '"https://url"',
            "'https://url",
            "https://url'",
            "ftp://x/",
            "http:///a",
            "http://x:y/",
        ),
        *(
            "https://x/?a=b",
            "https://x/#a",
            "https://x/{name}",
            "https://x/a b",
            "https://x/../a",
            "https://x/%2e",
            "http://[",
        ),
    ],
)
def test_what_is_no_external_url_is_refused(url: str) -> None:
    with pytest.raises(BadPath):
        external_path(url)


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({}, "/-/healthy"),
        ({"PPROF_EXPORTER_WEB_EXTERNAL_URL": "https://x/a/b/"}, "/a/b/-/healthy"),
        ({"PPROF_EXPORTER_WEB_EXTERNAL_URL": "https://x/a", "PPROF_EXPORTER_WEB_ROUTE_PREFIX": "/"}, "/-/healthy"),
        ({"PPROF_EXPORTER_WEB_ROUTE_PREFIX": "sub/"}, "/sub/-/healthy"),
    ],
)
def test_the_health_check_asks_below_the_prefix(environ: dict[str, str], path: str) -> None:
    assert default_url(environ) == f"http://127.0.0.1:9717{path}"


def test_links_are_relative_or_from_the_external_path() -> None:
    assert [PagePaths().way_to_root(path) for path in ("/", "/targets", "/targets/x", "/a/b/c")] == [
        *("./", "./", "../", "../../"),
    ]
    assert PagePaths(prefix="/sub").way_to_root("/sub/targets/x") == "../"
    assert PagePaths(external="").way_to_root("/targets/x") == "/"
    assert PagePaths(prefix="/sub", external="/out").way_to_root("/sub/targets/x") == "/out/"
