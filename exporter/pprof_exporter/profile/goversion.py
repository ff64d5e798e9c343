"""The Go version of a program: exact if the program reports it, else a lower bound from features of newer releases."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.profile.build_info import BuildInfo
from pprof_exporter.profile.function_names.traits import Trait
from pprof_exporter.profile.index import IndexPage
from pprof_exporter.profile.profile import Profile

# runtime.Version(): a release, perhaps with experiments (`go1.25.5 X:nocoverageredesign`), or with a vendor's suffix
# (`go1.18.10b7` of BoringCrypto). A build from a branch (`devel go1.27-...`) has no place in the order.
_VERSION = re.compile(r"go(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?:(beta|rc)(\d{1,3})|b\d{1,3})?(?:[ +].*)?")
_PATCHED = re.compile(r"(go\d{1,3}\.\d{1,3}\.\d{1,3})-.*")
_TRACE = re.compile(rb"go (\d{1,3})\.(\d{1,3}) trace\0")
_LONGEST = 200

_STAGES = {"beta": -2000, "rc": -1000}


@dataclass(frozen=True, slots=True, order=True)
class GoVersion:
    """A Go release; instances sort in release order. `stage` is 0, or negative for betas and release candidates."""

    major: int
    minor: int
    patch: int = 0
    stage: int = 0

    @classmethod
    def parse(cls, text: str) -> GoVersion | None:
        """Parse `runtime.Version()`; None for a development build and for text that is no Go version."""
        text = text.strip()[:_LONGEST]
        patched = _PATCHED.fullmatch(text)
        found = _VERSION.fullmatch(patched[1] if patched else text)
        if found is None or not text.isascii():
            return None
        major, minor, patch, stage, number = found.groups()
        return cls(int(major), int(minor), int(patch or 0), _STAGES[stage] + int(number) if stage else 0)

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor, which releases, candidates and betas of one line have in common."""
        return self.major, self.minor

    def __str__(self) -> str:
        base = f"go{self.major}.{self.minor}"
        for name, first in _STAGES.items():
            if first <= self.stage < first + 1000:
                return f"{base}{name}{self.stage - first}"
        # Before Go 1.21, the first release of a line had no third number.
        return base if not self.patch and self.line < (1, 21) else f"{base}.{self.patch}"


class VersionSource(StrEnum):
    """The source of the version, the best first."""

    METRICS = "metrics"
    """`go_info` on the metrics page of the target."""
    BINARY = "binary"
    """The build information in the executable file of a process on this machine."""
    TRACE = "trace"
    """The header of an execution trace: the release that last changed the format."""
    FUNCTIONS = "functions"
    """Functions in a profile from packages that are new in a release."""
    INDEX = "index"
    """Rows of the index page that are new in a release."""


_SOURCES = tuple(VersionSource)


@dataclass(frozen=True, slots=True)
class KnownGoVersion:
    """The version as far as known: `exact`, or not older than `at_least`. All None: nothing is known."""

    exact: GoVersion | None = None
    at_least: GoVersion | None = None
    source: VersionSource | None = None

    @property
    def lowest(self) -> GoVersion | None:
        """The oldest possible version."""
        return self.exact or self.at_least


def go_version_from_metrics(version: str | None) -> KnownGoVersion:
    """The version by the label `version` of `go_info`; unknown for a development build."""
    exact = GoVersion.parse(version) if version else None
    return KnownGoVersion(exact, None, VersionSource.METRICS) if exact else KnownGoVersion()


def go_version_from_binary(build: BuildInfo | None) -> KnownGoVersion:
    """The version by the build information of an executable; unknown without one, and for a development build."""
    exact = GoVersion.parse(build.go_version) if build else None
    return KnownGoVersion(exact, None, VersionSource.BINARY) if exact else KnownGoVersion()


def go_version_from_trace(head: bytes) -> KnownGoVersion:
    """The version by the first 16 bytes of a trace: Go 1.24 writes `go 1.23 trace`, Go 1.27 `go 1.26 trace`."""
    found = _TRACE.match(head)
    return _not_older(GoVersion(int(found[1]), int(found[2])) if found else None, VersionSource.TRACE)


# net/http/pprof.Index lists `symbol` since Go 1.24. goroutineleak is an experiment in 1.26, and on for all in 1.27.
_ROWS = {"goroutineleak": GoVersion(1, 26), "symbol": GoVersion(1, 24)}


def go_version_from_index(index: IndexPage) -> KnownGoVersion:
    """The version by the rows of an index page."""
    return _not_older(
        max((since for row, since in _ROWS.items() if index.lists(row)), default=None), VersionSource.INDEX
    )


# What the functions of a profile show, the newest release first.
_BY_TRAIT = (
    (Trait.SINCE_1_24.value, KnownGoVersion(None, GoVersion(1, 24), VersionSource.FUNCTIONS)),
    (Trait.SINCE_1_23.value, KnownGoVersion(None, GoVersion(1, 23), VersionSource.FUNCTIONS)),
)
_WITH_START_LINES = KnownGoVersion(None, GoVersion(1, 20), VersionSource.FUNCTIONS)
_UNKNOWN = KnownGoVersion()


def go_version_from_profile(profile: Profile) -> KnownGoVersion:
    """The version by the functions of a profile: those of new packages, or a start line (Go 1.20)."""
    columns = profile.columns
    for trait, known in _BY_TRAIT:
        if columns.traits & trait:
            return known
    return _WITH_START_LINES if columns.start_lines else _UNKNOWN


def combine_go_versions(evidence: Iterable[KnownGoVersion]) -> KnownGoVersion:
    """The best of all that is known of one process: the exact version of the best source, else the highest lower bound.

    An exact version older than a bound is dropped: the page or the binary then belongs to another program.
    """
    known = sorted((one for one in evidence if one.lowest), key=_rank)
    bounds = [(one.at_least, one.source) for one in known if one.at_least]
    highest, source = max(bounds, key=lambda bound: bound[0], default=(None, None))
    for one in known:
        if one.exact and (highest is None or one.exact.line >= highest.line):
            return KnownGoVersion(one.exact, highest, one.source)
    return KnownGoVersion(None, highest, source)


def _rank(evidence: KnownGoVersion) -> int:
    return _SOURCES.index(evidence.source) if evidence.source else len(_SOURCES)


_CPU_LIMIT = 64
_OLD_LIMIT = 32
_NEW_LIMIT = 128
_DEEPER_SINCE = GoVersion(1, 23)


def stack_limit(evidence: KnownGoVersion, *, cpu: bool) -> int | None:
    """Frames, inlined ones included, at which Go cuts stacks, for CPU or other profiles; None if not known.

    64 for CPU in all versions (runtime/cpuprof.go maxCPUProfStack). For other profiles 32 up to Go 1.22
    (runtime/mprof.go maxStack), and 128 since, unless `GODEBUG=profstackdepth=` sets another depth.
    """
    if cpu:
        return _CPU_LIMIT
    if evidence.lowest and evidence.lowest.line >= _DEEPER_SINCE.line:
        return _NEW_LIMIT
    return _OLD_LIMIT if evidence.exact else None


def _not_older(version: GoVersion | None, source: VersionSource) -> KnownGoVersion:
    return KnownGoVersion(None, version, source) if version else KnownGoVersion()
