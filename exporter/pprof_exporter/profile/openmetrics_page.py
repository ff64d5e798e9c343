"""Reads the target's own /metrics page: the few families with reference values for the profiles.

They are those of client_golang (process_collector.go, go_collector.go). Other families are not parsed, so that a page
of a hundred thousand lines costs only the search for these, and no second copy of it. It is for plain strings: a
regular expression that starts at each line takes a hundred times as long.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.page_words import is_blank, is_markup

CPU_SECONDS = "process_cpu_seconds_total"

_START_TIME = "process_start_time_seconds"
_VERSION = "go_info"
_GOMAXPROCS = "go_sched_gomaxprocs_threads"
_GOROUTINES = "go_goroutines"
_GOGC = "go_gc_gogc_percent"
_GOMEMLIMIT = "go_gc_gomemlimit_bytes"
# math.MaxInt64 stands for no limit (runtime/debug.SetMemoryLimit); as a float it is 2^63.
_NO_LIMIT = 2.0**62

_FAMILIES = (_START_TIME, _VERSION, _GOMAXPROCS, _GOROUTINES, _GOGC, _GOMEMLIMIT)

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
# Where GOGC is off, the runtime has -1 as an unsigned number of 64 bits (runtime/metrics.go, Go 1.21 to 1.27).
_GOGC_LIMIT = 2**31
_AFTER_NAME = frozenset((b" ", b"\t", b"{"))
_BLANK = b" \t"
_LINE_END = ord("\n")
_MAX_LINE = 4096
_FIRST_SAMPLE = re.compile(rb"^[ \t]*([^#\s][^\n]{0,%d})" % _MAX_LINE, re.MULTILINE)
_REMARK = re.compile(rb"\s*#")
_MAX_SAMPLES = 256


@dataclass(frozen=True, slots=True)
class TargetMetrics:
    """The values of the process on the page. None: not on the page, not a sensible number, or not unique."""

    cpu_seconds: float | None
    """CPU time since the process started, over all modes if the family splits it."""
    start_time: float | None
    """Unix seconds."""
    go_version: str | None
    """`runtime.Version()`, such as `go1.27.3`."""
    gomaxprocs: float | None
    goroutines: float | None
    gogc: float | None = None
    """GOGC as a ratio: 1 is GOGC=100; None also if it is off."""
    memory_limit: float | None = None
    """GOMEMLIMIT in bytes, as it is now; None also without a limit."""


def read_page(page: bytes, *, cpu_family: str = CPU_SECONDS) -> TargetMetrics:
    """Read a page in the text format or in OpenMetrics; `cpu_family` is the sample name of the CPU seconds.

    Raises only `DecodeError`: empty, html, text (no page of metrics), or invalid (a sample of these
    families does not parse, is absurdly long, or there are absurdly many).
    """
    _check_page(page)
    found = {name: _samples(page, name) for name in (cpu_family, *_FAMILIES)}
    limit = _single(found[_GOMEMLIMIT])
    versions = {sample.labels.get("version", "") for sample in found[_VERSION]} - {""}
    gogc = _single(found[_GOGC])
    return TargetMetrics(
        cpu_seconds=_total(found[cpu_family]),
        start_time=_single(found[_START_TIME]),
        go_version=versions.pop() if len(versions) == 1 else None,
        gomaxprocs=_single(found[_GOMAXPROCS]),
        goroutines=_single(found[_GOROUTINES]),
        gogc=gogc / 100 if gogc is not None and gogc < _GOGC_LIMIT else None,
        memory_limit=limit if limit is not None and limit < _NO_LIMIT else None,
    )


def _check_page(page: bytes) -> None:
    if is_blank(page):
        raise DecodeError(Reason.EMPTY, "no lines")
    if is_markup(page):
        raise DecodeError(Reason.HTML, "an HTML page instead of metrics")
    first = _FIRST_SAMPLE.search(page)
    if first is None and not _REMARK.match(page):
        raise DecodeError(Reason.TEXT, "not a page of metrics")
    if first is not None:
        try:
            _parse(first[1])
        except DecodeError as error:
            raise DecodeError(Reason.TEXT, f"not a page of metrics: {_text(first[1])[:60]!r}") from error


def _samples(page: bytes, name: str) -> list[Sample]:
    if not _NAME.fullmatch(name):
        return []
    samples: list[Sample] = []
    sought = name.encode()
    at = page.find(sought)
    while at >= 0:
        after = at + len(sought)
        if page[after : after + 1] in _AFTER_NAME and _begins_line(page, at):
            if len(samples) == _MAX_SAMPLES:
                raise DecodeError(Reason.INVALID, f"more than {_MAX_SAMPLES} samples of {name}")
            end = page.find(b"\n", after)
            samples.append(_parse(page[at : end if end >= 0 else len(page)]))
        at = page.find(sought, after)
    return samples


def _begins_line(page: bytes, at: int) -> bool:
    while at and page[at - 1] in _BLANK:
        at -= 1
    return not at or page[at - 1] == _LINE_END


def _parse(line: bytes) -> Sample:
    if len(line) > _MAX_LINE:
        raise DecodeError(Reason.INVALID, f"a line of {len(line)} bytes: {_text(line[:_MAX_LINE])[:60]!r}")
    text = _text(line)
    try:
        return next(iter(text_string_to_metric_families(text.strip()))).samples[0]
    # The parser documents only ValueError, but also raises other errors, since it indexes into the line.
    except (ValueError, LookupError, StopIteration) as error:
        raise DecodeError(Reason.INVALID, f"a line that does not parse: {text[:60]!r}") from error


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _total(samples: Sequence[Sample]) -> float | None:
    """The sum over the label sets; None if one comes twice, which no format allows."""
    if len({tuple(sorted(sample.labels.items())) for sample in samples}) < len(samples):
        return None
    parts = [_sensible(sample.value) for sample in samples]
    known = [part for part in parts if part is not None]
    return _sensible(sum(known)) if known and len(known) == len(parts) else None


def _single(samples: Sequence[Sample]) -> float | None:
    return _sensible(samples[0].value) if len(samples) == 1 else None


def _sensible(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
