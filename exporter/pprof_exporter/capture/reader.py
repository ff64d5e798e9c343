"""Read a capture back: the signals, functions and files of each round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pprof_exporter.capture.format import CaptureError, read_manifest, read_rounds
from pprof_exporter.capture.replay import Replay, ReplayedRound
from pprof_exporter.profile import System
from pprof_exporter.store import Fingerprint


@dataclass(frozen=True, slots=True)
class ReplayedTarget:
    """One target with all its rounds; identity and versions are those of the last round."""

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
    """Read the capture in a folder. Profiles are decoded and checked again. Raises `CaptureError`."""
    manifest = read_manifest(path)
    targets = []
    for entry in manifest.targets:
        folder = path / entry.folder
        replay = Replay(entry.name, entry.labels)
        rounds = tuple(replay.replay_round(found, folder) for found in read_rounds(folder, manifest.version))
        known = replay.state.identity
        targets.append(
            ReplayedTarget(entry.name, entry.labels, known.fingerprint, known.system, known.go_version, rounds)
        )
    return Capture(path, tuple(targets))


__all__ = ["Capture", "CaptureError", "ReplayedRound", "ReplayedTarget", "load_capture"]
