"""Text of files, as editors and shells of every system write it.

Windows PowerShell 5.1 puts a byte order mark before UTF-8, and writes UTF-16 by default. Prometheus reads both in YAML
(yaml/go-yaml, readerc.go), and keeps the mark as part of a password or refuses the file elsewhere. Here the mark is
taken off everywhere.
"""

from __future__ import annotations

import codecs
from pathlib import Path

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class BadText(ValueError):
    """Bytes that are no text, or too many of them. The message completes a sentence about them, and shows none."""


class TooMuchText(ValueError):
    """A text is too long for what is done with it; the message completes a sentence about what it is part of."""


def read_text(file: Path, most: int) -> str:
    """The text of a file of at most so many bytes. Raises `OSError` and `BadText`."""
    if "\0" in str(file):
        # Python raises ValueError for it, whatever else is wrong with the file.
        raise BadText("no file has a zero byte in its name")
    with file.open("rb") as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise BadText(f"larger than {most} bytes")
    return decode_text(data)


def decode_text(data: bytes) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 with one. Line ends stay as they are. Raises `BadText`."""
    mark, encoding = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding[:6].rstrip("-").upper()
        raise BadText(f"not {name} text ({error.reason} at byte {len(mark) + error.start}); save it as UTF-8") from None
    if "\0" in text:
        raise BadText("zero bytes, as in UTF-16 without a byte order mark; save it as UTF-8")
    return text


def is_marked(data: bytes) -> bool:
    """Whether bytes begin with a byte order mark."""
    return any(data.startswith(mark) for mark, _ in _MARKS)


def is_text(text: str) -> bool:
    """Whether a text can be encoded: half a surrogate pair is no character, and escapes of JSON and YAML make one."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
