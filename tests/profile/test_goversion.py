"""Versions are in the order of release, and evidence never says more than it knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.profile import IndexPage, decode, read_index
from pprof_exporter.profile.goversion import (
    GoVersion,
    KnownGoVersion,
    VersionSource,
    combine_go_versions,
    go_version_from_index,
    go_version_from_metrics,
    go_version_from_profile,
    go_version_from_trace,
    stack_limit,
)

RECORDINGS = Path(__file__).parents[1] / "recordings"
PROGRAMS = sorted(folder.parent.name for folder in RECORDINGS.glob("*-go1.*/MANIFEST.json"))
NOTHING = KnownGoVersion()


def built_with(program: str) -> GoVersion:
    version = GoVersion.parse(program.partition("-")[2])
    assert version
    return version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go1.27.3", GoVersion(1, 27, 3)),
        ("go1.20", GoVersion(1, 20)),
        ("go1.21.0", GoVersion(1, 21)),
        ("go1.25.5 X:nocoverageredesign", GoVersion(1, 25, 5)),
        ("go1.27.3-X:nogreenteagc", GoVersion(1, 27, 3)),
        ("go1.22.3 (Red Hat 1.22.3-1.el9)", GoVersion(1, 22, 3)),
        ("go1.18.10b7", GoVersion(1, 18, 10)),
        ("go1.21.13-1", GoVersion(1, 21, 13)),
        (" go1.24.1\n", GoVersion(1, 24, 1)),
    ],
)
def test_releases_are_read(text: str, version: GoVersion) -> None:
    assert GoVersion.parse(text) == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "devel +abc123 Mon Jan 1 00:00:00 2026 +0000",
        "devel go1.27-abcdef",
        "go1.25-20250812-RC00 cl/793944110",
        "1.27.3",
        "go1",
        "go2000.1",
        "go1.27.",
        "go1.27.3.1",
        "go1.2٣",
        "unknown",
    ],
)
def test_what_has_no_place_in_order_is_none(text: str) -> None:
    assert GoVersion.parse(text) is None


def test_order_is_that_of_release() -> None:
    names = [
        "go1.9",
        "go1.20",
        "go1.20.1",
        "go1.26beta1",
        "go1.26rc1",
        "go1.26rc2",
        "go1.26.0",
        "go1.26.10",
        "go1.27rc1",
    ]
    versions = [GoVersion.parse(name) for name in names]
    assert [str(version) for version in versions] == names
    known = [version for version in versions if version]
    assert known == sorted(known)


@given(st.text() | st.text("go1.27rcbeta -+X٣", max_size=20).map("go1.".__add__))
def test_reading_a_version_never_fails(text: str) -> None:
    version = GoVersion.parse(text)
    assert version is None or GoVersion.parse(str(version)) == version


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_recorded_claims_more_than_the_truth(program: str) -> None:
    folder, truth = RECORDINGS / program, built_with(program)
    claims = [
        go_version_from_trace((folder / "burn2.trace").read_bytes()[:16]),
        go_version_from_index(read_index((folder / "index.html").read_bytes())),
        *(go_version_from_profile(decode(file.read_bytes())) for file in folder.glob("*.pb.gz")),
    ]
    assert all(claim.exact is None for claim in claims)
    assert all(claim.at_least is None or claim.at_least <= truth for claim in claims)
    best = combine_go_versions([*claims, go_version_from_metrics(str(truth))])
    assert (best.exact, best.source) == (truth, VersionSource.METRICS)


@pytest.mark.parametrize(
    ("release", "trace", "index", "functions"),
    [
        ("go1.21.13", GoVersion(1, 21), None, GoVersion(1, 20)),
        ("go1.24.11", GoVersion(1, 23), GoVersion(1, 24), GoVersion(1, 24)),
        ("go1.27.3", GoVersion(1, 26), GoVersion(1, 26), GoVersion(1, 24)),
    ],
)
@pytest.mark.parametrize("system", ["linux", "windows"])
def test_lower_bounds_of_recorded_replies(
    system: str, release: str, trace: GoVersion, index: GoVersion | None, functions: GoVersion
) -> None:
    folder = RECORDINGS / f"{system}-{release}"
    assert go_version_from_trace((folder / "burn2.trace").read_bytes()).at_least == trace
    assert go_version_from_index(read_index((folder / "index.html").read_bytes())).at_least == index
    assert go_version_from_profile(decode((folder / "goroutine_contended.pb.gz").read_bytes())).at_least == functions


def test_no_evidence_is_nothing() -> None:
    assert go_version_from_metrics(None) == go_version_from_metrics("devel go1.28-abc") == NOTHING
    assert go_version_from_trace(b"") == go_version_from_trace(b"\x1f\x8b") == NOTHING
    assert go_version_from_index(IndexPage({"heap": 3})) == NOTHING
    assert combine_go_versions([]) == combine_go_versions([NOTHING, NOTHING]) == NOTHING


def test_the_highest_bound_is_kept_with_its_source() -> None:
    trace, index = go_version_from_trace(b"go 1.23 trace\0\0\0"), go_version_from_index(IndexPage({"symbol": 0}))
    assert combine_go_versions([trace, index]) == KnownGoVersion(None, GoVersion(1, 24), VersionSource.INDEX)


def test_a_page_of_another_program_is_not_believed() -> None:
    page, index = go_version_from_metrics("go1.21.13"), go_version_from_index(IndexPage({"symbol": 0}))
    assert combine_go_versions([page, index]) == KnownGoVersion(None, GoVersion(1, 24), VersionSource.INDEX)


def test_a_release_candidate_satisfies_the_bound_of_its_line() -> None:
    candidate = combine_go_versions(
        [go_version_from_metrics("go1.26rc1"), go_version_from_index(IndexPage({"goroutineleak": 0}))]
    )
    assert candidate.exact == GoVersion.parse("go1.26rc1")


def test_stack_limits_by_version() -> None:
    assert stack_limit(go_version_from_metrics("go1.22.12"), cpu=False) == 32
    assert stack_limit(go_version_from_metrics("go1.23rc1"), cpu=False) == 128
    assert stack_limit(go_version_from_metrics("go1.27.3"), cpu=False) == 128
    assert stack_limit(go_version_from_trace(b"go 1.23 trace\0\0\0"), cpu=False) == 128
    assert stack_limit(go_version_from_trace(b"go 1.22 trace\0\0\0"), cpu=False) is None, "Go 1.22, or any later one"
    assert stack_limit(NOTHING, cpu=False) is None


def test_the_limit_of_cpu_stacks_is_always_known() -> None:
    assert stack_limit(NOTHING, cpu=True) == 64


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("kind", "file"), [("cpu", "cpu_deep.pb.gz"), ("goroutine", "goroutine_deep.pb.gz")])
def test_recorded_deep_stacks_are_cut_at_the_limit(program: str, kind: str, file: str) -> None:
    profile = decode((RECORDINGS / program / file).read_bytes())
    deepest = max(sum(len(location.lines) for location in profile.stack_of(sample)) for sample in profile.samples)
    assert deepest == stack_limit(go_version_from_metrics(program.partition("-")[2]), cpu=kind == "cpu")
