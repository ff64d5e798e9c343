"""JSON: what Python's reader does differently from Go's, and no error but the documented one."""

from __future__ import annotations

import codecs

import pytest

from pprof_exporter.inputs.json_document import BadJson, parse_json


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1,", "line 1: expecting value"),
        ('{"a":\n x}', "line 2"),
        ("NaN", "NaN is not a number of JSON"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("9" * 5_000, "too many digits"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("", "expecting value"),
    ],
)
def test_what_is_not_json_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadJson, match=says):
        parse_json(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_taken_off(encoding: str) -> None:
    assert parse_json('["é"]'.encode(encoding)) == ["é"]


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadJson, match="not UTF-8"):
        parse_json(b'["\xff"]')
    with pytest.raises(BadJson, match="zero bytes"):
        parse_json(codecs.BOM_UTF16_LE + b"\0\0")


def test_of_a_key_that_occurs_twice_the_last_counts_as_in_go() -> None:
    assert parse_json('{"a": 1, "a": 2}') == {"a": 2}
