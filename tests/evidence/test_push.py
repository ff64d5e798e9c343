"""Kept profiles reach a store that takes Pyroscope's POST /ingest, once it can be reached, and nobody waits for it."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trustme
from aiohttp import BodyPartReader, web
from pytest_aiohttp.plugin import AiohttpServer

from pprof_exporter.clock import SystemClock
from pprof_exporter.config import PushSettings
from pprof_exporter.evidence import push
from pprof_exporter.evidence.push import SAMPLE_TYPES, Pusher, application_name
from pprof_exporter.evidence_store import (
    EvidenceRetention,
    EvidenceStore,
    ProfileRole,
    PushOutcome,
    RawProfile,
    SavedFinding,
)
from pprof_exporter.evidence_store.manifest import encode_manifest
from pprof_exporter.profile import decode
from tests.conftest import RECORDINGS
from tests.evidence_store.saved import finding

CPU = (RECORDINGS / "linux-go1.27.3" / "cpu_burn2.pb.gz").read_bytes()
HEAP = (RECORDINGS / "linux-go1.27.3" / "heap.pb.gz").read_bytes()


@dataclass(slots=True)
class Store:
    """A server that reads requests as Pyroscope's handler does; `answers` are given first, then 200."""

    answers: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], dict[str, bytes], dict[str, str]]] = field(default_factory=list)
    url: str = ""

    async def ingest(self, request: web.Request) -> web.Response:
        parts: dict[str, bytes] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            assert part.filename
            parts[part.name or ""] = bytes(await part.read())
        self.received.append((dict(request.query), parts, dict(request.headers)))
        return web.Response(status=self.answers.pop(0) if self.answers else 200, text="said by the store")


