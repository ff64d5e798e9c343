"""Texts of files, as editors and shells of every system write them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from pprof_exporter.inputs.text_file import BadText, decode_text, is_text, read_text

TEXT = "pässword\r\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    ],
    ids=["UTF-8", "UTF-8 with a mark", "UTF-16 of PowerShell", "UTF-16 the other way round"],
)
def test_every_usual_encoding_gives_the_same_text(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(data)
    assert decode_text(data) == TEXT
    assert read_text(file, 1_000) == TEXT


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff", "not UTF-8 text .* at byte 0"),
        ("é".encode("latin-1"), "save it as UTF-8"),
        (b"\xed\xa0\x80", "not UTF-8 text"),
        ("secret".encode("utf-16-le"), "as in UTF-16 without a byte order mark; save it as UTF-8"),
        (codecs.BOM_UTF16_LE + b"a", "not UTF-16 text"),
        (codecs.BOM_UTF32_LE + "secret".encode("utf-32-le"), "zero bytes"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(BadText, match=says) as caught:
        decode_text(data)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(b"a" * 11)
    with pytest.raises(BadText, match="larger than 10 bytes"):
        read_text(file, 10)


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert not is_text("a\ud800")
    assert is_text("\U0010ffff")
