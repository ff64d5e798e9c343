"""What the exporter answers over HTTP."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urljoin

import aiohttp
import bcrypt
import pytest
from aiohttp.test_utils import TestClient
from prometheus_client.registry import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.config import Target, parse_target
from pprof_exporter.exposition import ConfigState, PprofCollector
from pprof_exporter.rules import ALERTS
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.web import AccessRules, EvidenceAccess, Readiness, WebConfig, WebSecurity, build_app
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of

Client = TestClient[aiohttp.web.Request, aiohttp.web.Application]
MakeClient = Callable[..., Awaitable[Client]]
USERS = {"prometheus": bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()}


@pytest.fixture
async def pool(clock: FakeClock, fetcher: FakeFetcher) -> AsyncIterator[Pool]:
    hostile = Target("<b>shop</b>:1", parse_target("shop:1").url)
    pool = pool_of(clock, fetcher, hostile, "gone:1")
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, "<script>alert(1)</script>"))
    await clock.advance(10)
    yield pool
    await pool.close(0)


@pytest.fixture
def client_of(pool: Pool, clock: FakeClock, aiohttp_client: AiohttpClient) -> MakeClient:
    async def begin(
        *,
        readiness: Readiness | None = None,
        security: WebSecurity | None = None,
        reload: Callable[[], str | None] | None = None,
    ) -> Client:
        registry = CollectorRegistry()
        registry.register(PprofCollector(pool, ConfigState(successful=True, loaded_at=0), clock))
        app = build_app(
            registry,
            pool,
            readiness or Readiness(),
            evidence_access=EvidenceAccess(AccessRules(security or WebSecurity())),
            reload=reload,
        )
        return await aiohttp_client(app)

    return begin


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def test_metrics_are_text_by_default_and_openmetrics_on_request(client_of: MakeClient) -> None:
    client = await client_of()
    plain = await client.get("/metrics")
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'pprof_up{target="gone:1"} 0.0' in await plain.text()
    asked = await client.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert asked.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert (await asked.text()).endswith("# EOF\n")


async def test_metrics_are_compressed_only_on_request(client_of: MakeClient) -> None:
    client = await client_of()
    plain = await client.get("/metrics", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    packed = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert await packed.text() == await plain.text()


async def test_ready_turns_to_503_while_the_exporter_stops(client_of: MakeClient) -> None:
    readiness = Readiness()
    client = await client_of(readiness=readiness)
    assert (await client.get("/-/ready")).status == 200
    readiness.ready = False
    assert (await client.get("/-/ready")).status == 503
    assert (await client.get("/-/healthy")).status == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy", "/-/ready"])
async def test_every_page_forbids_what_it_does_not_need(client_of: MakeClient, path: str) -> None:
    client = await client_of()
    headers = (await client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_unknown_paths_and_methods_are_refused(client_of: MakeClient) -> None:
    client = await client_of()
    assert (await client.get("/nothing")).status == 404
    assert (await client.post("/metrics")).status == 405
    assert (await client.get("/-/reload")).status == 405


async def test_reload_is_forbidden_until_it_is_enabled(client_of: MakeClient) -> None:
    client = await client_of()
    reply = await client.post("/-/reload")
    assert reply.status == 403
    assert "--web.enable-lifecycle" in await reply.text()


async def test_reload_says_what_is_wrong_with_the_file(client_of: MakeClient) -> None:
    problems: list[str | None] = [None, "config.yaml:3: no"]
    client = await client_of(reload=lambda: problems.pop(0))
    assert (await client.post("/-/reload")).status == 200
    failed = await client.put("/-/reload")
    assert failed.status == 500
    assert "config.yaml:3: no" in await failed.text()


async def test_with_users_every_path_wants_the_right_password(client_of: MakeClient) -> None:
    client = await client_of(security=WebSecurity(config=WebConfig(users=USERS)))
    for path in ("/", "/metrics", "/-/healthy", "/nothing"):
        refused = await client.get(path)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert (await client.get("/metrics", headers=basic("prometheus", "wrong"))).status == 401
    assert (await client.get("/metrics", headers=basic("nobody", "secret"))).status == 401
    for header in ("Basic !", "Basic ", "Bearer secret", "Basic " + base64.b64encode(b"no-colon").decode()):
        assert (await client.get("/metrics", headers={"Authorization": header})).status == 401
    for _ in range(2):
        assert (await client.get("/metrics", headers=basic("prometheus", "secret"))).status == 200


async def test_every_alert_has_its_runbook_on_a_page(client_of: MakeClient) -> None:
    client = await client_of()
    index = await (await client.get("/runbooks/")).text()
    for alert in ALERTS:
        assert f"/runbooks/{alert.name}" in index
        reply = await client.get(f"/runbooks/{alert.name}")
        assert reply.status == 200
        assert f"<h2>{alert.name}</h2>" in await reply.text()


async def test_every_link_of_a_runbook_leads_somewhere(client_of: MakeClient) -> None:
    client = await client_of()
    for alert in sorted({alert.name for alert in ALERTS}):
        text = await (await client.get(f"/runbooks/{alert}")).text()
        links = set(re.findall(r'href="([^"#]+)', text))
        beside = {urljoin(f"/runbooks/{alert}", link) for link in links if not link.startswith("http")}
        assert [link for link in beside if (await client.get(link)).status == 404] == []


async def test_a_runbook_speaks_of_the_target_that_the_link_names(client_of: MakeClient) -> None:
    client = await client_of()
    text = await (await client.get("/runbooks/PprofCpuCoverageLow", params={"target": "gone:1"})).text()
    assert "http://gone:1/debug/pprof/profile" in text
    assert "{target=&quot;gone:1&quot;}" in text


async def test_a_runbook_takes_no_word_from_strangers(client_of: MakeClient) -> None:
    client = await client_of()
    text = await (await client.get("/runbooks/PprofCpuCoverageLow", params={"target": "<b>other</b>"})).text()
    assert "other</b>" not in text
    text = await (await client.get("/runbooks/PprofCpuCoverageLow", params={"target": "<b>shop</b>:1"})).text()
    assert "&lt;b&gt;shop&lt;/b&gt;:1" in text
    assert "<b>shop" not in text


@pytest.mark.parametrize("name", ["PprofNone", "..%2F..%2FREADME", "%00"])
async def test_no_other_file_is_a_runbook(client_of: MakeClient, name: str) -> None:
    client = await client_of()
    assert (await client.get(URL(f"/runbooks/{name}", encoded=True))).status == 404


async def test_an_error_of_a_page_is_counted_and_answered_with_a_sentence(
    client_of: MakeClient, pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def surprise(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pprof_exporter.web.pages.targets_page.targets_page", surprise)
    client = await client_of()
    for _ in range(3):
        reply = await client.get("/targets")
        assert reply.status == 500
        assert await reply.text() == "An internal error ended this request; see the log of the exporter.\n"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert pool.internal_errors == 3
    assert len(caplog.records) == 1
