"""/probe and the pages of the last probes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from multidict import MultiDict
from prometheus_client.registry import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient
from yarl import URL

from pprof_exporter.catalog import ProbeResult, Reason
from pprof_exporter.config import Probing
from pprof_exporter.exposition import ConfigState, ExporterParts, PprofCollector
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.scrape.probing import Prober
from pprof_exporter.web import Readiness, build_app
from tests.lab.exporter import OPENMETRICS
from tests.scrape.fakes import FakeClock, failing, pool_of
from tests.scrape.probing.fakes import PatientFetcher, prober_of
from tests.web.links import with_whole_links

Client = TestClient[aiohttp.web.Request, aiohttp.web.Application]
TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"


@pytest.fixture
def fetcher(clock: FakeClock) -> PatientFetcher:
    fetcher = PatientFetcher(clock)
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, "<script>alert(1)</script>\nlevel=info"))
    return fetcher


@pytest.fixture
async def pool(clock: FakeClock, fetcher: PatientFetcher) -> AsyncIterator[Pool]:
    pool = pool_of(clock, fetcher)
    yield pool
    await pool.close(0)


@pytest.fixture
def prober(clock: FakeClock, fetcher: PatientFetcher, pool: Pool) -> Prober:
    return prober_of(clock, fetcher, Probing(history=3), supervisor=pool.supervisor)


@pytest.fixture
async def client(pool: Pool, prober: Prober, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness(), prober=prober))


async def answered(
    clock: FakeClock, asking: Awaitable[aiohttp.ClientResponse], within: float = 60
) -> tuple[aiohttp.ClientResponse, str]:
    """A reply and its text, while the clock goes on."""
    task = asyncio.ensure_future(asking)
    for _ in range(int(within * 10)):
        await asyncio.sleep(0)
        if task.done():
            break
        await clock.advance(0.1)
        await asyncio.sleep(0.001)
    reply = await task
    return reply, await reply.text()


async def test_a_probe_answers_with_the_series_of_its_target_alone(client: Client, clock: FakeClock) -> None:
    reply, text = await answered(clock, client.get("/probe?target=shop:6060"))
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert 'pprof_up{target="shop:6060"} 1.0' in text
    assert "pprof_cpu_sampled_seconds_total{" in text
    assert "pprof_exporter_" not in text


async def test_a_probe_speaks_openmetrics_and_packs_on_request(client: Client, clock: FakeClock) -> None:
    headers = {"Accept": OPENMETRICS, "Accept-Encoding": "gzip"}
    reply, text = await answered(clock, client.get("/probe?target=shop:1&module=cheap", headers=headers))
    assert reply.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert reply.headers["Content-Encoding"] == "gzip"
    assert text.endswith("# EOF\n")


async def test_a_target_that_is_down_is_data(client: Client, clock: FakeClock) -> None:
    reply, text = await answered(clock, client.get("/probe?target=gone:1"))
    assert reply.status == 200
    assert 'pprof_up{target="gone:1"} 0.0' in text
    assert 'pprof_down_info{reason="connect",target="gone:1"} 1.0' in text


async def test_the_timeout_of_prometheus_shortens_the_window(
    client: Client, clock: FakeClock, fetcher: PatientFetcher
) -> None:
    await answered(clock, client.get("/probe?target=shop:1", headers={TIMEOUT: "4"}))
    await answered(clock, client.get("/probe?target=shop:2"))
    assert fetcher.windows == [2, 5]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "target is missing"),
        ("target=", "target is missing"),
        ("module=default", "target is missing"),
        ("target=a:1&target=a:1", "target occurs 2 times"),
        ("target=a:1&module=cheap&module=default", "module occurs 2 times"),
        ("target=a:1&module=none", "choose from cheap, default"),
        ("target=a:1&module=", "choose from cheap, default"),
        ("target=a:1&module=%3Cb%3E", "choose from cheap, default"),
        ("target=a:1&modul=cheap", "did you mean module?"),
        ("target=a:1&debug=maybe", "true or false"),
        ("target=a:1&service=%22", "A service name has"),
        ("target=http%3A%2F%2Fu%3Ahunter2%40a%3A1", "Remove user and password"),
        ("target=a%3A1%0D%0AX-Evil%3A%201", "ASCII"),
        ("target=a:1&module=cheap%0D%0AX-Evil:%201", "choose from cheap, default"),
        ("target=http%3A%2F%2Fa%3A1%2F..%2F..%2Fdebug%2Fpprof", "The path"),
    ],
)
async def test_bad_parameters_are_400_with_one_sentence(
    client: Client, prober: Prober, fetcher: PatientFetcher, query: str, says: str
) -> None:
    reply = await client.get(URL(f"/probe?{query}", encoded=True))
    text = await reply.text()
    assert (reply.status, reply.content_type) == (400, "text/plain")
    assert says in text
    assert len(text.splitlines()) == 1
    assert "X-Evil" not in reply.headers
    assert not re.search("hunter2|<b>", text)
    assert prober.results == {ProbeResult.REFUSED: 1}
    assert not fetcher.asked


@pytest.mark.parametrize("given", ["", "0", "-1", "nan", "inf", "ten", "1s", "1e999"])
async def test_a_timeout_that_makes_no_sense_is_400(client: Client, given: str) -> None:
    reply = await client.get("/probe?target=a:1", headers={TIMEOUT: given})
    assert reply.status == 400
    assert TIMEOUT in await reply.text()


async def test_a_target_that_is_forbidden_is_403(client: Client, fetcher: PatientFetcher) -> None:
    reply = await client.get("/probe?target=169.254.169.254")
    assert reply.status == 403
    assert "link-local" in await reply.text()
    assert not fetcher.asked


async def test_without_room_it_is_503(
    pool: Pool, clock: FakeClock, fetcher: PatientFetcher, aiohttp_client: AiohttpClient
) -> None:
    prober = prober_of(clock, fetcher, Probing(concurrency=1))
    client = await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness(), prober=prober))
    first = asyncio.ensure_future(client.get("/probe?target=a:1"))
    for _ in range(10_000):
        await asyncio.sleep(0.001)
        if prober.in_flight:
            break
    second = await client.get("/probe?target=b:1")
    assert second.status == 503
    assert "concurrency" in await second.text()
    assert (await answered(clock, first))[0].status == 200


async def test_a_fault_of_ours_is_500_and_counted(
    pool: Pool, clock: FakeClock, fetcher: PatientFetcher, prober: Prober, client: Client
) -> None:
    fetcher.faults["shop:1"] = lambda: RuntimeError("a fault of ours")
    reply, text = await answered(clock, client.get("/probe?target=shop:1"))
    assert reply.status == 500
    assert "Traceback" not in text
    config = ConfigState(successful=True, loaded_at=0)
    series = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in PprofCollector(pool, config, clock, ExporterParts(prober=prober)).collect()
        for sample in metric.samples
    }
    assert series["pprof_exporter_internal_errors_total",] == 1
    assert series["pprof_exporter_probes_total", "error"] == 1
    assert series["pprof_exporter_probed_targets",] == 1


async def test_debug_shows_the_log_the_metrics_and_the_module(client: Client, clock: FakeClock) -> None:
    reply, text = await answered(clock, client.get("/probe?target=shop:1&debug=true"))
    assert reply.content_type == "text/plain"
    log, rest = text.split("Metrics that would have been returned:\n")
    metrics, module = rest.split("Module configuration:\n")
    assert log.startswith("Logs for the probe:\n")
    assert "path=/debug/pprof/profile seconds=5" in log
    assert 'pprof_up{target="shop:1"} 1.0' in metrics
    assert "cpu: interval 60s, window 5s" in module


async def test_a_service_becomes_a_label_of_every_series(client: Client, clock: FakeClock) -> None:
    _, text = await answered(clock, client.get("/probe?target=shop-1:1&service=shop&module=cheap"))
    series = [line for line in text.splitlines() if line.startswith("pprof_")]
    assert all('service="shop"' in line for line in series)


async def test_the_page_lists_the_last_probes_with_their_logs(client: Client, clock: FakeClock) -> None:
    assert "No probes yet" in await (await client.get("/probes")).text()
    for target in ("gone:1", "a:1", "b:1", "c:1", "d:1"):
        await answered(clock, client.get("/probe", params={"target": target, "module": "cheap"}))
    text = with_whole_links(await (await client.get("/probes")).text(), "/probes")
    assert re.findall(r"<td>(\w+:1)</td>", text) == ["d:1", "c:1", "b:1", "gone:1"]
    assert "down: connect" in text
    links = re.findall(r'href="(/probes/\d+)"', text)
    log = await (await client.get(links[-1])).text()
    assert "path=/debug/pprof/ reason=connect" in log
    assert (await client.get("/probes/2")).status == 404


async def test_nothing_that_a_target_says_becomes_markup_or_a_line_of_its_own(client: Client, clock: FakeClock) -> None:
    _, debug = await answered(clock, client.get("/probe?target=gone:1&debug=true"))
    assert not re.search(r"^level=", debug, re.MULTILINE)
    assert "<script" not in await (await client.get("/probes")).text()
    log = await (await client.get("/probes/1")).text()
    assert "<script" not in log
    assert "&lt;script&gt;" in log


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("", FetchError(Reason.UNAUTHORIZED, "HTTP 403: the secret", 403)),
        ("heap", FetchError(Reason.HTTP_3XX, "HTTP 302: http://secret.invalid/", 302)),
        ("heap", b"<html>the secret</html>"),
        ("heap", b"the secret in plain words"),
    ],
    ids=["refused", "redirected", "a page", "text"],
)
async def test_who_probes_reads_nothing_of_a_reply_that_is_no_profile(
    client: Client, fetcher: PatientFetcher, clock: FakeClock, path: str, answer: FetchError | bytes
) -> None:
    if isinstance(answer, FetchError):
        fetcher.faults[f"shop:1/{path}"] = lambda: answer
    else:
        fetcher.bodies[path] = answer
    _, debug = await answered(clock, client.get("/probe?target=shop:1&debug=true"))
    assert "reason=" in debug
    assert "secret" not in debug
    assert "secret" not in await (await client.get("/probes/1")).text()


@pytest.mark.parametrize("path", ["/probes/x", "/probes/-1", "/probes/99999999999999999999", "/probes/1/2"])
async def test_no_other_path_is_a_probe(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_pages_need_nothing_but_themselves(client: Client, clock: FakeClock) -> None:
    await answered(clock, client.get("/probe", params=MultiDict(target="a:1", module="cheap")))
    for path in ("/probes", "/probes/1"):
        reply = await client.get(path)
        assert not re.search(r'(src=|<script|<link|url\(|@import|href="https?:)', await reply.text())
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/probe?target=a:1", "/probes", "/probes/1"])
async def test_probes_can_be_switched_off(pool: Pool, path: str, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness()))
    reply = await client.get(path)
    assert reply.status == 403
    assert "--no-web.enable-probe" in await reply.text()
