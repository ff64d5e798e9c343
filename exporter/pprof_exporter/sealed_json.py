"""JSON objects with a digest of their own text as the last key: what changed on disk is not taken for what was written.

`{"a": 1}` is sealed as `{"a": 1, "sha256": "..."}`. The digest is that of all bytes before the comma, so that nothing
needs to be written in a canonical form.
"""

from __future__ import annotations

import hashlib
import re

_SEAL = re.compile(rb',\s*"sha256":\s*"([0-9a-f]{64})"\s*\}\s*\Z')


class BrokenSeal(ValueError):
    """The text is not as it was written."""


def seal(text: bytes, indent: int | None = None) -> bytes:
    """The object, with at least one key, with its digest, and a line break; `indent` is that of `text`."""
    content = text.rstrip().removesuffix(b"}").rstrip()
    between, end = (b"", b"") if indent is None else (b"\n" + b" " * indent, b"\n")
    return b'%b,%b"sha256":%b"%b"%b}\n' % (
        content,
        between,
        b"" if indent is None else b" ",
        hashlib.sha256(content).hexdigest().encode(),
        end,
    )


def is_sealed(text: bytes) -> bool:
    """Whether there is a digest, which is that of the text. Raises BrokenSeal if it is another; without one, False."""
    # The pattern would be tried at every comma of a long text.
    start = text.rfind(b",", 0, len(text))
    found = _SEAL.match(text, start) if start >= 0 else None
    if found is None:
        return False
    if hashlib.sha256(text[:start]).hexdigest().encode() != found[1]:
        raise BrokenSeal("the text is not as it was written: its sha256 is another")
    return True
