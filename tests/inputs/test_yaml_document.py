"""YAML: scalars are text where text is wanted, and nothing but the documented error escapes.

Against Prometheus itself, see tests/e2e/test_texts.py.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from pprof_exporter.inputs.yaml_document import BadYaml, parse_yaml
from tests.fuzz import nasty

TEXTS = {"additionalProperties": {"type": "string"}}
OPTIONAL = {"additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
ANYTHING: dict[str, Any] = {}


@pytest.mark.parametrize(
    "written",
    [
        *(
            "1.10",
            "true",
            "yes",
            "Off",
            "007",
            "0x1F",
            "0b11",
            "20261128",
            "2024-02-30",
            "1e3",
            ".inf",
            "1:30",
            "1_000",
        ),
        *("-0", "+1", "=", "<<", "9" * 5_000, "2024-01-01T00:00:00Z", "y", "n", "1.2.3"),
    ],
)
def test_a_scalar_is_its_text_where_text_is_wanted(written: str) -> None:
    assert parse_yaml(f"a: {written}", TEXTS)[0] == {"a": written}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("5", 5), ("0x10", 16), ("010", 8), ("0b11", 3), ("1_000", 1000), ("-3", -3), ("1.5", 1.5)),
        *(("true", True), ("no", False), ("~", None), ("", None), ('"5"', "5"), ("1:30", "1:30"), ("a b", "a b")),
        *(
            ("2024-02-30", "2024-02-30"),
            ("[1, a]", [1, "a"]),
            ("{1: 2}", {"1": 2}),
            ("!!str 5", "5"),
            (".inf", float("inf")),
        ),
    ],
)
def test_a_scalar_has_its_type_where_any_is_wanted(written: str, value: object) -> None:
    assert parse_yaml(f"a: {written}", ANYTHING)[0] == {"a": value}


def test_null_is_no_text_and_absent_where_it_may_be() -> None:
    assert parse_yaml("{a: ~, b: null, c: }", TEXTS)[0] == {"a": "", "b": "", "c": ""}
    assert parse_yaml("a: ~", OPTIONAL)[0] == {"a": None}


def test_keys_are_text_too() -> None:
    assert parse_yaml("{1.10: a, true: b, ~: c}", TEXTS)[0] == {"1.10": "a", "true": "b", "": "c"}


def test_a_mapping_takes_what_it_merges_and_does_not_have_itself() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: *a, x: 3}\nd: {<<: [*a, *b]}"
    found = parse_yaml(text, ANYTHING)[0]
    assert found["c"] == {"x": 3, "y": 1}
    assert found["d"] == {"x": 1, "y": 1, "z": 2}


def test_lines_are_those_of_the_keys() -> None:
    lines = parse_yaml("a:\n  - b: 1\n    c: 2\n", ANYTHING)[1]
    assert [lines.line(place) for place in (("a",), ("a", 0, "c"), ("a", 0, "c", "no"), ("x",))] == [1, 3, 3, 1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(end: str) -> None:
    assert parse_yaml(f"a: 1{end}b: |{end}  x{end}  y{end}", ANYTHING)[0] == {"a": 1, "b": "x\ny\n"}


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "~", "---\n---\n", "---\n...\n"])
def test_a_file_without_a_value_has_none(text: str) -> None:
    assert parse_yaml(text, ANYTHING)[0] is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\na: 2", 2, "the key 'a' occurs twice"),
        ("a: 1\n---\nb: 2", 3, "a second document"),
        ("a:\n\t- b", 2, "found character '\\t'"),
        ("a: 1\nb: [", 2, "expected the node content"),
        ("a: 1\nb: !!bool foo", 2, "does not have the type of its tag !!bool"),
        ("a: !!int foo", 1, "does not have the type of its tag !!int"),
        ("a: !!float x", 1, "does not have the type of its tag !!float"),
        ("a: !!null x", 1, "does not have the type of its tag !!null"),
        ("a: !!binary x", 1, "in quotes"),
        ("a: !!set {b}", 1, "in quotes"),
        ("a: !secret", 1, "in quotes"),
        ("a: *secret", 1, "in quotes"),
        ("a: !x!secret b", 1, "in quotes"),
        ("a: 1\nb: &b [*b]", 2, "an anchor contains itself"),
        ("a: &a {<<: *a}", 1, "an anchor contains itself"),
        ("a: {<<: 1}", 1, "<< merges a mapping"),
        ("a: {<<: [1]}", 1, "<< merges a mapping"),
        ("{[a]: b}", 1, "a key must be text"),
        ('a: 1\nb: "\\ud800"', 2, "half a surrogate pair"),
        ('"\\ud800": 1', 1, "half a surrogate pair"),
        ('a: 1\nb: "\\UFFFFFFFF"', 2, "an escape stands for no character"),
        ("a: 1\nb: \x07", 2, "U+0007 is not allowed"),
        ("[" * 5_000, 1, "nested too deeply"),
        ("a: " * 5_000, 1, "mapping values are not allowed"),
        ("- " * 5_000, 1, "nested too deeply"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(BadYaml) as caught:
        parse_yaml(text, ANYTHING)
    assert caught.value.line == line
    assert says in caught.value.sentence
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("bomb", ["[{}]", "{{<<: [{}]}}"], ids=["of lists", "of merges"])
def test_a_bomb_of_aliases_does_not_go_off(bomb: str) -> None:
    lines = ["a0: &a0 {x: 1}" if "<<" in bomb else "a0: &a0 x"]
    lines += [f"a{i}: &a{i} " + bomb.format(", ".join([f"*a{i - 1}"] * 9)) for i in range(1, 12)]
    began = time.thread_time()
    with pytest.raises(BadYaml, match="aliases repeat more than 100000 values"):
        parse_yaml("\n".join(lines), ANYTHING)
    assert time.thread_time() - began < 10


@pytest.mark.parametrize("schema", [ANYTHING, TEXTS], ids=["anything", "texts"])
@pytest.mark.parametrize("written", nasty.SCALARS)
def test_no_error_of_a_constructor_escapes(written: str, schema: dict[str, Any]) -> None:
    for text in (f"a: {written}", f"{written}: a", f"- {written}", written):
        try:
            parse_yaml(text, schema)
        except BadYaml as error:
            assert error.line >= 1  # noqa: PT017 - refused or not, both are right
