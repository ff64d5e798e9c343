"""Sizes as people write them: `512MiB`, `1.5GiB`."""

from __future__ import annotations

import re

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB)")


def parse_size(text: str) -> int:
    """Bytes. Raises `ValueError` with a sentence for what is not a size above 0."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a size; write for example 64MiB or 1GiB")
    size = int(float(found[1]) * _UNITS[found[2]])
    if size <= 0:
        raise ValueError(f"{text!r}: a size is more than 0")
    return size
