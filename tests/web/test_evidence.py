"""What is kept can be read by those who may, found from where it is needed, and asked for by an Alertmanager."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from prometheus_client.registry import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient
from yarl import URL

from pprof_exporter.config import Target, parse_target
from pprof_exporter.evidence.alert_captures import CaptureAnswer
from pprof_exporter.evidence.capture_request import CaptureRequest
from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore, ProfileRole, RawProfile, SavedFinding
from pprof_exporter.scrape.pool import Pool
from pprof_exporter.web import AccessRules, Bearer, EvidenceAccess, Readiness, WebConfig, WebSecurity, build_app
from pprof_exporter.web.pages.evidence_pages import FINDINGS_PER_PAGE
from tests.evidence.test_capture_request import alert, payload
from tests.evidence_store.saved import bodies, finding
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of
from tests.web.links import with_whole_links
from tests.web.test_app import USERS, basic

Client = TestClient[aiohttp.web.Request, aiohttp.web.Application]
ClientOf = Callable[..., Awaitable[Client]]
LOOPBACK = AccessRules(loopback=True)
OPEN = AccessRules()
HOSTILE = "<b>shop</b>:1"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    clock = FakeClock()
    pool = pool_of(clock, FakeFetcher(clock), "gone:1", Target(HOSTILE, parse_target("shop:1").url))
    await clock.advance(10)
    yield pool
    await pool.close(0)


@pytest.fixture
def evidence_store(tmp_path: Path) -> EvidenceStore:
    evidence_store = EvidenceStore.open(tmp_path / "evidence", EvidenceRetention(), 1000.0)
    evidence_store.close()
    return evidence_store


@pytest.fixture
def kept(evidence_store: EvidenceStore) -> SavedFinding:
    profiles = [
        (RawProfile("heap", 990.0, b"\x1f\x8bnow"), ProfileRole.SHOWS),
        (RawProfile("heap", 900.0, b"before"), ProfileRole.BEFORE),
    ]
    one = replace(finding(target=HOSTILE), missing={"cpu": "busy: <i>another</i>"}, said="It took <u>3 s</u>.")
    saved = evidence_store.add(one, profiles, 1000.0)
    evidence_store.close()
    assert saved is not None
    return saved


@pytest.fixture
def asked() -> list[CaptureRequest]:
    return []


@pytest.fixture
def client_of(
    pool: Pool, evidence_store: EvidenceStore, asked: list[CaptureRequest], aiohttp_client: AiohttpClient
) -> ClientOf:
    def ask(capture_request: CaptureRequest) -> CaptureAnswer:
        asked.append(capture_request)
        return CaptureAnswer.BEGUN

    async def begin(access: AccessRules = LOOPBACK, *, on: bool = True, users: dict[str, str] | None = None) -> Client:
        access = replace(access, security=WebSecurity(config=WebConfig(users=users or {})))
        evidence_access = EvidenceAccess(access, evidence_store, ask) if on else EvidenceAccess(access)
        return await aiohttp_client(build_app(CollectorRegistry(), pool, Readiness(), evidence_access=evidence_access))

    return begin


async def text_of(client: Client, path: str) -> str:
    reply = await client.get(URL(path, encoded=True))
    assert (reply.status, reply.content_type) == (200, "text/html")
    return with_whole_links(await reply.text(), path)


async def test_the_list_leads_to_the_finding_and_that_to_its_files(client_of: ClientOf, kept: SavedFinding) -> None:
    client = await client_of()
    (link,) = re.findall(r'href="(/evidence/[^"]+)"', await text_of(client, "/evidence"))
    files = re.findall(r'href="(/evidence/[^"]+/[^"]+)"', await text_of(client, link))
    replies = [await client.get(file) for file in files]
    assert [await reply.read() for reply in replies] == [b"\x1f\x8bnow", b"before"]
    for reply, name in zip(replies, ("heap.pb.gz", "heap-before.pb"), strict=True):
        assert reply.headers["Content-Type"] == "application/octet-stream"
        assert reply.headers["Content-Disposition"] == f'attachment; filename="{kept.id}-{name}"'
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"] == "no-store"
        assert "Content-Encoding" not in reply.headers


async def test_a_finding_says_what_is_wrong_what_is_missing_and_how_to_look(
    client_of: ClientOf, kept: SavedFinding
) -> None:
    page = await text_of(await client_of(), f"/evidence/{kept.id}")
    assert "It took &lt;u&gt;3 s&lt;/u&gt;." in page
    assert "busy: &lt;i&gt;another&lt;/i&gt;" in page
    assert f"go tool pprof -http=: -diff_base={kept.id}-heap-before.pb {kept.id}-heap.pb.gz" in page
    assert 'href="/runbooks/PprofFetchSlow?target=' in page
    assert "<b>shop" not in page


async def test_what_is_of_one_target_can_be_chosen(client_of: ClientOf, evidence_store: EvidenceStore) -> None:
    for target in ("shop:1", "bank:1"):
        evidence_store.add(finding(target=target), bodies(5), 1000.0)
    evidence_store.close()
    client = await client_of()
    assert "bank:1" not in await text_of(client, "/evidence?target=shop:1")
    assert "No profiles are saved" in await text_of(client, "/evidence?target=%3Cb%3E")
    assert "<b><b>" not in await text_of(client, "/evidence?target=%3Cb%3E")


async def test_much_evidence_is_shown_page_by_page(
    client_of: ClientOf, evidence_store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pprof_exporter.web.pages.evidence_pages.FINDINGS_PER_PAGE", 2)
    for at in range(3):
        evidence_store.add(finding(target="a&b", at=1000.0 + at), bodies(5), 1010.0)
    evidence_store.close()
    client = await client_of()
    first, second = [await text_of(client, f"/evidence?target=a%26b&page={page}") for page in (1, 2)]
    assert (first.count('href="/evidence/'), second.count('href="/evidence/')) == (2, 1)
    assert 'href="/evidence?target=a%26b&amp;page=2"' in first
    assert FINDINGS_PER_PAGE == 100


@pytest.mark.parametrize("path", ["/evidence/", "/evidence/nothing", "/evidence/nothing/heap.pb.gz"])
async def test_what_is_not_there_is_not_found(client_of: ClientOf, path: str) -> None:
    assert (await (await client_of()).get(path)).status == 404


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "heap",
        "..%2f..%2fepochs.sqlite",
        "%2e%2e/lock",
        "..%5clock",
        "%00",
        "heap.pb.gz%00",
        "heap.pb.gz/",
    ],
)
async def test_no_other_file_can_be_had(client_of: ClientOf, kept: SavedFinding, name: str) -> None:
    client = await client_of()
    for path in (f"/evidence/{kept.id}/{name}", f"/evidence/{name}/heap.pb.gz", f"/evidence/{name}"):
        assert (await client.get(URL(path, encoded=True))).status == 404, path


async def test_a_file_that_was_changed_is_not_given_out(
    client_of: ClientOf, evidence_store: EvidenceStore, kept: SavedFinding, tmp_path: Path
) -> None:
    (tmp_path / "evidence" / kept.id / "heap.pb.gz").write_bytes(b"other")
    assert (await (await client_of()).get(f"/evidence/{kept.id}/heap.pb.gz")).status == 404
    assert evidence_store.troubles.total() == 1


async def test_an_exporter_that_anybody_can_reach_shows_nothing_without_a_password(
    client_of: ClientOf, kept: SavedFinding
) -> None:
    client = await client_of(OPEN)
    for path in ("/evidence", f"/evidence/{kept.id}", f"/evidence/{kept.id}/heap.pb.gz", "/evidence/nothing"):
        refused = await client.get(path)
        assert refused.status == 403, path
        assert "basic_auth_users" in await refused.text()
    assert (await client.get("/targets")).status == 200


async def test_with_a_password_it_can_be_read_from_anywhere(client_of: ClientOf, kept: SavedFinding) -> None:
    client = await client_of(AccessRules(), users=USERS)
    path = f"/evidence/{kept.id}/heap.pb.gz"
    assert (await client.get(path)).status == 401
    assert (await client.get(path, headers=basic("prometheus", "secret"))).status == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9717", "[::1]:9717", "LOCALHOST:1"])
async def test_on_loopback_it_is_read_by_its_own_names(client_of: ClientOf, host: str) -> None:
    assert (await (await client_of()).get("/evidence", headers={"Host": host})).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:9717", "10.0.0.1", ""])
async def test_a_page_elsewhere_whose_name_leads_to_loopback_reads_nothing(client_of: ClientOf, host: str) -> None:
    client = await client_of()
    assert (await client.get("/evidence", headers={"Host": host})).status == 403
    headers = {**JSON, "Host": host}
    assert (await client.post("/-/alert", data=payload(alert()), headers=headers)).status == 403


async def test_without_storage_the_page_says_how_to_have_it(client_of: ClientOf) -> None:
    client = await client_of(OPEN, on=False)
    assert "--storage.path" in await text_of(client, "/evidence")
    refused = await client.post("/-/alert", data=payload(alert()), headers=JSON)
    assert refused.status == 403
    assert (await (await client_of(on=False)).get("/evidence/x")).status == 404


async def test_the_page_of_a_target_leads_to_what_is_kept_of_it(
    client_of: ClientOf, evidence_store: EvidenceStore
) -> None:
    mode = "F4"  # The fake CPU profile is shorter than was asked for.
    saved = evidence_store.add(finding(target="gone:1", mode=mode), bodies(5), 1000.0)
    evidence_store.add(finding(target="other:1", mode=mode), bodies(5), 1000.0)
    evidence_store.close()
    assert saved is not None
    page = await text_of(await client_of(), "/targets/gone:1")
    assert re.findall(r'href="(/evidence/[^"]+)"', page) == [f"/evidence/{saved.id}"]
    assert 'href="/evidence?target=gone:1"' in page
    assert "Profiles were saved 1 time" in page


async def test_a_runbook_for_a_target_leads_to_what_is_kept_of_it(client_of: ClientOf) -> None:
    client = await client_of()
    assert 'href="/evidence?target=gone:1"' in await text_of(client, "/runbooks/PprofFetchSlow?target=gone:1")
    assert "/evidence?target" not in await text_of(client, "/runbooks/PprofFetchSlow")


# The webhook


async def test_an_alert_asks_for_a_capture(client_of: ClientOf, asked: list[CaptureRequest]) -> None:
    reply = await (await client_of()).post("/-/alert", data=payload(alert(target="gone:1")), headers=JSON)
    assert (reply.status, await reply.text()) == (200, "gone:1 is being captured.\n")
    assert [one.target for one in asked] == ["gone:1"]


async def test_what_is_resolved_asks_for_nothing(client_of: ClientOf, asked: list[CaptureRequest]) -> None:
    reply = await (await client_of()).post("/-/alert", data=payload(alert("resolved")), headers=JSON)
    assert (reply.status, asked) == (200, [])


@pytest.mark.parametrize(
    ("data", "type_", "status"),
    [
        (b"{}", "application/json", 400),
        (b"\x00", "application/json", 400),
        (payload(alert()), "text/plain", 400),
        (payload(alert(summary="x" * 2**21)), "application/json", 413),
    ],
)
async def test_a_bad_message_is_refused_with_a_sentence(
    client_of: ClientOf, asked: list[CaptureRequest], data: bytes, type_: str, status: int
) -> None:
    reply = await (await client_of()).post("/-/alert", data=BytesIO(data), headers={"Content-Type": type_})
    assert reply.status == status
    assert (await reply.text()).endswith(".\n") or "version 4" in await reply.text()
    assert asked == []


async def test_nobody_from_elsewhere_asks_without_a_password_or_a_token(
    client_of: ClientOf, asked: list[CaptureRequest]
) -> None:
    refused = await (await client_of(OPEN)).post("/-/alert", data=payload(alert()), headers=JSON)
    assert refused.status == 403
    assert "token_file" in await refused.text()
    assert asked == []


@pytest.mark.parametrize("users", [None, USERS], ids=["open", "with users"])
async def test_a_token_in_a_file_lets_alerts_in_and_nothing_else(
    client_of: ClientOf, asked: list[CaptureRequest], tmp_path: Path, users: dict[str, str] | None
) -> None:
    file = tmp_path / "token"
    client = await client_of(AccessRules(bearer=Bearer(file)), users=users)
    right = {**JSON, "Authorization": "Bearer s3cret"}
    assert (await client.post("/-/alert", data=payload(alert()), headers=right)).status == 401
    file.write_text("\n")
    for given in ("Bearer ", "Bearer", "Bearer s3cret"):
        headers = {**JSON, "Authorization": given}
        assert (await client.post("/-/alert", data=payload(alert()), headers=headers)).status == 401
    file.write_text("s3cret\n")
    assert (await client.post("/-/alert", data=payload(alert()), headers=right)).status == 200
    wrong = {**JSON, "Authorization": "Bearer s3cre"}
    assert (await client.post("/-/alert", data=payload(alert()), headers=wrong)).status == 401
    assert (await client.post("/-/alert", data=payload(alert()), headers=JSON)).status == 401
    assert (await client.get("/evidence", headers=right)).status == (401 if users else 403)
    assert len(asked) == 1


async def test_who_has_a_password_may_ask(client_of: ClientOf, asked: list[CaptureRequest]) -> None:
    client = await client_of(AccessRules(), users=USERS)
    headers = {**JSON, **basic("prometheus", "secret")}
    assert (await client.post("/-/alert", data=payload(alert()), headers=headers)).status == 200
    assert len(asked) == 1
