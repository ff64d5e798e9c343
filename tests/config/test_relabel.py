"""Relabelling does what Prometheus does: its own cases (model/relabel/relabel_test.go), made again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.config.relabel import Action, BadRule, Labels, Rule, relabel

ABC = {"a": "foo", "b": "bar", "c": "baz"}


def rule(action: str = "replace", source: str = "", **parts: Any) -> Rule:
    return Rule(Action(action), tuple(source.split()), **parts)


CASES: list[tuple[str, Labels, list[Rule], Labels | None]] = [
    (
        "replace with a template",
        ABC,
        [rule(source="a", regex="f(.*)", target_label="d", replacement="ch${1}-ch${1}")],
        {**ABC, "d": "choo-choo"},
    ),
    (
        "one after the other",
        ABC,
        [
            rule(source="a b", regex="f(.*);(.*)r", target_label="a", replacement="b${1}${2}m"),
            rule(source="c a", regex="(b).*b(.*)ba(.*)", target_label="d", replacement="$1$2$2$3"),
        ],
        {"a": "boobam", "b": "bar", "c": "baz", "d": "boooom"},
    ),
    (
        "drop, and nothing after it",
        {"a": "foo"},
        [rule("drop", "a", regex=".*o.*"), rule(source="a", regex="f(.*)", target_label="d", replacement="ch$1-ch$1")],
        None,
    ),
    ("drop what is not there", {"a": "foo", "b": "bar"}, [rule("drop", "a", regex=".*")], None),
    (
        "a match in the middle does not drop",
        {"a": "abc"},
        [rule("drop", "a", regex=".*(b).*"), rule(source="a", target_label="d", replacement="no")],
        None,
    ),
    ("anchored", {"a": "foo"}, [rule("drop", "a", regex="fo")], {"a": "foo"}),
    ("keep that does not match", {"a": "foo"}, [rule("keep", "a", regex="no-match")], None),
    ("keep only whole values", {"a": "foo"}, [rule("keep", "a", regex="f|o")], None),
    (
        "a replacement without a group",
        {"a": "foo"},
        [rule(source="a", regex="foo", target_label="a", replacement="")],
        {},
    ),
    (
        "no match changes nothing",
        {"a": "foo"},
        [rule(source="a", regex="bar", target_label="d", replacement="$1")],
        {"a": "foo"},
    ),
    (
        "a label set without any source",
        {"a": "foo"},
        [rule(target_label="d", replacement="fixed")],
        {"a": "foo", "d": "fixed"},
    ),
    (
        "hashmod",
        ABC,
        [rule("hashmod", "c", target_label="d", modulus=1000)],
        {**ABC, "d": "976"},
    ),
    (
        "hashmod of more than one line",
        {"a": "foo\nbar"},
        [rule("hashmod", "a", target_label="b", modulus=1000)],
        {"a": "foo\nbar", "b": "734"},
    ),
    (
        "labelmap",
        {"a": "foo", "b1": "bar", "b2": "baz"},
        [rule("labelmap", regex="b(.*)", replacement="bar_${1}")],
        {"a": "foo", "b1": "bar", "b2": "baz", "bar_1": "bar", "bar_2": "baz"},
    ),
    (
        "labelmap of meta labels",
        {"a": "foo", "__meta_my_bar": "aaa", "__meta_my_baz": "bbb", "__meta_other": "ccc"},
        [rule("labelmap", regex="__meta_(my.*)")],
        {
            "a": "foo",
            "__meta_my_bar": "aaa",
            "__meta_my_baz": "bbb",
            "__meta_other": "ccc",
            "my_bar": "aaa",
            "my_baz": "bbb",
        },
    ),
    (
        "a target label from a group",
        {"a": "some-name-value"},
        [rule(source="a", regex="some-([^-]+)-([^,]+)", target_label="${1}", replacement="${2}")],
        {"a": "some-name-value", "name": "value"},
    ),
    (
        "a target label that is none",
        {"a": "some-name-value"},
        [rule(source="a", regex="some-([^-]+)-([^,]+)", target_label="${3}", replacement="${1}")],
        {"a": "some-name-value"},
    ),
    (
        "a template that is longer than the group",
        {"a": "some-name-0"},
        [rule(source="a", regex="some-([^-]+)-([^,]+)", target_label="${1}", replacement="$1x")],
        {"a": "some-name-0"},
    ),
    (
        "several in the target label",
        {"__meta_sd_tags": "path:/secret,job:some-job,label:foo=bar"},
        [
            rule(source="__meta_sd_tags", regex="(?:.+,|^)path:(/[^,]+).*", target_label="__metrics_path__"),
            rule(source="__meta_sd_tags", regex="(?:.+,|^)job:([^,]+).*", target_label="job"),
            rule(
                source="__meta_sd_tags",
                regex="(?:.+,|^)label:([^=]+)=([^,]+).*",
                target_label="${1}",
                replacement="${2}",
            ),
        ],
        {
            "__meta_sd_tags": "path:/secret,job:some-job,label:foo=bar",
            "__metrics_path__": "/secret",
            "job": "some-job",
            "foo": "bar",
        },
    ),
    ("labeldrop", {"a": "foo", "b1": "bar", "b2": "baz"}, [rule("labeldrop", regex="(b.*)")], {"a": "foo"}),
    ("labelkeep", {"a": "foo", "b1": "bar"}, [rule("labelkeep", regex="(b.*)")], {"b1": "bar"}),
    (
        "lowercase and uppercase",
        {"foo": "bAr123Foo"},
        [
            rule("lowercase", "foo", target_label="foo_lowercase"),
            rule("uppercase", "foo", target_label="foo_uppercase"),
        ],
        {"foo": "bAr123Foo", "foo_lowercase": "bar123foo", "foo_uppercase": "BAR123FOO"},
    ),
    (
        "keepequal, equal",
        {"__tmp_port": "1234", "__port1": "1234", "__port2": "5678"},
        [rule("keepequal", "__tmp_port", target_label="__port1")],
        {"__tmp_port": "1234", "__port1": "1234", "__port2": "5678"},
    ),
    (
        "keepequal, different",
        {"__tmp_port": "1234", "__port1": "1234", "__port2": "5678"},
        [rule("keepequal", "__tmp_port", target_label="__port2")],
        None,
    ),
    (
        "dropequal, equal",
        {"__tmp_port": "1234", "__port1": "1234"},
        [rule("dropequal", "__tmp_port", target_label="__port1")],
        None,
    ),
    (
        "dropequal, different",
        {"__tmp_port": "1234", "__port1": "5678"},
        [rule("dropequal", "__tmp_port", target_label="__port1")],
        {"__tmp_port": "1234", "__port1": "5678"},
    ),
    (
        "a dot matches the end of a line",
        {"a": "line1\nline2"},
        [rule(source="a", regex="(.*)line2", target_label="d", replacement="match")],
        {"a": "line1\nline2", "d": "match"},
    ),
]


@pytest.mark.parametrize(("labels", "rules", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_cases_of_prometheus(labels: Labels, rules: list[Rule], expected: Labels | None) -> None:
    assert relabel(labels, rules) == expected


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"action": "replace"}, "needs a target_label"),
        ({"action": "hashmod", "target_label": "d"}, "modulus above 0"),
        ({"action": "lowercase"}, "needs a target_label"),
        ({"action": "lowercase", "target_label": "${3}"}, "is not a target_label"),
        ({"action": "hashmod", "modulus": 1, "target_label": "a-b"}, "is not a target_label"),
        ({"action": "replace", "target_label": "a-b"}, "is not a target_label"),
        ({"action": "labelmap", "replacement": "a-b"}, "is not a replacement"),
        ({"action": "keepequal", "target_label": "a", "regex": "x"}, "takes only source_labels and target_label"),
        ({"action": "dropequal", "target_label": "a", "modulus": 2}, "takes only source_labels and target_label"),
        ({"action": "labeldrop", "source": "a"}, "takes only regex"),
        ({"action": "labelkeep", "target_label": "a"}, "takes only regex"),
        ({"action": "keep", "regex": "("}, "is not a regular expression"),
        ({"action": "keep", "regex": r"\p{Greek}"}, "is not known: only categories"),
        ({"action": "keep", "regex": "(?=a)"}, "Perl syntax, such as a look-ahead"),
        ({"action": "keep", "regex": r"(a)\1"}, "invalid escape sequence"),
    ],
)
def test_a_rule_that_cannot_be_used_says_why(parts: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRule, match=says):
        rule(**parts)


@pytest.mark.parametrize("target", ["$1", "${1}", "a_${1}_b", "$name", "_x", "${1}_$2"])
def test_a_target_label_may_hold_groups(target: str) -> None:
    rule(target_label=target)


def test_a_template_that_is_none_is_refused_at_once_however_long_it_is() -> None:
    began = time.thread_time()
    with pytest.raises(BadRule, match="is not a replacement"):
        rule("labelmap", replacement="$" + "a" * 70_000 + "-")
    assert time.thread_time() - began < 2


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text())
def test_replacing_with_what_was_found_sets_just_that(labels: Labels, value: str) -> None:
    labels = {**labels, "source": value}

    found = relabel(labels, [rule(source="source", target_label="copy")])

    assert found is not None
    assert found.get("copy", "") == value


@given(st.text(), st.integers(1, 64))
def test_hashmod_spreads_over_its_shards_and_no_further(value: str, modulus: int) -> None:
    found = relabel({"a": value}, [rule("hashmod", "a", target_label="shard", modulus=modulus)])

    assert found is not None
    assert 0 <= int(found["shard"]) < modulus


def test_a_dollar_is_written_twice() -> None:
    assert relabel({"a": "x"}, [rule(source="a", target_label="a", replacement="$$1")]) == {"a": "$1"}
