"""An epoch: a stretch of time in which a service ran one build, with one Go version, on one system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from pprof_exporter.profile import GoVersion
from pprof_exporter.store.sketch import Sketch


class Change(StrEnum):
    """What differs between two epochs."""

    OPERATING_SYSTEM = "operating_system"
    BINARY = "binary"
    GO = "go"
    MODULES = "modules"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Facts about a process, as text that a person can read. "" is unknown."""

    system: str = ""
    """Operating system: on Windows, its core modules with the times of their files, separated by `PARTS`."""
    binary: str = ""
    """Name of the program, and a digest of its build or `NO_BUILD_ID`."""
    go: str = ""
    """Version of Go, such as `go1.27.3`; with a final + a lower bound."""
    modules: str = ""
    """Foreign modules, such as those of security software, separated by `PARTS`; `NO_MODULES` for none."""

    def part(self, change: Change) -> str:
        """The part that a change is about."""
        match change:
            case Change.OPERATING_SYSTEM:
                return self.system
            case Change.BINARY:
                return self.binary
            case Change.GO:
                return self.go
            case Change.MODULES:
                return self.modules


PARTS = ", "
NO_MODULES = "none"
NO_BUILD_ID = "without build id"


def changed_parts(before: Fingerprint, after: Fingerprint) -> tuple[Change, ...]:
    """The parts that differ, in the order of `Change`. A part that is unknown on either side has not changed."""
    if before == after:
        return ()
    return tuple(change for change in Change if _differs(change, before.part(change), after.part(change)))


def merge_fingerprints(known: Fingerprint, more: Fingerprint) -> Fingerprint:
    """The first fingerprint, with what it lacks from the second. Of two agreeing Go versions the more exact one."""
    return Fingerprint(
        known.system or more.system,
        known.binary or more.binary,
        _more_exact(known.go, more.go),
        known.modules or more.modules,
    )


def overlay_fingerprint(known: Fingerprint, newer: Fingerprint) -> Fingerprint:
    """The latest known value of each part. Of two agreeing Go versions the more exact one."""
    if known == newer:
        return newer
    differs = Change.GO in changed_parts(known, newer)
    return Fingerprint(
        newer.system or known.system,
        newer.binary or known.binary,
        newer.go if differs else _more_exact(newer.go, known.go),
        newer.modules or known.modules,
    )


def _differs(change: Change, one: str, other: str) -> bool:
    if not one or not other or one == other:
        return False
    if change is not Change.GO:
        return True
    bounds = [_bound(text) for text in (one, other)]
    if all(bounds):
        return False
    for bound, exact in zip(bounds, (other, one), strict=True):
        version = GoVersion.parse(exact)
        if bound is not None and version is not None:
            # A release candidate has the features of its line, which is what a lower bound rests on.
            return version.line < bound.line
    return True


def _bound(go: str) -> GoVersion | None:
    return GoVersion.parse(go[:-1]) if go.endswith("+") else None


def _more_exact(one: str, other: str) -> str:
    """Of two versions that agree: the exact one, else the higher bound."""
    if not one or not other:
        return one or other
    low, high = _bound(one), _bound(other)
    if low is None:
        return one
    return other if high is None or high > low else one


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of a service: a stretch of time with one fingerprint, over the replicas in it. Times are Unix seconds.

    A service that returns to an earlier fingerprint begins a new epoch.
    """

    id: int
    """Stable over restarts, unless another exporter uses the same file: then it may change at the next start."""
    service: str
    fingerprint: Fingerprint
    first_seen: float
    last_seen: float
    before: int | None = None
    """Id of the epoch that the first target left for this one; None for a target that was new, or if it was removed."""

    def seen(self, now: float) -> Epoch:
        """The same epoch, also seen at `now`."""
        return replace(self, last_seen=max(self.last_seen, now))


@dataclass(frozen=True, slots=True)
class Stay:
    """A target in an epoch. Times are Unix seconds."""

    epoch: int
    """Id of the epoch."""
    before: int | None
    """Id of the epoch that the target left for this one; None at its first sight, or if that epoch was removed."""
    since: float
    last_seen: float
    fingerprint: Fingerprint
    """The latest known value of each part, in this epoch or earlier."""


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
    """The epoch that a target is in, and the one that it is compared with."""

    before: Epoch
    now: Epoch
    since: float
    """When the target entered `now`, in Unix time."""
    signals: Mapping[str, tuple[Summary, Summary]]
    """Signals of both epochs, before and now."""
    control: Mapping[str, float]
    """By signal: its change since then on targets that were not upgraded, as a factor; see `ControlGroup`."""
    load: Mapping[str, float] = MappingProxyType({})
    """By signal that follows the load: the change of the CPU time that the target used, as a factor."""
