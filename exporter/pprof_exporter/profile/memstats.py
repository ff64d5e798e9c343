"""Reads `runtime.MemStats`: all of it as text at the end of `heap?debug=1`, a part of it from a metrics page.

The text is written by runtime/pprof.writeHeapInternal, with the same lines from Go 1.16 to 1.27. The request costs one
short stop of the world (runtime.ReadMemStats), and every record of the heap profile in text comes before.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.recognise import other_page

PAUSE_RING = 256
"""Number of collections whose pauses the runtime holds."""

_NANOSECONDS = 10**9
_BEGIN = b"heap profile: "
_HEADER = re.compile(rb"heap profile: *-?\d+: *-?\d+ \[ *-?\d+: *-?\d+\] @ heap/(\d{1,18})\r?\n")
_TAIL = re.compile(rb"\n# runtime\.MemStats\r?\n")
_LINE = re.compile(r"# ([A-Za-z]\w*) = (.+)")
_WHOLE = re.compile(r"\d{1,20}")
_CLOCK_LIMIT = 2**63
HEAD_BYTES = 512
"""Bytes at the beginning of the text that are read: its first line, or what another reply is."""
# Most of a real tail is the two rings: 2 * 256 numbers of up to 20 digits.
TAIL_BYTES = 64 * 1024
"""Bytes at its end that are read. What is in between can be dropped."""

# The families of client_golang (prometheus/go_collector.go), which VictoriaMetrics has too (metrics/go_metrics.go).
_PAGE_FAMILIES = {
    b"go_memstats_heap_alloc_bytes": "heap_alloc",
    b"go_memstats_next_gc_bytes": "next_gc",
    b"go_memstats_buck_hash_sys_bytes": "buck_hash_sys",
    b"go_gc_duration_seconds_count": "num_gc",
}
_PAGE_VALUE = re.compile(rb"(?:\{[^{}\n]{0,4096}\})?[ \t]+([0-9.eE+]{1,40})(?=[ \t\r\n]|$)")
_TEXT = bytes(range(0x20, 0x100)) + b"\t\n\r\f\x1b"


@dataclass(frozen=True, slots=True)
class HeapFigures:
    """What both `runtime.MemStats` and a metrics page of client_golang say, at one moment; sizes in bytes."""

    heap_alloc: int
    next_gc: int
    """Size of the live heap at which the next collection starts."""
    num_gc: int
    buck_hash_sys: int
    """Memory that the profiler itself uses for its records (golang/go 69590)."""


@dataclass(frozen=True, slots=True)
class MemStats:
    """`runtime.MemStats` at one moment; sizes in bytes, `last_gc` in Unix seconds.

    `pause_ns` and `pause_end` are rings of the last 256 collections: nanoseconds, and Unix nanoseconds of the end. The
    latest is at `(num_gc + 255) % 256`. The pause of a collection is the sum of its two stops of the world, and its
    end is that of the second (runtime/mgc.go gcMarkTermination).
    """

    heap_alloc: int
    heap_sys: int
    heap_inuse: int
    next_gc: int
    """Size of the live heap at which the next collection starts."""
    last_gc: float | None
    """None before the first collection."""
    num_gc: int
    num_forced_gc: int | None
    """Collections that the program forced; None if the text has no count."""
    gc_cpu_fraction: float
    """Share of the CPU time since the start that went to garbage collection, without idle marking."""
    debug_gc: bool
    buck_hash_sys: int
    """Memory that the profiler itself uses for its records (golang/go 69590)."""
    pause_ns: Sequence[int]
    pause_end: Sequence[int]
    max_rss: int | None
    """Largest resident size so far, if the text has it: on Unix since Go 1.19, on Windows since 1.20."""
    sampling_bytes: int
    """Bytes per sampled allocation (`runtime.MemProfileRate`); 0 when heap profiling is off."""

    @property
    def figures(self) -> HeapFigures:
        """What a metrics page can say too."""
        return HeapFigures(self.heap_alloc, self.next_gc, self.num_gc, self.buck_hash_sys)


def read_memstats(body: bytes) -> MemStats:
    """Read a reply to `heap?debug=1` or `allocs?debug=1`.

    Raises only `DecodeError`: empty, html, text (another page), proto (binary), truncated (the end is missing), or
    invalid (a number is missing or malformed).
    """
    if not body.startswith(_BEGIN):
        raise _format_error(body)
    header = _HEADER.match(body)
    if header is None:
        raise DecodeError(Reason.INVALID, "the first line is not that of a heap profile in text")
    fields = _Fields(_tail(body))
    last_gc = fields.clock("LastGC")
    return MemStats(
        heap_alloc=fields.whole("HeapAlloc"),
        heap_sys=fields.whole("HeapSys"),
        heap_inuse=fields.whole("HeapInuse"),
        next_gc=fields.whole("NextGC"),
        last_gc=last_gc / _NANOSECONDS if last_gc else None,
        num_gc=fields.whole("NumGC"),
        num_forced_gc=fields.whole("NumForcedGC") if "NumForcedGC" in fields else None,
        gc_cpu_fraction=fields.fraction("GCCPUFraction"),
        debug_gc=fields.flag("DebugGC"),
        buck_hash_sys=fields.whole("BuckHashSys"),
        pause_ns=fields.ring("PauseNs"),
        pause_end=fields.ring("PauseEnd"),
        max_rss=fields.whole("MaxRSS") if "MaxRSS" in fields else None,
        # The text doubles the rate, as early C++ heap profilers did (runtime/pprof/pprof.go writeHeapInternal).
        sampling_bytes=int(header[1]) // 2,
    )


def read_page_figures(page: bytes) -> HeapFigures | None:
    """The same figures on a metrics page; None unless it has each of them once, as a sensible number.

    Searches plain strings: a page can have a hundred thousand lines, and is read with each CPU profile.
    """
    values = {field: _page_value(page, family) for family, field in _PAGE_FAMILIES.items()}
    known = {field: value for field, value in values.items() if value is not None}
    return HeapFigures(**known) if len(known) == len(values) else None


def _page_value(page: bytes, family: bytes) -> int | None:
    found: list[int | None] = []
    at = 0 if page.startswith(family) else page.find(b"\n" + family) + 1 or None
    while at is not None and len(found) < 2:
        match = _PAGE_VALUE.match(page, at + len(family))
        # Else it is a longer name, or a word of a comment.
        if match is not None:
            found.append(_page_number(match[1]))
        at = page.find(b"\n" + family, at) + 1 or None
    return found[0] if len(found) == 1 else None


def _page_number(word: bytes) -> int | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return int(value) if value < _CLOCK_LIMIT else None


def _format_error(body: bytes) -> DecodeError:
    head = body[:HEAD_BYTES]
    if head.strip() and head.translate(None, _TEXT):
        return DecodeError(Reason.PROTO, "binary data instead of the text of heap?debug=1")
    return other_page(head, "not the text of heap?debug=1")


def _tail(body: bytes) -> str:
    found = _TAIL.search(body, max(0, len(body) - TAIL_BYTES))
    if found is None:
        raise DecodeError(Reason.TRUNCATED, "the text ends before `# runtime.MemStats`")
    return body[found.end() :].decode("utf-8", "replace")


class _Fields:
    """The lines `# Name = value` of a tail, by name, within one call of `read_memstats`."""

    def __init__(self, tail: str) -> None:
        found = (_LINE.fullmatch(line) for line in tail.splitlines())
        self._values = {match[1]: match[2] for match in found if match}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def whole(self, name: str) -> int:
        return _whole(self._value(name), name)

    def clock(self, name: str) -> int:
        return _clock(self.whole(name), name)

    def fraction(self, name: str) -> float:
        text = self._value(name)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DecodeError(Reason.INVALID, f"{name} is {text[:40]!r}")
        return value

    def flag(self, name: str) -> bool:
        text = self._value(name)
        if text not in {"true", "false"}:
            raise DecodeError(Reason.INVALID, f"{name} is {text[:40]!r}")
        return text == "true"

    def ring(self, name: str) -> array[int]:
        text = self._value(name)
        # Every target keeps the latest: 512 numbers, 2 KiB a ring and not 9.
        values = array("q", [_clock(_whole(word, name), name) for word in text.strip("[]").split(" ")])
        if len(values) != PAUSE_RING or not (text.startswith("[") and text.endswith("]")):
            raise DecodeError(Reason.INVALID, f"{name} has {len(values)} entries instead of {PAUSE_RING}")
        return values

    def _value(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            raise DecodeError(Reason.TRUNCATED, f"runtime.MemStats has no line {name}")
        return value


def _whole(text: str, name: str) -> int:
    if not _WHOLE.fullmatch(text) or not text.isascii():
        raise DecodeError(Reason.INVALID, f"{name} is {text[:40]!r}, not a whole number")
    return int(text)


def _clock(value: int, name: str) -> int:
    if value >= _CLOCK_LIMIT:
        raise DecodeError(Reason.INVALID, f"{name} holds {value}, more than 64-bit nanoseconds")
    return value
