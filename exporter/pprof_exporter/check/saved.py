"""Checks saved profiles: a file, a folder with the profiles of one target, or a capture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from yarl import URL

from pprof_exporter.capture.format import CAPTURE_MANIFEST, CaptureError, read_manifest, read_rounds
from pprof_exporter.capture.replay import Replay
from pprof_exporter.catalog.hints import seen
from pprof_exporter.check.kind_of import kind_of
from pprof_exporter.check.report import TargetAssessor, TargetReport
from pprof_exporter.clock import ManualClock
from pprof_exporter.config import Settings, Target
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.health import FetchedProfile, run_checks
from pprof_exporter.profile import decode
from pprof_exporter.profile.decoding import MAX_INFLATED_BYTES
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.goversion import go_version_from_trace
from pprof_exporter.profile.index import IndexPage, read_index
from pprof_exporter.profile.kinds import KINDS, NANOSECONDS, Kind
from pprof_exporter.profile.memstats import MemStats, read_memstats
from pprof_exporter.profile.mutex_rate import read_mutex_rate
from pprof_exporter.profile.openmetrics_page import TargetMetrics, read_page
from pprof_exporter.profile.profile import Profile
from pprof_exporter.scrape import TargetState
from pprof_exporter.scrape.intake import Intake, TraceReading, read_trace_body
from pprof_exporter.scrape.state.observation import summarize
from pprof_exporter.scrape.target.round import without_expiry
from pprof_exporter.store import Store
from pprof_exporter.verdicts import TargetSnapshot, snapshot_of
from pprof_exporter.verdicts.snapshot import ProfileSnapshot

_TRACE = b"go 1."
_HEAP_TEXT = b"heap profile:"
_MUTEX_TEXT = b"--- mutex:"
_FEW = 4


def check_path(path: Path, assessor: TargetAssessor) -> list[TargetReport]:
    """Reports on a file, on a folder of profiles of one target, or on each target of a capture."""
    if (path / CAPTURE_MANIFEST).is_file():
        return _capture(path, assessor)
    if not path.is_dir():
        try:
            return [check_bodies(str(path), {path.name: path.read_bytes()}, assessor)]
        except OSError as error:
            return [assessor.not_checked(str(path), f"{error.strerror or error}.")]
    bodies: dict[str, bytes] = {}
    try:
        for file in sorted(found for found in path.iterdir() if found.is_file()):
            bodies[file.name] = file.read_bytes()
    except OSError as error:
        return [assessor.not_checked(str(path), f"{error.filename}: {error.strerror or error}.")]
    return [check_bodies(str(path), bodies, assessor)]


def check_bodies(name: str, bodies: Mapping[str, bytes], assessor: TargetAssessor) -> TargetReport:
    """Assess profiles of one target in the order of their time stamps. `bodies` are by file name."""
    saved = SavedProfiles()
    refused = {file: problem for file, body in bodies.items() if (problem := saved.add(file, body))}
    if not saved.profiles and saved.memstats is None and not saved.traces:
        only = f"{next(iter(refused.values()))}." if len(refused) == 1 else "It contains no profile."
        return assessor.not_checked(name, only)
    remark = f"Skipped: {', '.join(refused)}." if 0 < len(refused) <= _FEW else f"Skipped: {len(refused)} files."
    state, snapshot = saved.replay(name, assessor.labels)
    return assessor.assess(state, snapshot, remarks=[remark] if refused else [])


@dataclass(slots=True)
class SavedProfiles:
    """Files of one target, recognised by their content."""

    profiles: list[tuple[Profile, Kind | None, str]] = field(default_factory=list)
    traces: list[TraceReading] = field(default_factory=list)
    memstats: MemStats | None = None
    index: IndexPage | None = None
    page: TargetMetrics | None = None
    mutex_rate: int | None = None

    def add(self, name: str, body: bytes) -> str:
        """Read a file. Returns why it cannot be read, or ""."""
        try:
            self._add(name, body)
        except DecodeError as error:
            return seen(f"{error.reason.meaning} ({error.detail})", error.hint)
        return ""

    def _add(self, name: str, body: bytes) -> None:
        if body.startswith(_TRACE):
            go_version_from_trace(body)  # Raises where `read_trace_body` would return a reading with a failure.
            self.traces.append(read_trace_body(body))
        elif body.startswith(_HEAP_TEXT):
            self.memstats = read_memstats(body)
        elif body.startswith(_MUTEX_TEXT):
            self.mutex_rate = read_mutex_rate(body)
        elif body.startswith(b"<"):
            self.index = read_index(body)
        elif body.startswith(b"# "):
            self.page = read_page(body)
        else:
            profile = decode(body, max_bytes=MAX_INFLATED_BYTES)
            self.profiles.append((profile, kind_of(profile, name), name))

    def replay(self, name: str, labels: Mapping[str, str]) -> tuple[TargetState, TargetSnapshot]:
        """The state after all files, and its snapshot. Latencies and failures of fetches are unknown."""
        clock = ManualClock()
        target = Target(name, URL("http://saved.invalid/"), tuple(sorted(labels.items())))
        settings = without_expiry(Settings((), default_profiles()))
        state = TargetState(target, settings, Store.open(None, clock.now()), clock)
        intake = Intake(state, clock, one_process=True)
        ordered = sorted(self.profiles, key=_taken)
        if self.index is not None:
            intake.index(self.index, ordered[0][0].time_nanos / NANOSECONDS if ordered else 0.0, None)
        if self.page is not None:
            intake.metrics_page(self.page, clock.at)
        for reading in self.traces:
            intake.trace(reading)
        others: dict[str, ProfileSnapshot] = {}
        for profile, kind, file in ordered:
            if kind is None:
                others[file] = ProfileSnapshot(None, profile.columns.samples, {}, run_checks(FetchedProfile(profile)))
            else:
                clock.at = profile.time_nanos / NANOSECONDS
                _replay_profile(intake, state, profile, kind, clock.at)
        self._replay_rest(intake, state, clock.at)
        intake.settle(complete=True)
        seen = snapshot_of(state, clock.at)
        known = {name: replace(profile, took=None) for name, profile in seen.profiles.items()}
        snapshot = replace(
            seen, up=None, profiles=known | others, fetches={}, differences={}, profiling=None, budget=None
        )
        return state, snapshot

    def _replay_rest(self, intake: Intake, state: TargetState, at: float) -> None:
        mutex = state.profiles["mutex"].latest
        if self.mutex_rate is not None and not (mutex and mutex.samples):
            intake.mutex_rate(self.mutex_rate)
        for reading in self.traces:
            if reading.trace is not None:
                intake.audit(reading.trace, None)
        if self.memstats is not None:
            intake.memstats(self.memstats, at, None)


def _taken(saved: tuple[Profile, Kind | None, str]) -> tuple[int, int, str]:
    """When a profile was complete; those of the same moment in the order in which a round fetches them."""
    profile, kind, file = saved
    order = list(KINDS).index(kind.name) if kind else len(KINDS)
    return profile.time_nanos + profile.duration_nanos, order, file


def _replay_profile(intake: Intake, state: TargetState, profile: Profile, kind: Kind, at: float) -> None:
    of_kind = state.profiles[kind.name]
    before = of_kind.latest.time_nanos if of_kind.latest else None
    intake.profile(of_kind, summarize(kind, FetchedProfile(profile, kind, previous_nanos=before), at=at), None)


def _capture(path: Path, assessor: TargetAssessor) -> list[TargetReport]:
    """Every target of a capture after its last round."""
    try:
        manifest = read_manifest(path)
        version = manifest.version
        return [
            _recorded(
                path / target.folder, Replay(target.name, {**target.labels, **assessor.labels}), version, assessor
            )
            for target in manifest.targets
        ]
    except CaptureError as error:
        return [assessor.not_checked(str(path), f"{error}.")]


def _recorded(folder: Path, replay: Replay, version: int, assessor: TargetAssessor) -> TargetReport:
    rounds = read_rounds(folder, version)
    for round_ in rounds:
        replay.replay_round(round_, folder)
    snapshot = replace(snapshot_of(replay.state, replay.now), profiling=None, budget=None)
    return assessor.assess(
        replay.state,
        snapshot,
        problem=replay.state.why_down if rounds else "It has no complete round.",
        remarks=[f"After {len(rounds)} recorded {'round' if len(rounds) == 1 else 'rounds'}."],
    )
