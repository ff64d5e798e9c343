"""An epoch: a period in which a service ran the same build, with the same Go, on the same system."""

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
    """Facts about a process as short opaque strings, which are only compared. "" is unknown."""

    system: str = ""
    """Operating system: on Windows, a digest of its modules with their times."""
    binary: str = ""
    """Build of the service: its build id, or path and time of the program."""
    go: str = ""
    """Version of Go."""
    modules: str = ""
    """Foreign modules, such as those of security software."""


def changed_parts(before: Fingerprint, after: Fingerprint) -> tuple[Change, ...]:
    """The parts that differ, in the order of `Change`. A part that is unknown on either side has not changed."""
    pairs = {
        Change.OPERATING_SYSTEM: (before.system, after.system),
        Change.BINARY: (before.binary, after.binary),
        Change.GO: (before.go, after.go),
        Change.MODULES: (before.modules, after.modules),
    }
    return tuple(change for change, (one, other) in pairs.items() if one and other and one != other)


def merge_fingerprints(known: Fingerprint, more: Fingerprint) -> Fingerprint:
    """The first fingerprint, with its unknown parts from the second."""
    return Fingerprint(
        known.system or more.system, known.binary or more.binary, known.go or more.go, known.modules or more.modules
    )


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of a service, over all of its replicas. Times are Unix seconds."""

    id: int
    """Stable over restarts, unless another exporter uses the same file: then it may change at the next start."""
    service: str
    fingerprint: Fingerprint
    first_seen: float
    last_seen: float
    entered: float
    """When the latest period of this epoch began: `first_seen`, or later after a rollback to it."""
    before: int | None = None
    """Id of the epoch before the latest period; None for the first epoch, or if that epoch was removed."""

    def seen(self, now: float) -> Epoch:
        """The same epoch, also seen at `now`."""
        return replace(self, last_seen=max(self.last_seen, now))


@dataclass(frozen=True, slots=True)
class EnteredEpoch:
    """The epoch of a process, and the epoch of its service before that."""

    epoch: Epoch
    before: Epoch | None
    changes: tuple[Change, ...]
    """What differs between `before` and `epoch`; empty without `before`."""
    began: bool
    """Whether this call began the epoch or returned to it: true once for each upgrade or rollback of a service."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of one signal in one epoch, in the unit of the signal; quantiles within 1 % of their value."""

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
        """The summary of a sketch. Raises ValueError if the sketch is empty."""
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
    """The epochs before and after the latest upgrade or rollback of a service."""

    before: Epoch
    now: Epoch
    signals: Mapping[str, tuple[Summary, Summary]]
    """Signals of both epochs, before and now."""


@dataclass(frozen=True, slots=True)
class EpochRetention:
    """Limits. Age does not remove the last epochs of each service; size removes the longest unseen epochs first."""

    epochs: int = 5
    """The last epochs of each service that age does not remove."""
    age: float = 180 * 86400.0
    """Seconds since an epoch was last seen."""
    size: int = 64 * 2**20
    """Bytes of the file, without its write-ahead log."""
