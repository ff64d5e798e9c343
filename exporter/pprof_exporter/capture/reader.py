"""A capture, read back: the signals, functions and files of each round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pprof_exporter.capture.format import CaptureError, RecordedRound, read_manifest, read_rounds, round_folder
from pprof_exporter.capture.replay import Replay
from pprof_exporter.health import TickAudit
from pprof_exporter.profile import System
from pprof_exporter.store import Fingerprint


@dataclass(frozen=True, slots=True)
class ReplayedRound:
    """One round. `at` is Unix time of its beginning.

    `signals` has the names and units of the store (`fetch_duration_seconds:heap`, `canary_duration_seconds:rest`,
    `cpu_coverage_ratio`, `tick_rate_hertz`, ...), and what the profiles of the moment count, by family without
    `pprof_` (`profiled_goroutines`, `heap_inuse_bytes`, ...), and `cpu_processors`: how many the samples account for.
    Of several values in a round it has the median. What could not be measured is not there.

    `functions` has, by kind of profile, the share of each function in its first value by function: CPU time, live
    heap, goroutines, allocated bytes, delay. `files` has the body of each profile that came, by kind; `busy` the kinds
    that were not there to be had, since another profiler was at work.
    """

    at: float
    signals: Mapping[str, float]
    functions: Mapping[str, Mapping[str, float]]
    audit: TickAudit | None
    files: Mapping[str, Path]
    busy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ReplayedTarget:
    """One target, as the last round saw it."""

    name: str
    labels: Mapping[str, str]
    fingerprint: Fingerprint
    system: System | None
    go_version: str
    rounds: tuple[ReplayedRound, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """A whole capture."""

    path: Path
    targets: tuple[ReplayedTarget, ...]


def load_capture(path: Path) -> Capture:
    """Read the capture in a folder; profiles are decoded and judged anew. Raises `CaptureError`."""
    manifest = read_manifest(path)
    targets = []
    for entry in manifest.targets:
        folder = path / entry.folder
        replay = Replay(entry.name, entry.labels)
        rounds = tuple(_round(replay, folder, found) for found in read_rounds(folder))
        known = replay.state.identity
        targets.append(
            ReplayedTarget(entry.name, entry.labels, known.fingerprint, known.system, known.go_version, rounds)
        )
    return Capture(path, tuple(targets))


def _round(replay: Replay, folder: Path, round_: RecordedRound) -> ReplayedRound:
    files = folder / round_folder(round_.round)
    try:
        heard = replay.hear(round_, files)
    except OSError as error:
        raise CaptureError(f"{error.filename or files}: {error.strerror or error}") from error
    return ReplayedRound(round_.at, heard.signals, heard.functions, heard.audit, heard.files, heard.busy)


__all__ = ["Capture", "CaptureError", "ReplayedRound", "ReplayedTarget", "load_capture"]
