"""One round of a target taken in live, from its capture, and from its files: the state is the same each time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from pprof_exporter.capture.format import CAPTURE_VERSION, read_rounds, round_folder
from pprof_exporter.capture.recorder import recorded_round
from pprof_exporter.capture.recording_client import RecordingClient
from pprof_exporter.capture.replay import RecordingStore, Replay
from pprof_exporter.capture.writer import CaptureWriter, target_entries
from pprof_exporter.catalog import Reason
from pprof_exporter.check.saved import SavedProfiles
from pprof_exporter.config import Limits
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.round import Round
from tests.recorded import PROGRAMS, RECORDINGS
from tests.scrape.fakes import FakeClock, FakeFetcher, settings

NAME = "shop:6060"

NOT_RECORDED = {
    "delays": "how long to wait for handlers is learned by waiting",
    "reading_cost": "what the readings of the exporter cost the target is measured live",
    "target.url": "a capture does not hold where a target was",
    "settings": "those of the command",
    "revision": "counts steps, not facts",
    "budget": "a budget is of now",
    "identity.process._tracks": "a capture holds one metrics page of a round",
    "identity.process.starts_confirmed": "the same",
    "identity.process._current.counted_at": "the same",
    "exporter_load": "that of the exporter, not of the target",
    "cpu_load": "a capture holds the CPU time that was used, and not of how many processors",
    "sampling_clock.requested_at": "plans the next audit",
    "sampling_clock.audit_due": "plans the next audit",
    "canary._latest": "a capture holds how long each canary took, and not when",
    "canary.counters.response_bytes": "of threadcreate?debug=1 a capture holds the time alone",
    "counters.canary.response_bytes": "the same",
}
"""What no capture can give back, and why."""

NOT_IN_FILES = {
    **NOT_RECORDED,
    "canary": "nothing times a request",
    "counters": "nothing was fetched",
    "differences": "nothing was timed",
    "index_counters": "nothing was fetched",
    "index_at": "a page has no time stamp",
    "identity.epoch": "statistics are of live targets",
    "identity.process": "which process wrote which file is not asked",
    "identity._began": "the same",
    "sampling_clock.at": "a trace has no time stamp of its own here",
    "sampling_clock.processors": "CPU time is read around a fetch",
    "memstats.counters": "nothing was fetched",
    "memstats.at": "the text has no time stamp",
    "up": "a file does not answer",
}
"""What a folder of files cannot give back either, and why."""
OF_A_FETCH = ("took", "at", "size", "counters", "readings", "counter_totals", "latest_few")
"""Of each profile: what depends on how it was fetched, its latency above all. Readings are compared by themselves."""
MEASURED_LIVE = ("pprof_cpu_", "pprof_profile_clock", "pprof_profile_window")
"""Readings that take the CPU time, or the time of the request."""


def plain(value: Any) -> Any:
    """An object of the state as comparable data: every attribute of every object below it."""
    if isinstance(value, Enum) or value is None or isinstance(value, str | int | float | bool | bytes):
        return value
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(one) for name, one in zip(value._fields, value, strict=True)}
    if isinstance(value, list | tuple | deque | set | frozenset) or type(value).__name__ == "array":
        return [plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    names = [*getattr(value, "__dict__", {}), *(name for name in slots if name != "__weakref__")]
    return {name: plain(getattr(value, name)) for name in names if name not in ("_clock", "_store")}


def without(state: Any, paths: Mapping[str, str]) -> Any:
    """The same data without what stands at these places."""
    for path in paths:
        *way, last = path.split(".")
        at = state
        for part in way:
            at = at and at[part]
        # A target that never answered has no process.
        if at is not None:
            assert last in at, f"{path} is not there any more"
            del at[last]
    return state


def recordable(state: TargetState) -> Any:
    """What a capture can give back."""
    return without(plain(state), NOT_RECORDED)


def of_files(state: TargetState) -> Any:
    """What files can give back: content, and readings that need neither the CPU time nor the time of the request."""
    found = without(plain(state), NOT_IN_FILES)
    for profile in found["profiles"].values():
        latest = profile["latest"] = dict(profile["latest_few"][-1]) if profile["latest_few"] else {}
        readings = latest.get("readings", [])
        profile["readings_of_content"] = [
            (one["family"]["name"], one["labels"], one["value"])
            for one in readings
            if not one["family"]["name"].startswith(MEASURED_LIVE)
        ]
        for name in OF_A_FETCH:
            latest.pop(name, None)
            profile.pop(name, None)
    return found


async def live(clock: FakeClock, fetcher: FakeFetcher, path: Path) -> TargetState:
    """Capture one round of a target; returns the state that the round left."""
    chosen = settings(NAME)
    (target,) = chosen.targets
    client = RecordingClient(fetcher, target, chosen, clock)
    round_ = Round(target, chosen, getter=client, clock=clock, limiter=FetchLimiter(Limits()), store=RecordingStore())
    client.follow(round_)
    at = clock.now()
    running = asyncio.create_task(round_.run())
    while not running.done():
        await clock.advance(0.5)
    await running
    (entry,) = target_entries([(NAME, {})])
    writer = CaptureWriter(path, (entry,), exporter="0", created="2026-01-01T00:00:00+00:00")
    writer.write(entry, recorded_round(0, at, round_.state, client), client.bodies)
    return round_.state


def replayed(path: Path) -> TargetState:
    (entry,) = target_entries([(NAME, {})])
    replay = Replay(NAME, {})
    for round_ in read_rounds(path / entry.folder, CAPTURE_VERSION):
        replay.replay_round(round_, path / entry.folder)
    return replay.state


def from_files(path: Path) -> TargetState:
    (entry,) = target_entries([(NAME, {})])
    saved = SavedProfiles()
    for file in sorted((path / entry.folder / round_folder(0)).iterdir()):
        assert saved.add(file.name, file.read_bytes()) == "", file.name
    return saved.replay(NAME, {})[0]


@pytest.fixture
def fetcher(clock: FakeClock) -> FakeFetcher:
    fetcher = FakeFetcher(clock)
    fetcher.stamps = True
    fetcher.cpu_seconds = 1.0
    return fetcher


@pytest.mark.parametrize("program", [name for name in PROGRAMS if (RECORDINGS / name / "burn2.trace").exists()])
async def test_a_round_leaves_the_same_state_live_replayed_and_from_files(
    program: str, clock: FakeClock, fetcher: FakeFetcher, tmp_path: Path
) -> None:
    fetcher.folder = RECORDINGS / program

    lived = await live(clock, fetcher, tmp_path)

    assert lived.up
    assert lived.sampling_clock.latest is not None or lived.sampling_clock.unsupported
    assert lived.memstats.latest is not None
    assert lived.identity.go.exact is not None
    assert differences(recordable(replayed(tmp_path)), recordable(lived)) == []
    assert differences(of_files(from_files(tmp_path)), of_files(lived)) == []


async def test_failures_leave_the_same_state_live_and_replayed(
    clock: FakeClock, fetcher: FakeFetcher, tmp_path: Path
) -> None:
    fetcher.faults = {
        # A timeout before the reply would be tried once more, for longer, and a capture holds the last try.
        "heap": lambda: FetchError(Reason.TIMEOUT_BODY, "the body did not end within 10 s"),
        "profile": lambda: FetchError(Reason.BUSY, "HTTP 500", 500),
        "threadcreate_debug1": lambda: FetchError(Reason.HTTP_5XX, "HTTP 502", 502),
        "cmdline": lambda: FetchError(Reason.TIMEOUT_HEADER, "connected, no reply within 10 s"),
    }
    fetcher.bodies = {"goroutine": b"<html>login</html>", "heap_debug1": b"no heap profile"}

    lived = await live(clock, fetcher, tmp_path)

    failure = lived.counters["goroutine"].last_failure
    assert failure is not None
    assert failure.reason is Reason.HTML
    assert differences(recordable(replayed(tmp_path)), recordable(lived)) == []


async def test_a_target_that_is_down_leaves_the_same_state_live_and_replayed(
    clock: FakeClock, fetcher: FakeFetcher, tmp_path: Path
) -> None:
    fetcher.faults = {NAME: lambda: FetchError(Reason.CONNECT, "no TCP connection")}

    lived = await live(clock, fetcher, tmp_path)

    assert lived.up is False
    assert differences(recordable(replayed(tmp_path)), recordable(lived)) == []


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two states differ, with both values; figures may differ by what rounding in a file costs."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [
            found
            for key in keys
            for found in differences(one.get(key, "nothing"), other.get(key, "nothing"), f"{place}.{key}".lstrip("."))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for i, pair in pairs for found in differences(*pair, f"{place}[{i}]")]
    if isinstance(one, float) and isinstance(other, float):
        return [] if one == pytest.approx(other, rel=1e-9, abs=1e-6, nan_ok=True) else [f"{place}: {one} / {other}"]
    return [] if one == other else [f"{place}: {one!r} / {other!r}"]
