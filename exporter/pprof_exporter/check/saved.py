"""Saved profiles, judged: a file, a folder of one target, or a capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from yarl import URL

from pprof_exporter.capture.format import CAPTURE_MANIFEST, CaptureError, read_manifest, read_rounds, round_folder
from pprof_exporter.capture.replay import Replay
from pprof_exporter.catalog import Outcome
from pprof_exporter.check.kind_of import kind_of
from pprof_exporter.check.report import TargetReport, assess, why_down
from pprof_exporter.config import Settings, Target
from pprof_exporter.health import FetchedProfile, audit, run_checks
from pprof_exporter.profile import (
    MAX_INFLATED_BYTES,
    NANOSECONDS,
    DecodeError,
    Kind,
    Profile,
    System,
    UnsupportedTrace,
    decode,
    from_trace,
    read_memstats,
    read_trace,
)
from pprof_exporter.scrape import SystemClock, TargetState, default_profiles
from pprof_exporter.scrape.state.observation import summarize
from pprof_exporter.scrape.target.round import without_expiry
from pprof_exporter.store import Store
from pprof_exporter.verdicts import TargetSnapshot, snapshot_of
from pprof_exporter.verdicts.snapshot import ProfileSnapshot

_TRACE = b"go 1."
_HEAP_TEXT = b"heap profile:"
# What Go's profiler ticks at, unless the CPU profile beside a trace says otherwise (runtime/pprof.StartCPUProfile).
_PERIOD = 0.01


def check_path(path: Path, thresholds: Mapping[str, float], labels: Mapping[str, str]) -> list[TargetReport]:
    """What can be said of a file, of a folder of profiles of one target, or of each target of a capture."""
    if (path / CAPTURE_MANIFEST).is_file():
        return _capture(path, thresholds, labels)
    if not path.is_dir():
        try:
            return [check_bodies(str(path), {path.name: path.read_bytes()}, thresholds, labels)]
        except OSError as error:
            return [_unread(str(path), labels, f"{error.strerror or error}.")]
    bodies: dict[str, bytes] = {}
    try:
        for file in sorted(found for found in path.iterdir() if found.is_file()):
            bodies[file.name] = file.read_bytes()
    except OSError as error:
        return [_unread(str(path), labels, f"{error.filename}: {error.strerror or error}.")]
    return [check_bodies(str(path), bodies, thresholds, labels)]


def check_bodies(
    name: str, bodies: Mapping[str, bytes], thresholds: Mapping[str, float], labels: Mapping[str, str]
) -> TargetReport:
    """Judge profiles of one target, by the names of their files, in the order of their time stamps."""
    pile = _SavedProfiles.of(name, labels)
    refused = {file: problem for file, body in bodies.items() if (problem := pile.add(file, body))}
    if not pile.profiles and pile.memstats is None and not pile.traces:
        only = f"{next(iter(refused.values()))}." if len(refused) == 1 else "No file in it is a profile."
        return _unread(name, labels, only)
    remark = (
        f"Passed over: {', '.join(refused)}." if 0 < len(refused) <= _FEW else f"Passed over: {len(refused)} files."
    )
    return assess(pile.state, pile.snapshot(), thresholds, remarks=[remark] if refused else [])


_FEW = 4


@dataclass(slots=True)
class _SavedProfiles:
    """Profiles of one target, on their way to be judged together."""

    state: TargetState
    profiles: list[tuple[Profile, Kind | None, str]] = field(default_factory=list)
    traces: list[bytes] = field(default_factory=list)
    memstats: bytes | None = None

    @classmethod
    def of(cls, name: str, labels: Mapping[str, str]) -> _SavedProfiles:
        target = Target(name, URL("http://saved.invalid/"), tuple(sorted(labels.items())))
        clock = SystemClock()
        return cls(
            TargetState(target, without_expiry(Settings((), default_profiles())), Store.open(None, clock.now()), clock)
        )

    def add(self, name: str, body: bytes) -> str:
        """Take a file in; returns why that cannot be, or ""."""
        try:
            if body.startswith(_TRACE):
                from_trace(body)
                self.traces.append(body)
            elif body.startswith(_HEAP_TEXT):
                read_memstats(body)
                self.memstats = body
            else:
                profile = decode(body, max_bytes=MAX_INFLATED_BYTES)
                self.profiles.append((profile, kind_of(profile, name), name))
        except DecodeError as error:
            return f"{error.reason.meaning} ({error.detail})"
        return ""

    def snapshot(self) -> TargetSnapshot:
        """What is in sight of all of them. Nobody timed anything, so that what took how long is not known."""
        others: dict[str, ProfileSnapshot] = {}
        now = 0.0
        for profile, kind, name in sorted(self.profiles, key=lambda one: (one[0].time_nanos, one[2])):
            if kind is None:
                others[name] = ProfileSnapshot(None, len(profile.samples), {}, run_checks(FetchedProfile(profile)))
            else:
                now = self._record(profile, kind)
        for body in self.traces:
            self._audit(body)
        if self.memstats is not None:
            self.state.pauses.record(read_memstats(self.memstats), now)
        seen = snapshot_of(self.state, now)
        known = {name: replace(profile, took=None) for name, profile in seen.profiles.items()}
        return replace(seen, profiles=known | others, fetches={}, differences={}, profiling=None, budget=None)

    def _record(self, profile: Profile, kind: Kind) -> float:
        state, at = self.state, profile.time_nanos / NANOSECONDS
        of_kind = state.profiles[kind.name]
        before = of_kind.latest.time_nanos if of_kind.latest else None
        observation = summarize(kind, FetchedProfile(profile, kind, previous_nanos=before), at=at)
        of_kind.record(observation)
        of_kind.counters.outcomes[Outcome.SUCCESS] += 1
        state.identity.learn(observation.facts)
        state.identity.enter(at)
        state.contention.learn(kind.name, observation)
        return at

    def _audit(self, body: bytes) -> None:
        cpu = self.state.profiles["cpu"].latest
        try:
            trace = read_trace(body)
        except UnsupportedTrace:
            self.state.ticks.unsupported += 1
        except DecodeError:
            self.state.ticks.outcomes[Outcome.FAILURE] += 1
        else:
            period = cpu.period_nanos / NANOSECONDS if cpu and cpu.period_nanos else _PERIOD
            windows = self.state.identity.system is System.WINDOWS
            self.state.learn_audit(audit(trace, period=period, windows=windows), 0, None)


def _capture(path: Path, thresholds: Mapping[str, float], labels: Mapping[str, str]) -> list[TargetReport]:
    """Every target of a capture after its last round."""
    try:
        manifest = read_manifest(path)
        return [
            _recorded(path / target.folder, Replay(target.name, {**target.labels, **labels}), thresholds)
            for target in manifest.targets
        ]
    except CaptureError as error:
        return [_unread(str(path), labels, f"{error}.")]


def _recorded(folder: Path, replay: Replay, thresholds: Mapping[str, float]) -> TargetReport:
    rounds = read_rounds(folder)
    for round_ in rounds:
        files = folder / round_folder(round_.round)
        try:
            replay.hear(round_, files)
        except OSError as error:
            raise CaptureError(f"{error.filename or files}: {error.strerror or error}") from error
    snapshot = replace(snapshot_of(replay.state, replay.now), profiling=None, budget=None)
    count = f"After {len(rounds)} recorded {'round' if len(rounds) == 1 else 'rounds'}."
    return assess(
        replay.state,
        snapshot,
        thresholds,
        problem=why_down(replay.state) if rounds else "No round of it is finished.",
        remarks=[count],
    )


def _unread(name: str, labels: Mapping[str, str], problem: str) -> TargetReport:
    return TargetReport(name, dict(labels), "", "unknown", "unknown", (), problem)
