"""The pages for people: all targets, and one."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from prometheus_client.registry import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.config import Target, parse_target
from pprof_exporter.escaping import terminal_text
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore, ProfileRole, RawProfile
from pprof_exporter.rules import ALERTS
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.web import AccessRules, EvidenceAccess, Readiness, build_app
from pprof_exporter.web.pages.targets_page import TARGETS_PER_PAGE
from tests.evidence_store.saved import finding
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of
from tests.web.links import with_whole_links

Client = TestClient[aiohttp.web.Request, aiohttp.web.Application]
HOSTILE = "<b>shop</b>:1"


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    clock = FakeClock()
    fetcher = FakeFetcher(clock)
    fetcher.stamps = True
    hostile = Target(HOSTILE, parse_target("shop:1").url, (("team", "<i>web</i>"),))
    pool = pool_of(clock, fetcher, hostile, "gone:1", "app:1/sub")
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, "<script>alert(1)</script>"))
    await clock.advance(70)
    yield pool
    await pool.close(0)


@pytest.fixture
async def client(pool: Pool, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness()))


async def text_of(client: Client, path: str) -> str:
    reply = await client.get(path)
    assert (reply.status, reply.content_type) == (200, "text/html")
    return with_whole_links(await reply.text(), path)


async def test_the_worst_target_stands_first_with_what_is_wrong(client: Client) -> None:
    page = await text_of(client, "/targets")

    named = re.findall(r'<a href="(/targets/[^"]+)">', page)
    assert named[0] == "/targets/gone:1"
    assert len(named) == 3
    assert "the TCP connection failed" in page


async def test_the_root_shows_the_targets(client: Client) -> None:
    assert await text_of(client, "/") == await text_of(client, "/targets")


async def test_nothing_that_a_target_says_becomes_markup(client: Client) -> None:
    for path in ("/targets", "/targets/gone:1", "/targets/%3Cb%3Eshop%3C%2Fb%3E:1"):
        page = await text_of(client, path)
        assert not re.search(r"<(script|b>shop|i>web)", page)

    assert "&lt;script&gt;" in await text_of(client, "/targets/gone:1")


async def test_every_target_has_a_page_that_its_link_leads_to(client: Client) -> None:
    for link in re.findall(r'<a href="(/targets/[^"]+)">', await text_of(client, "/targets")):
        assert "<h3>Findings</h3>" in await text_of(client, link)


async def test_a_finding_links_to_the_runbook_of_its_alert_for_this_target(client: Client) -> None:
    page = await text_of(client, "/targets/gone:1")

    links = re.findall(r'href="(/runbooks/(\w+)\?target=gone:1)"', page)
    assert [alert for _, alert in links] == ["PprofTargetDown"]
    assert {alert for _, alert in links} <= {alert.name for alert in ALERTS}
    assert "gone:1" in await text_of(client, links[0][0])


async def test_notes_stand_in_a_fold_and_give_no_state(client: Client) -> None:
    page = await text_of(client, "/targets/app:1/sub")

    (notes,) = re.findall(r"<details><summary>Notes \((\d+)\).*?</details>", page, re.DOTALL)
    assert int(notes) > 0
    assert "does not record it, which is Go&#x27;s default" in page
    assert "<details open" not in page
    assert "does not record it" not in await text_of(client, "/targets")


async def test_the_ticks_of_an_idle_program_are_a_sentence_and_no_picture(client: Client, pool: Pool) -> None:
    state = next(state for state in pool.states if state.target.name == "app:1/sub")
    clock = state.sampling_clock
    assert clock.latest is not None
    clock.processors = 1.0
    assert 'aria-label="Intervals between ticks' in await text_of(client, "/targets/app:1/sub")
    clock.processors = 0.1
    page = await text_of(client, "/targets/app:1/sub")
    assert 'aria-label="Intervals between ticks' not in page
    assert "used 0.1 processors during the latest audit" in page


async def test_a_target_shows_every_failure_mode_once(client: Client) -> None:
    page = await text_of(client, "/targets/app:1/sub")

    assert sorted(re.findall(r'id="(F\d+)"', page)) == sorted(mode.id for mode in FAILURE_MODES)


async def test_a_target_shows_its_fetches_with_their_latencies(client: Client) -> None:
    page = await text_of(client, "/targets/app:1/sub")

    assert re.search(r'<td>heap</td><td data-name="last success">\d+ s ago</td>', page)
    assert re.search(r'<svg class="strip" role="img" aria-label="heap: \d+ fetches', page)
    assert "CPU time" in page


async def test_targets_are_found_by_name_and_by_label(client: Client) -> None:
    assert "gone:1" not in await text_of(client, "/targets?q=sub")
    assert "&lt;b&gt;shop" in await text_of(client, "/targets?q=TEAM%3D")
    assert "No matching targets" in await text_of(client, "/targets?q=nowhere")


async def test_targets_are_found_by_how_bad_they_are(client: Client) -> None:
    page = await text_of(client, "/targets?level=critical")

    assert re.findall(r'<a href="(/targets/[^"]+)">', page) == ["/targets/gone:1"]


@pytest.mark.parametrize("query", ["level=awful", "page=-1", "page=²", "page=99999999999999999999", "page=7", "q=%00"])
async def test_a_query_that_makes_no_sense_does_no_harm(client: Client, query: str) -> None:
    await text_of(client, f"/targets?{query}")


async def test_what_was_searched_for_is_shown_again_and_is_no_markup(client: Client) -> None:
    page = await text_of(client, '/targets?q="><script>')

    assert 'value="&quot;&gt;&lt;script&gt;"' in page


async def test_many_targets_are_shown_page_by_page(aiohttp_client: AiohttpClient) -> None:
    clock = FakeClock()
    pool = pool_of(clock, FakeFetcher(clock), *(f"host-{i}:1" for i in range(TARGETS_PER_PAGE + 1)))
    client = await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness()))
    first, second = [await text_of(client, f"/targets?page={page}") for page in (1, 2)]
    await pool.close(0)

    assert (first.count('href="/targets/host'), second.count('href="/targets/host')) == (TARGETS_PER_PAGE, 1)
    assert "Page 2 of 2" in second


async def test_without_targets_the_page_says_how_to_name_one(aiohttp_client: AiohttpClient) -> None:
    clock = FakeClock()
    pool = pool_of(clock, FakeFetcher(clock))
    client = await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness()))
    page = await text_of(client, "/")
    await pool.close(0)

    assert "pprof-exporter localhost:6060" in page


async def test_a_target_that_does_not_exist_is_not_found(client: Client) -> None:
    reply = await client.get("/targets/nobody:1")

    assert reply.status == 404
    assert "/targets" in await reply.text()


async def test_pages_need_nothing_but_themselves(client: Client) -> None:
    for path in ("/targets", "/targets/app:1/sub", "/runbooks/"):
        page = await text_of(client, path)
        assert not re.search(r'(src=|<script|<link|url\(|@import|href="https?:)', page)


TRAPS = "\ud800\x1b]0;TITLE\x07\x9b\u202e\u2066\u200b\ufeff\u2028\r\n"


async def test_text_from_outside_reaches_no_reader_with_what_has_no_shape(
    aiohttp_client: AiohttpClient, tmp_path: Path
) -> None:
    """Labels of discovery, and what a target answers, on every page and in both formats of metrics."""
    clock = FakeClock()
    fetcher = FakeFetcher(clock)
    pool = pool_of(clock, fetcher, Target("gone:1", parse_target("gone:1").url, (("team", TRAPS), ("service", TRAPS))))
    fetcher.faults["gone:1"] = failing(FetchError(Reason.CONNECT, TRAPS))
    await clock.advance(70)
    store = EvidenceStore.open(tmp_path, EvidenceRetention(), 1000.0)
    hostile = replace(finding(target=TRAPS), said=TRAPS, labels={"team": TRAPS}, missing={"cpu": TRAPS}, alert=TRAPS)
    saved = store.add(hostile, [(RawProfile("heap", 990.0, b"x"), ProfileRole.SHOWS)], 1000.0)
    store.close()
    assert saved is not None
    access = EvidenceAccess(AccessRules(loopback=True), store)
    client = await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness(), evidence_access=access))
    for path in ("/", "/targets/gone:1", "/evidence", f"/evidence/{saved.id}", "/runbooks/PprofTargetDown", "/metrics"):
        for accept in ("text/plain", "application/openmetrics-text;version=1.0.0"):
            reply = await client.get(path, headers={"Accept": accept})
            assert reply.status == 200, path
            text = (await reply.read()).decode()
            shapeless = {character for character in text if terminal_text(character) != character}
            assert shapeless <= {"\t", "\n"}, path
            if "runbooks" not in path:
                # JSON on disk has no lone surrogates.
                assert ("\ufffd" if path.startswith("/evidence") else r"\ud800") in text, path
    manifest = json.loads((tmp_path / saved.id / "manifest.json").read_text())
    assert manifest["labels"] == {"team": TRAPS.replace("\ud800", "\ufffd")}
    await pool.close(0)


async def test_the_page_says_what_the_exporter_itself_lacks_for_as_long_as_it_does(client: Client, pool: Pool) -> None:
    assert "itself has a problem" not in await text_of(client, "/targets")
    pool.supervisor.troubles.count(ExhaustedResource.DESCRIPTORS, "<b>[Errno 24] Too many open files")
    text = await text_of(client, "/targets")
    assert "The exporter itself has a problem, and its targets are not judged by it: no file descriptors" in text
    assert "&lt;b&gt;[Errno 24] Too many open files" in text
