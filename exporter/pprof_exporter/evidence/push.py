"""Pushes saved profiles to a store with Pyroscope's POST /ingest, in the background, with retries.

The format is defined in grafana/pyroscope, pkg/ingester/pyroscope/ingest_handler.go and
pkg/og/convert/pprof/profile.go: a form with the files `profile` and `sample_type_config`. The parameter `format` must
not be pprof, or the server reads the whole form as the profile.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from random import Random

import aiohttp
from yarl import URL

from pprof_exporter import USER_AGENT
from pprof_exporter.clock import Clock
from pprof_exporter.config import DEFAULT_TLS, BadSecret, PushSettings, Secret, client_context
from pprof_exporter.escaping import json_text, label_text
from pprof_exporter.event_log import LOG
from pprof_exporter.evidence_store.finding import FindingRecord, ProfileRole, RawProfile, SavedFinding
from pprof_exporter.evidence_store.store import EvidenceStore, PushOutcome
from pprof_exporter.inputs.urls import parse_url
from pprof_exporter.profile import NANOSECONDS, DecodeError, decode

_MAX_QUEUE = 64
_MAX_QUEUE_BYTES = 32 * 2**20
_TRIES = 8
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0
_TIMEOUT = 30.0
_INFLATED = 64 * 2**20
# Statuses that a retry may resolve; every other error concerns this profile.
_RETRIABLE = frozenset({408, 425, 429, *range(500, 600)})

_NAME = re.compile(r"[^A-Za-z0-9_./-]+")
_LABEL = re.compile(r"[^A-Za-z0-9_.]+")
_VALUE = re.compile(r"[,}\t\n]+")


def _type(units: str, aggregation: str, name: str = "") -> dict[str, object]:
    return {"units": units, "aggregation": aggregation, **({"display-name": name} if name else {}), "sampled": False}


# As in Pyroscope's own client for Go; the server distinguishes block and mutex by these names. The profile allocs has
# the content of heap, and the server has no types for other kinds.
SAMPLE_TYPES: dict[str, dict[str, dict[str, object]]] = {
    "cpu": {"samples": {**_type("samples", "sum", "cpu"), "sampled": True}},
    "heap": {
        "inuse_objects": _type("objects", "average"),
        "inuse_space": _type("bytes", "average"),
        "alloc_objects": _type("objects", "sum"),
        "alloc_space": _type("bytes", "sum"),
    },
    "goroutine": {"goroutine": _type("goroutines", "average", "goroutines")},
    "block": {
        "contentions": _type("lock_samples", "sum", "block_count"),
        "delay": _type("lock_nanoseconds", "sum", "block_duration"),
    },
    "mutex": {
        "contentions": _type("lock_samples", "sum", "mutex_count"),
        "delay": _type("lock_nanoseconds", "sum", "mutex_duration"),
    },
}


@dataclass(frozen=True, slots=True)
class _Push:
    name: str
    body: RawProfile


class _Refused(Exception):
    """The server refused this profile; a retry is useless."""


class Pusher:
    """One worker with a bounded queue; `enqueue` never waits, and drops profiles if the queue is full."""

    def __init__(self, settings: PushSettings, evidence_store: EvidenceStore, clock: Clock, random: Random) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._url = _ingest(settings.url)
        self._queue: deque[_Push] = deque()
        self._bytes = 0
        self._not_empty = asyncio.Event()
        self._pushed: Counter[PushOutcome] = Counter()
        evidence_store.pushed = self._pushed

    def enqueue(self, saved: SavedFinding, bodies: Sequence[tuple[RawProfile, ProfileRole]]) -> None:
        """Queue the profiles of a finding whose kinds the server supports."""
        for body, role in bodies:
            if body.kind not in SAMPLE_TYPES:
                continue
            if len(self._queue) >= _MAX_QUEUE or self._bytes + len(body.data) > _MAX_QUEUE_BYTES:
                self._pushed[PushOutcome.DROPPED] += 1
                continue
            self._queue.append(_Push(application_name(saved.finding, role), body))
            self._bytes += len(body.data)
        self._not_empty.set()

    async def run(self) -> None:
        """Push one profile after the other, until cancelled."""
        headers = {"User-Agent": USER_AGENT, **dict(self._settings.headers)}
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        # Not aiohttp's own context, which has no certificates in the server: see `cli/interpreter.py`.
        tls = await asyncio.to_thread(_context) if self._url.scheme == "https" else True
        connector = aiohttp.TCPConnector(ssl=tls)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector) as session:
            while True:
                await self._not_empty.wait()
                while self._queue:
                    push = self._queue.popleft()
                    self._bytes -= len(push.body.data)
                    self._pushed[await self._push(session, push)] += 1
                    # Not held until the next one comes.
                    del push
                self._not_empty.clear()

    def stopped(self, _error: BaseException) -> None:
        """Count the push that an internal error stopped."""
        self._pushed[PushOutcome.FAILURE] += 1

    async def _push(self, session: aiohttp.ClientSession, push: _Push) -> PushOutcome:
        problem = ""
        for attempt in range(_TRIES):
            if attempt:
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
                await self._clock.sleep(pause * self._random.uniform(0.5, 1))
            try:
                await self._post(session, push)
            except _Refused as error:
                problem = str(error)
                break
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                problem = str(error) or type(error).__name__
            else:
                return PushOutcome.SUCCESS
        LOG.warning("profile not pushed", name=push.name, kind=push.body.kind, detail=problem)
        return PushOutcome.FAILURE

    async def _post(self, session: aiohttp.ClientSession, push: _Push) -> None:
        """Push once. Raises `_Refused` if a retry is useless, and errors of aiohttp and `OSError` otherwise."""
        body = push.body
        began, ended = await asyncio.to_thread(_times, body)
        form = aiohttp.FormData()
        octets = "application/octet-stream"
        form.add_field("profile", BytesIO(body.data), filename="profile.pprof", content_type=octets)
        types = json_text(SAMPLE_TYPES[body.kind]).encode()
        form.add_field("sample_type_config", types, filename="sample_type_config.json", content_type="application/json")
        query = {"name": push.name, "from": str(began), "until": str(ended), "spyName": "gospy"}
        headers = await asyncio.to_thread(_credentials, self._settings)
        async with session.post(self._url, params=query, data=form, headers=headers, allow_redirects=False) as response:
            if response.status in _RETRIABLE:
                raise aiohttp.ClientError(f"HTTP {response.status}")
            if response.status >= 300:
                text = (await response.content.read(300)).decode("utf-8", "replace").strip()
                raise _Refused(f"HTTP {response.status}: {text}" if text else f"HTTP {response.status}")


def _ingest(text: str) -> URL:
    url = parse_url(text)
    return url.with_path(url.raw_path.rstrip("/") + "/ingest", encoded=True)


def _context() -> ssl.SSLContext:
    return client_context(DEFAULT_TLS)


def _credentials(settings: PushSettings) -> dict[str, str]:
    """The header with user and password. Raises `OSError` if the password file cannot be read or used now."""
    if settings.password_file is None:
        return {}
    try:
        password = Secret(file=settings.password_file).read()
    except BadSecret as error:
        raise OSError(str(error)) from None
    encoded = base64.b64encode(f"{settings.username}:{password}".encode())
    return {"Authorization": f"Basic {encoded.decode()}"}


def application_name(finding: FindingRecord, role: ProfileRole) -> str:
    """Pyroscope's application name of a finding: the service with labels, in the allowed characters."""
    service = _NAME.sub("-", finding.labels.get("service", finding.target)).strip("-") or "unknown"
    about = {"target": finding.target, "evidence": role, "failure_mode": finding.mode, "alert": finding.alert}
    labels = {**finding.labels, **about}
    pairs = (
        f"{_LABEL.sub('_', name)}={_VALUE.sub(' ', label_text(value)).strip()}"
        for name, value in sorted(labels.items())
        if value
    )
    return f"{service}{{{','.join(pairs)}}}"


def _times(body: RawProfile) -> tuple[int, int]:
    """Start and end of a profile in whole Unix seconds, at least one apart."""
    try:
        profile = decode(body.data, max_bytes=_INFLATED)
    except DecodeError:
        return int(body.asked_at), int(body.asked_at) + 1
    began = profile.time_nanos / NANOSECONDS or body.asked_at
    return int(began), int(began + max(1.0, profile.duration_nanos / NANOSECONDS))
