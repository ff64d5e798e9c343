"""A bug is claimed where its fix is known to be missing, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.health.known_bugs import known_bugs
from pprof_exporter.profile.goversion import GoVersion


def ids(goos: str | None, version: str, *, mutex: bool | None = None) -> set[str]:
    return {bug.id.removeprefix("golang/go#") for bug in known_bugs(goos, GoVersion.parse(version), mutex)}


@pytest.mark.parametrize(
    "version", ["go1.22.0", "go1.24.11", "go1.25.10", "go1.26.6", "go1.27rc1", "go1.27.0", "go1.27.1"]
)
def test_mutex_profiling_is_dangerous_on_windows_without_the_fix(version: str) -> None:
    assert "80982" in ids("windows", version, mutex=True)
    assert "80982" not in ids("windows", version, mutex=False)
    assert "80982" not in ids("windows", version, mutex=None)
    assert "80982" not in ids("linux", version, mutex=True)
    assert "80982" not in ids(None, version, mutex=True)


@pytest.mark.parametrize("version", ["go1.21.13", "go1.26.7", "go1.27.2", "go1.27.3", "go1.28.0"])
def test_where_the_fix_is_or_may_be_nothing_is_claimed(version: str) -> None:
    assert "80982" not in ids("windows", version, mutex=True)


@pytest.mark.parametrize(
    ("goos", "version", "expected"),
    [
        ("windows", "go1.15.15", {"43296", "33250", "62358"}),
        ("windows", "go1.16", {"61665", "44343", "43296", "33250", "62358"}),
        ("windows", "go1.21.13", {"61665", "44343", "62358"}),
        ("windows", "go1.22.0", {"44343", "62358"}),
        ("windows", "go1.24.11", set()),
        ("windows", "go1.26rc1", {"77975"}),
        ("windows", "go1.26.1", {"77975"}),
        ("windows", "go1.26.2", set()),
        ("windows", "go1.27.3", set()),
        ("linux", "go1.17.13", {"35057", "33250", "62358"}),
        ("linux", "go1.18", {"33250", "62358"}),
        ("linux", "go1.27.3", set()),
        ("darwin", "go1.22.5", {"62358"}),
        (None, "go1.16", {"33250", "62358"}),
    ],
)
def test_bugs_by_system_and_version(goos: str | None, version: str, expected: set[str]) -> None:
    assert ids(goos, version) == expected


@given(st.sampled_from(["windows", "linux", None]), st.booleans() | st.none())
def test_an_unknown_version_has_no_known_bugs(goos: str | None, mutex: bool | None) -> None:  # noqa: FBT001
    assert known_bugs(goos, None, mutex) == ()


@given(
    st.builds(GoVersion, st.just(1), st.integers(0, 40), st.integers(0, 20)),
    st.sampled_from(["windows", "linux", "darwin"]),
    st.booleans(),
)
def test_no_release_has_a_bug_that_it_fixes(version: GoVersion, goos: str, mutex: bool) -> None:  # noqa: FBT001
    for bug in known_bugs(goos, version, mutex):
        assert bug.fixed_in is None or version < bug.fixed_in
        assert bug.url.startswith("https://github.com/golang/go/issues/")
        assert bug.title