class Hasty(SystemClock):
    """Waits for nothing, and notes for how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def store(aiohttp_server: AiohttpServer) -> Store:
    store = Store()
    app = web.Application(client_max_size=10**8)
    app.add_routes([web.post("/base/ingest", store.ingest)])
    server = await aiohttp_server(app)
    store.url = str(server.make_url("/base"))
    return store


@pytest.fixture
def evidence_store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path, EvidenceRetention())


@pytest.fixture
def clock() -> Hasty:
    return Hasty()


@pytest.fixture
async def pusher_of(evidence_store: EvidenceStore, clock: Hasty) -> AsyncIterator[Callable[[PushSettings], Pusher]]:
    tasks: list[asyncio.Task[None]] = []

    def begin(settings: PushSettings) -> Pusher:
        pusher = Pusher(settings, evidence_store, clock, Random(1))
        tasks.append(asyncio.create_task(pusher.run()))
        return pusher

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def ended(evidence_store: EvidenceStore, count: int) -> dict[PushOutcome, int]:
    """What became of so many profiles, once that is known."""
    for _ in range(6000):
        if evidence_store.pushed is not None and evidence_store.pushed.total() >= count:
            return dict(evidence_store.pushed)
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within a minute; so far {evidence_store.pushed}")


def kept() -> SavedFinding:
    return SavedFinding.of("id", finding(), encode_manifest(finding()))


def shown(kind: str, data: bytes) -> list[tuple[RawProfile, ProfileRole]]:
    return [(RawProfile(kind, 1000.0, data), ProfileRole.SHOWS)]


PusherOf = Callable[[PushSettings], Pusher]


@pytest.mark.parametrize("outcome", [PushOutcome.SUCCESS, PushOutcome.FAILURE])
async def test_a_store_with_tls_needs_a_certificate_that_the_system_trusts(
    outcome: PushOutcome,
    tmp_path: Path,
    aiohttp_server: AiohttpServer,
    evidence_store: EvidenceStore,
    pusher_of: PusherOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    if outcome is PushOutcome.SUCCESS:
        # Read for the first profile, and not when aiohttp was imported.
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    store = Store()
    app = web.Application(client_max_size=10**8)
    app.add_routes([web.post("/ingest", store.ingest)])
    server = await aiohttp_server(app, ssl=tls)
    pusher_of(PushSettings(f"https://127.0.0.1:{server.port}")).enqueue(kept(), shown("cpu", CPU))

    assert await ended(evidence_store, 1) == {outcome: 1}


async def test_a_profile_arrives_as_it_was(store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf) -> None:
    pusher_of(PushSettings(store.url, (("X-Scope-OrgID", "shop"),))).enqueue(kept(), shown("cpu", CPU))

    assert await ended(evidence_store, 1) == {PushOutcome.SUCCESS: 1}
    (query, parts, headers) = store.received[0]
    assert parts["profile"] == CPU
    profile = decode(parts["profile"])
    assert int(query["from"]) == profile.time_nanos // 10**9
    assert int(query["until"]) - int(query["from"]) >= profile.duration_nanos // 10**9 >= 1
    assert "format" not in query, "the server would take the whole form for the profile"
    types: dict[str, Any] = json.loads(parts["sample_type_config"])
    assert types["samples"]["display-name"] == "cpu"
    assert headers["X-Scope-OrgID"] == "shop"
    assert query["name"] == ("shop{alert=PprofFetchSlow,evidence=shows,failure_mode=F5,service=shop,target=shop:6060}")


@pytest.mark.parametrize("kind", SAMPLE_TYPES)
def test_sample_types_are_those_of_the_profiles(kind: str) -> None:
    file = {"cpu": "cpu_burn2"}.get(kind, kind)
    profile = decode((RECORDINGS / "linux-go1.27.3" / f"{file}.pb.gz").read_bytes())
    assert set(SAMPLE_TYPES[kind]) <= {column.type for column in profile.sample_types}


def test_a_name_has_only_what_the_store_takes() -> None:
    odd = finding(target="a{b},c:1\n", mode="")
    odd.labels["service"] = "my shop, ltd {x}"
    odd.labels["a-b"] = "1,2}"
    name = application_name(odd, ProfileRole.BEFORE)
    assert re.fullmatch(r"[A-Za-z0-9_./-]+\{([A-Za-z0-9_.]+=[^,}]*,)*[A-Za-z0-9_.]+=[^,}]*\}", name), name
    assert "failure_mode" not in name


async def test_a_large_profile_arrives_too(store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf) -> None:
    large = CPU + bytes(3 * 2**20)
    pusher_of(PushSettings(store.url)).enqueue(kept(), shown("cpu", large))
    assert await ended(evidence_store, 1) == {PushOutcome.SUCCESS: 1}
    assert store.received[0][1]["profile"] == large


async def test_kinds_that_the_store_does_not_know_are_left_out(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf
) -> None:
    pusher = pusher_of(PushSettings(store.url))
    pusher.enqueue(kept(), [*shown("trace", b"x"), *shown("threadcreate", b"x"), *shown("heap", HEAP)])
    assert await ended(evidence_store, 1) == {PushOutcome.SUCCESS: 1}
    assert [parts["profile"] for _, parts, _ in store.received] == [HEAP]


async def test_it_is_tried_again_and_later_each_time(
    store: Store, evidence_store: EvidenceStore, clock: Hasty, pusher_of: PusherOf
) -> None:
    store.answers = [503, 429, 500]
    pusher_of(PushSettings(store.url)).enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 1) == {PushOutcome.SUCCESS: 1}
    assert len(store.received) == 4
    assert len(clock.waited) == 3
    assert all(2**i / 2 <= pause <= 2**i for i, pause in enumerate(clock.waited, start=1))


async def test_it_is_given_up_in_the_end_and_the_next_has_its_turn(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf
) -> None:
    store.answers = [503] * 8
    pusher = pusher_of(PushSettings(store.url))
    pusher.enqueue(kept(), [*shown("cpu", CPU), *shown("heap", HEAP)])
    assert await ended(evidence_store, 2) == {PushOutcome.FAILURE: 1, PushOutcome.SUCCESS: 1}


@pytest.mark.parametrize("status", [400, 401, 413, 422, 302])
async def test_a_refusal_for_good_is_not_tried_again(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf, status: int
) -> None:
    store.answers = [status]
    pusher_of(PushSettings(store.url)).enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 1) == {PushOutcome.FAILURE: 1}
    assert len(store.received) == 1


async def test_a_store_that_is_not_there_is_a_failure(
    evidence_store: EvidenceStore, clock: Hasty, pusher_of: PusherOf
) -> None:
    pusher_of(PushSettings("http://127.0.0.1:1")).enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 1) == {PushOutcome.FAILURE: 1}
    assert len(clock.waited) == 7
    assert max(clock.waited) <= 300


async def test_too_much_is_dropped_and_never_waits(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf
) -> None:
    pusher = pusher_of(PushSettings(store.url))
    for _ in range(70):
        pusher.enqueue(kept(), shown("cpu", CPU))
    assert evidence_store.pushed == {PushOutcome.DROPPED: 6}
    assert await ended(evidence_store, 70) == {PushOutcome.DROPPED: 6, PushOutcome.SUCCESS: 64}


async def test_bytes_that_wait_are_bounded_too(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "_MAX_QUEUE_BYTES", 2 * len(CPU))
    pusher = pusher_of(PushSettings(store.url))
    for _ in range(3):
        pusher.enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 3) == {PushOutcome.DROPPED: 1, PushOutcome.SUCCESS: 2}
    pusher.enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 4) == {PushOutcome.DROPPED: 1, PushOutcome.SUCCESS: 3}


async def test_the_password_is_read_when_it_is_needed(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    pusher = pusher_of(PushSettings(store.url, (), "user", file))
    file.write_text("secret\n")
    pusher.enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 1) == {PushOutcome.SUCCESS: 1}
    assert store.received[0][2]["Authorization"] == "Basic " + base64.b64encode(b"user:secret").decode()
    file.unlink()
    pusher.enqueue(kept(), shown("cpu", CPU))
    assert await ended(evidence_store, 2) == {PushOutcome.SUCCESS: 1, PushOutcome.FAILURE: 1}


async def test_nothing_of_a_profile_that_was_not_pushed_waits_for_a_collection_of_garbage(
    store: Store, evidence_store: EvidenceStore, pusher_of: PusherOf
) -> None:
    pusher = pusher_of(PushSettings(store.url))
    store.answers = [400] * 3 + [500] * 8
    pusher.enqueue(kept(), shown("cpu", CPU))
    await ended(evidence_store, 1)
    gc.collect()
    # Other tests may hold some of their own.
    before = {id(one) for one in raw_profiles()}
    gc.disable()
    try:
        for number in range(2, 5):
            pusher.enqueue(kept(), shown("heap", HEAP))
            await ended(evidence_store, number)
        await asyncio.sleep(0.05)
        assert [left for left in raw_profiles() if id(left) not in before and left.kind == "heap"] == []
    finally:
        gc.enable()


def raw_profiles() -> list[RawProfile]:
    """All that are in memory."""
    return [one for one in gc.get_objects() if isinstance(one, RawProfile)]
