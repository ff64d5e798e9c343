"""Durations and sizes as Prometheus writes them: `1m30s`, `64MB`, and `64MiB`, which is the same size."""

from __future__ import annotations

import re

_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+)(ms|[smhdw])", re.ASCII)
# A duration of Prometheus is a signed 64-bit number of nanoseconds (model/time.go of prometheus/common).
_LONGEST = 2**63 / 1e9
_MOST_DIGITS = 19


def parse_duration(text: str) -> float:
    """Seconds. Raises `ValueError` with a sentence for what is not a duration above 0."""
    parts = _PART.findall(text)
    if any(len(number) > _MOST_DIGITS for number, _ in parts):
        raise ValueError(f"a duration has at most {_MOST_DIGITS} digits")
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; write for example 30s, 5m or 1h30m")
    seconds = sum(int(number) * _DURATION_UNITS[unit] for number, unit in parts)
    if seconds <= 0:
        raise ValueError(f"{text!r}: a duration must be longer than 0")
    if seconds >= _LONGEST:
        raise ValueError(f"{text!r}: longer than 292 years")
    return seconds


_SIZE_UNITS = {unit: 1024**power for power, unit in enumerate(("", "K", "M", "G", "T"))}
_SIZE = re.compile(r"(\d{1,19})(?:([KMGT]?)i?B)?", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes. Raises `ValueError` with a sentence for what is not a size above 0."""
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _SIZE_UNITS[found[2] or ""] if found else 0
    if size <= 0:
        raise ValueError(f"{text!r} is not a size; write for example 32MB or 512KB")
    if size >= 2**63:
        raise ValueError(f"{text!r}: a size must be below 8 EiB")
    return size
