"""What an epoch is: a stretch in which a service ran the same build, with the same Go, on the same system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from pprof_exporter.store.sketch import Sketch


class Change(StrEnum):
    """What differs between two epochs."""

    OPERATING_SYSTEM = "operating_system"
    BINARY = "binary"
    GO = "go"
    MODULES = "modules"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is known of a process: short opaque strings, which are only compared. "" is unknown."""

    system: str = ""
    """Operating system: on Windows, a digest of its modules with their times."""
    binary: str = ""
    """Build of the service: its build id, or path and time of the program."""
    go: str = ""
    """Version of Go."""
    modules: str = ""
    """Modules from elsewhere, such as those of security software."""


def changed_parts(before: Fingerprint, after: Fingerprint) -> tuple[Change, ...]:
    """What differs, in the order of `Change`. A part that is unknown on either side has not changed."""
    pairs = {
        Change.OPERATING_SYSTEM: (before.system, after.system),
        Change.BINARY: (before.binary, after.binary),
        Change.GO: (before.go, after.go),
        Change.MODULES: (before.modules, after.modules),
    }
    return tuple(change for change, (one, other) in pairs.items() if one and other and one != other)


def merge_fingerprints(known: Fingerprint, more: Fingerprint) -> Fingerprint:
    """The first, with its unknown parts from the second."""
    return Fingerprint(
        known.system or more.system,
        known.binary or more.binary,
        known.go or more.go,
        known.modules or more.modules,
    )


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of a service, over all of its replicas. Times are Unix seconds."""

    id: int
    """The same over restarts, except that another exporter on the same file may make it another at the next start."""
    service: str
    fingerprint: Fingerprint
    first_seen: float
    last_seen: float
    entered: float
    """When the latest stretch of this epoch began: `first_seen`, or later after a rollback to it."""
    before: int | None = None
    """Id of the epoch that the latest stretch followed; None of the first one, or where that one was forgotten."""

    def seen(self, now: float) -> Epoch:
        """The same epoch, seen at `now` too."""
        return replace(self, last_seen=max(self.last_seen, now))


@dataclass(frozen=True, slots=True)
class Entered:
    """The epoch that a process is in, and where its service came from."""

    epoch: Epoch
    before: Epoch | None
    changes: tuple[Change, ...]
    """What differs between `before` and `epoch`; empty without `before`."""
    began: bool
    """This call began the epoch or returned to it: true once for each upgrade or rollback of a service."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one signal in one epoch, in the unit of the signal; quantiles within 1 % of their value."""

    count: int
    mean: float
    stddev: float
    p50: float
    p95: float
    p99: float
    min: float
    max: float

    @classmethod
    def of(cls, sketch: Sketch) -> Summary:
        """Raises ValueError if the sketch is empty."""
        return cls(
            sketch.count,
            sketch.mean,
            sketch.stddev,
            sketch.quantile(0.5),
            sketch.quantile(0.95),
            sketch.quantile(0.99),
            sketch.minimum,
            sketch.maximum,
        )


class Comparison(NamedTuple):
    """The latest upgrade (or rollback) of a service."""

    before: Epoch
    now: Epoch
    signals: Mapping[str, tuple[Summary, Summary]]
    """Signals that both epochs have, before and now."""


@dataclass(frozen=True, slots=True)
class EpochRetention:
    """What is kept. Age spares the last epochs of each service; size spares nothing, the longest unseen go first."""

    epochs: int = 5
    """The last epochs of each service that age does not remove."""
    age: float = 180 * 86400.0
    """Seconds since an epoch was last seen."""
    size: int = 64 * 2**20
    """Bytes of the file, without its write-ahead log."""
