"""`evidence`: which raw profiles are saved, for how long, and where copies are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_MIB = 2**20
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class PushSettings:
    """A store of profiles that takes Pyroscope's POST /ingest. A password is read from its file when it is needed."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    username: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """What is saved. Sizes are bytes, times seconds.

    `interval` is the least time between two findings of the same failure mode of a target, `capture_interval` between
    two captures of a target that alerts request; `memory` bounds the raw profiles that wait in memory.
    """

    enabled: bool = True
    max_bytes: int = 1024 * _MIB
    max_age: float = 14 * _DAY
    interval: float = 3600
    memory: int = 64 * _MIB
    capture_interval: float = 600
    token_file: Path | None = None
    push: PushSettings | None = None
