"""The catalogue keeps the naming rules of Prometheus, so that everything made from it does."""

from __future__ import annotations

import re

import pytest

from pprof_exporter.catalog import FAMILIES, Family, MetricType, Reason

SUFFIX = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}


def each() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def test_names_are_unique() -> None:
    names = [family.name for family in FAMILIES]
    assert len(names) == len(set(names))


@each()
def test_names_are_lower_case_and_begin_with_the_prefix(family: Family) -> None:
    assert re.fullmatch(r"pprof_[a-z][a-z0-9_]*[a-z0-9]", family.name)


@each()
def test_the_suffix_tells_the_type_and_no_other_family_has_it(family: Family) -> None:
    for kind, suffix in SUFFIX.items():
        assert family.name.endswith(suffix) == (family.type is kind)
    assert not re.search(r"_(count|sum|bucket|gauge|counter|histogram)$", family.name)


@each()
def test_units_are_base_units(family: Family) -> None:
    assert not re.search(r"_(ms|milliseconds|nanos|kb|mb|percent|minutes)(_|$)", family.name)


@each()
def test_help_is_a_sentence(family: Family) -> None:
    assert family.help[0].isupper() or family.help[0].isdigit()
    assert family.help.endswith(".")
    assert family.help.isprintable()


@each()
def test_families_of_targets_have_the_target_and_those_of_the_exporter_have_not(family: Family) -> None:
    assert ("target" in family.labels) != family.name.startswith("pprof_exporter_")


@each()
def test_only_histograms_have_buckets_and_these_rise(family: Family) -> None:
    assert bool(family.buckets) == (family.type is MetricType.HISTOGRAM)
    assert list(family.buckets) == sorted(set(family.buckets))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert not reason.meaning.endswith(".")
    assert reason.advice.endswith(".")
