"""What counts as a change: parts that both sides know, and Go versions that cannot be the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.store import Change, Fingerprint, changed_parts, overlay_fingerprint
from pprof_exporter.store.epoch import merge_fingerprints

OLD = Fingerprint("windows 1", "build 1", "go1.24.1", "none")

exact_versions = st.builds("go1.{}.{}".format, st.integers(18, 27), st.integers(0, 9))
bounds = st.builds("go1.{}.0+".format, st.integers(18, 27))
versions = st.one_of(st.just(""), exact_versions, bounds)
texts = st.sampled_from(["", "one", "two"])
fingerprints = st.builds(Fingerprint, texts, texts, versions, texts)


def go(version: str) -> Fingerprint:
    return Fingerprint(go=version)


def test_only_parts_that_both_sides_know_can_change() -> None:
    newer = Fingerprint("windows 2", "build 2", "go1.25.0", "none")
    assert changed_parts(OLD, newer) == (Change.OPERATING_SYSTEM, Change.BINARY, Change.GO)
    assert changed_parts(OLD, Fingerprint("", "build 1", "", "antivirus")) == (Change.MODULES,)
    assert changed_parts(Fingerprint(), OLD) == ()


@pytest.mark.parametrize(
    ("one", "other", "changed"),
    [
        ("go1.24.0+", "go1.24.0", ()),
        ("go1.24.0+", "go1.24.5", ()),
        ("go1.24.0+", "go1.27.1", ()),
        ("go1.24.0+", "go1.24rc1", ()),
        ("go1.24.0+", "go1.23.9", (Change.GO,)),
        ("go1.24.0+", "go1.21.0+", ()),
        ("go1.27.1", "go1.27.3", (Change.GO,)),
        ("go1.27.1", "go1.27.1", ()),
        ("go1.9", "go1.10.0+", (Change.GO,)),
    ],
)
def test_a_lower_bound_agrees_with_every_version_at_or_above(one: str, other: str, changed: tuple[Change, ...]) -> None:
    assert changed_parts(go(one), go(other)) == changed_parts(go(other), go(one)) == changed


@given(fingerprints)
def test_a_fingerprint_agrees_with_itself_and_with_the_unknown(one: Fingerprint) -> None:
    assert changed_parts(one, one) == changed_parts(one, Fingerprint()) == changed_parts(Fingerprint(), one) == ()


@given(fingerprints, fingerprints)
def test_changes_are_the_same_in_both_directions(one: Fingerprint, other: Fingerprint) -> None:
    assert changed_parts(one, other) == changed_parts(other, one)


@given(fingerprints, fingerprints)
def test_merging_fingerprints_that_agree_agrees_with_both_and_loses_nothing(
    one: Fingerprint, other: Fingerprint
) -> None:
    if changed_parts(one, other):
        return
    merged = merge_fingerprints(one, other)
    assert changed_parts(merged, one) == changed_parts(merged, other) == ()
    assert merged == merge_fingerprints(other, one) == merge_fingerprints(merged, other)
    for change in Change:
        assert bool(merged.part(change)) == bool(one.part(change) or other.part(change))


@given(fingerprints, fingerprints)
def test_the_latest_known_values_agree_with_the_newer_fingerprint_whatever_was_known(
    known: Fingerprint, newer: Fingerprint
) -> None:
    latest = overlay_fingerprint(known, newer)
    # Else one upgrade would be found again at every profile.
    assert changed_parts(latest, newer) == ()
    assert overlay_fingerprint(latest, newer) == latest
    for change in Change:
        if not newer.part(change):
            assert latest.part(change) == known.part(change)


def test_a_lower_bound_does_not_replace_the_exact_version_that_agrees() -> None:
    assert merge_fingerprints(go("go1.24.0+"), go("go1.27.1")) == go("go1.27.1")
    assert overlay_fingerprint(go("go1.27.1"), go("go1.24.0+")) == go("go1.27.1")
    assert overlay_fingerprint(go("go1.21.3"), go("go1.24.0+")) == go("go1.24.0+")
    assert merge_fingerprints(go("go1.21.0+"), go("go1.24.0+")) == go("go1.24.0+")
