"""Which Go built the program: exactly where the program tells, else "not older than" by what only newer Go writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.profile.index import Index
from pprof_exporter.profile.model import Profile

# runtime.Version(): a release, perhaps with experiments (`go1.25.5 X:nocoverageredesign`), or the suffix of those who
# patched it (`go1.18.10b7` of BoringCrypto). What is built from a branch (`devel go1.27-...`) has no place in order.
_VERSION = re.compile(r"go(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:(beta|rc)(\d{1,3})|b\d{1,3})?(?:[ +].*)?")
_PATCHED = re.compile(r"(go\d{1,3}\.\d{1,3}\.\d{1,3})-.*")
_TRACE = re.compile(rb"go (\d{1,3})\.(\d{1,3}) trace\0")
_LONGEST = 200

_STAGES = {"beta": -2000, "rc": -1000}


@dataclass(frozen=True, slots=True, order=True)
class GoVersion:
    """A release of Go, in the order of release. `stage` is 0, or negative for betas and release candidates."""

    major: int
    minor: int
    patch: int = 0
    stage: int = 0

    @classmethod
    def parse(cls, text: str) -> GoVersion | None:
        """Read `runtime.Version()`, or give None for a development build and for what is no version of Go."""
        text = text.strip()[:_LONGEST]
        patched = _PATCHED.fullmatch(text)
        found = _VERSION.fullmatch(patched[1] if patched else text)
        if found is None or not text.isascii():
            return None
        major, minor, patch, stage, number = found.groups()
        return cls(int(major), int(minor), int(patch or 0), _STAGES[stage] + int(number) if stage else 0)

    def __str__(self) -> str:
        base = f"go{self.major}.{self.minor}"
        for name, first in _STAGES.items():
            if first <= self.stage < first + 1000:
                return f"{base}{name}{self.stage - first}"
        # Before Go 1.21, the first release of a line had no third number.
        return base if not self.patch and (self.major, self.minor) < (1, 21) else f"{base}.{self.patch}"


class VersionSource(StrEnum):
    """What told the version, best first."""

    METRICS = "metrics"
    """`go_info` on the metrics page of the target."""
    TRACE = "trace"
    """The header of an execution trace: the release that last changed the format."""
    FUNCTIONS = "functions"
    """Functions in a profile, of packages that are new in a release."""
    INDEX = "index"
    """Rows of the index page that are new in a release."""


@dataclass(frozen=True, slots=True)
class GoVersionEvidence:
    """What is known of the version: exactly, or that it is not older than `at_least`. All None: nothing is known."""

    exact: GoVersion | None = None
    at_least: GoVersion | None = None
    source: VersionSource | None = None

    @property
    def lowest(self) -> GoVersion | None:
        """The oldest version that it can be."""
        return self.exact or self.at_least


def from_metrics(version: str | None) -> GoVersionEvidence:
    """Evidence of the label `version` of `go_info`; none for a development build."""
    exact = GoVersion.parse(version) if version else None
    return GoVersionEvidence(exact, None, VersionSource.METRICS) if exact else GoVersionEvidence()


def from_trace(head: bytes) -> GoVersionEvidence:
    """Evidence of the first 16 bytes of an execution trace: Go 1.24 writes `go 1.23 trace`, Go 1.27 `go 1.26 trace`."""
    found = _TRACE.match(head)
    return _not_older(GoVersion(int(found[1]), int(found[2])) if found else None, VersionSource.TRACE)


# net/http/pprof.Index lists `symbol` since Go 1.24. goroutineleak came as an experiment in 1.26, for all in 1.27.
_ROWS = {"goroutineleak": GoVersion(1, 26), "symbol": GoVersion(1, 24)}


def from_index(index: Index) -> GoVersionEvidence:
    """Evidence of the rows of an index page."""
    return _not_older(
        max((since for row, since in _ROWS.items() if index.lists(row)), default=None), VersionSource.INDEX
    )


# Packages of the standard library that stand on ordinary stacks, by the release that introduced them.
_PACKAGES = {
    "internal/sync.": GoVersion(1, 24),
    "internal/runtime/maps.": GoVersion(1, 24),
    "internal/runtime/": GoVersion(1, 23),
}
_START_LINES = GoVersion(1, 20)


def from_profile(profile: Profile) -> GoVersionEvidence:
    """Evidence of the functions of any profile of Go: of new packages, or that they have a start line (Go 1.20)."""
    bounds = [
        since
        for function in profile.functions
        for package, since in _PACKAGES.items()
        if function.name.startswith(package)
    ]
    if any(function.start_line and function.name.startswith("runtime.") for function in profile.functions):
        bounds.append(_START_LINES)
    return _not_older(max(bounds, default=None), VersionSource.FUNCTIONS)


def combine(evidence: Iterable[GoVersionEvidence]) -> GoVersionEvidence:
    """The best of all evidence of one process: the exact version, else the highest lower bound.

    An exact version older than a bound is not believed: then the page came from another program.
    """
    known = [one for one in evidence if one.lowest]
    bounds = [(one.at_least, one.source) for one in known if one.at_least]
    highest, source = max(bounds, key=lambda bound: bound[0], default=(None, None))
    for one in known:
        if one.exact and (highest is None or (one.exact.major, one.exact.minor) >= (highest.major, highest.minor)):
            return GoVersionEvidence(one.exact, highest, one.source)
    return GoVersionEvidence(None, highest, source)


_CPU_LIMIT = 64
_OLD_LIMIT = 32
_NEW_LIMIT = 128
_DEEPER_SINCE = GoVersion(1, 23)


def stack_limit(evidence: GoVersionEvidence, *, cpu: bool) -> int | None:
    """Frames, with inlined ones, at which Go cuts the stacks of a CPU profile or of another; None if not known.

    64 for CPU in all versions (runtime/cpuprof.go maxCPUProfStack). For the others 32 up to Go 1.22 (runtime/mprof.go
    maxStack), and 128 since, unless the program runs with another `GODEBUG=profstackdepth=`.
    """
    if cpu:
        return _CPU_LIMIT
    if evidence.lowest and _line(evidence.lowest) >= _line(_DEEPER_SINCE):
        return _NEW_LIMIT
    return _OLD_LIMIT if evidence.exact else None


def _line(version: GoVersion) -> tuple[int, int]:
    return version.major, version.minor


def _not_older(version: GoVersion | None, source: VersionSource) -> GoVersionEvidence:
    return GoVersionEvidence(None, version, source) if version else GoVersionEvidence()
