"""Sizes as Prometheus writes them: `64MB` and `64MiB` are both 64 times 1024 times 1024 bytes."""

from __future__ import annotations

import re

_UNITS = {unit: 1024**power for power, unit in enumerate(("", "K", "M", "G", "T"))}
_SIZE = re.compile(r"(\d+)(?:([KMGT]?)i?B)?", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes. Raises `ValueError` with a sentence for what is not a size above 0."""
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _UNITS[found[2] or ""] if found else 0
    if size <= 0:
        raise ValueError(f"{text!r} is not a size; write for example 32MB or 512KB")
    return size
