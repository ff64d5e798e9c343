"""A sealed document is JSON, and no other bytes pass for it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.sealed_json import BrokenSeal, is_sealed, seal

VALUES = st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text()), min_size=1)
INDENTS = st.sampled_from([None, 1, 2])


@given(value=VALUES, indent=INDENTS)
def test_a_sealed_document_has_the_same_content_and_its_digest(value: dict[str, object], indent: int | None) -> None:
    value.pop("sha256", None)
    text = seal(json.dumps({"a": 1, **value}, indent=indent).encode(), indent)
    assert is_sealed(text)
    assert json.loads(text).keys() == {"a": 1, **value, "sha256": ""}.keys()
    assert text.endswith(b"}\n")


@given(value=VALUES, indent=INDENTS, data=st.data())
def test_a_byte_that_changed_breaks_the_seal_or_the_document(
    value: dict[str, object], indent: int | None, data: st.DataObject
) -> None:
    text = seal(json.dumps({"a": 1, **value}, indent=indent).encode(), indent)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + bytes([data.draw(st.integers(0, 255))]) + text[at + 1 :]
    try:
        whole = is_sealed(changed)
    except BrokenSeal:
        return
    # Blanks around the digest may be others.
    assert not whole or json.loads(changed) == json.loads(text)


@pytest.mark.parametrize("text", [b"", b"{}", b'{"a": 1}', b",", b'{"a": 1, "sha256": "x"}', b"\xff" * 100])
def test_what_is_not_sealed_is_said_to_be_so(text: bytes) -> None:
    assert not is_sealed(text)
