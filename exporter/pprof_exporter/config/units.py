"""Durations and sizes as Prometheus writes them: `1m30s`, `64MB`, and `64MiB`, which is the same size."""

from __future__ import annotations

import re

_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+)(ms|[smhdw])")


def parse_duration(text: str) -> float:
    """Seconds. Raises `ValueError` with a sentence for what is not a duration above 0."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write for example 30s, 5m or 1h30m")
    seconds = sum(int(number) * _DURATION_UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"{text!r}: a duration must be longer than 0")
    return seconds


_SIZE_UNITS = {unit: 1024**power for power, unit in enumerate(("", "K", "M", "G", "T"))}
_SIZE = re.compile(r"(\d+)(?:([KMGT]?)i?B)?", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes. Raises `ValueError` with a sentence for what is not a size above 0."""
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _SIZE_UNITS[found[2] or ""] if found else 0
    if size <= 0:
        raise ValueError(f"{text!r} is not a size; write for example 32MB or 512KB")
    return size
