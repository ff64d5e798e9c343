"""A day of Prometheus samples out of ten recorded minutes, as a unit test of promtool, and the next morning.

The day has steps of one minute, and the morning is there for rules that look a day back. Each minute stands for one
recorded scrape: gauges have its value, counters grow by what they grew in the minute before it, and times lie as far
back as they did. At night the idle part of the recording goes round and round, by day the busy part. The target starts
anew at eight and the exporter at sixteen o'clock, and both are then as they were recorded from their start.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pprof_exporter.catalog import FAMILIES, MetricType, content, runtime
from tests.rules.record_series import BUSY, IDLE

DAY = 24 * 60
END = DAY + 10 * 60
TARGET_STARTS, EXPORTER_STARTS = 8 * 60, 16 * 60
WORKDAY = range(6 * 60, 22 * 60)

_PER_MINUTE = 4
"""Scrapes of a recording."""
_SETTLED = 12
"""The first scrape at which every profile has been there for a while."""

Values = Sequence[float | None]

_OF_TARGET = {
    family.name
    for family in (
        content.ALLOCATED_BYTES,
        content.ALLOCATED_OBJECTS,
        content.CONTENTION_SECONDS,
        content.CONTENTIONS,
        content.THREADS_CREATED,
        runtime.GC_CYCLES,
        runtime.GC_FORCED,
    )
}
"""Counters that the target keeps; all others are the exporter's."""

_COUNTERS = {family.name for family in FAMILIES if family.type is MetricType.COUNTER} | {
    f"{family.name}_{part}"
    for family in FAMILIES
    if family.type is MetricType.HISTOGRAM
    for part in ("bucket", "sum", "count")
}
_EVENTS = {"pprof_exporter_config_last_reload_success_timestamp_seconds", "pprof_tick_audit_timestamp_seconds"}
"""Times of what happens once, when the exporter starts."""
_LONG_AGO = {"pprof_system_module_timestamp_seconds"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One minute of the day: which scrape it stands for, and who has just begun."""

    minute: int
    scrape: int | None
    """None while the exporter is not there."""
    target_starts: bool = False
    exporter_starts: bool = False


def moments() -> list[Moment]:
    """The whole day."""
    return list(_moments())


def _moments() -> Iterator[Moment]:
    start = _scrapes(0, _SETTLED)[: _SETTLED // _PER_MINUTE]
    begun = {0: start, TARGET_STARTS: start, EXPORTER_STARTS + 1: start}
    busy, idle = _scrapes(_SETTLED, BUSY), _scrapes(BUSY + _PER_MINUTE, BUSY + IDLE)
    beginning: list[int] = []
    for minute in range(END + 1):
        if minute == EXPORTER_STARTS:
            yield Moment(minute, None)
            continue
        beginning = list(begun.get(minute, beginning))
        part = busy if minute % DAY in WORKDAY else idle
        scrape = beginning.pop(0) if beginning else part[minute % len(part)]
        yield Moment(minute, scrape, minute in {0, TARGET_STARTS}, minute in {0, EXPORTER_STARTS + 1})


def _scrapes(first: int, end: int) -> list[int]:
    """All numbers of a part, a minute between two neighbours wherever possible."""
    return [number for offset in range(_PER_MINUTE) for number in range(first + offset, end, _PER_MINUTE)]


def lasting(name: str, values: Values, times: Sequence[float], day: Sequence[Moment]) -> list[float | None]:
    """A recorded series over the day, None where it is not there."""
    if name in _COUNTERS:
        return _counter(values, day, of_target=name in _OF_TARGET)
    if name.endswith("_timestamp_seconds"):
        return _times(name, values, times, day)
    return [None if moment.scrape is None else values[moment.scrape] for moment in day]


def _counter(values: Values, day: Sequence[Moment], *, of_target: bool) -> list[float | None]:
    found: list[float | None] = []
    total: float | None = None
    for moment in day:
        if moment.scrape is None:
            found.append(None)
            continue
        if moment.target_starts if of_target else moment.exporter_starts:
            total = None
        now = values[moment.scrape]
        before = values[moment.scrape - _PER_MINUTE] if moment.scrape >= _PER_MINUTE else None
        if now is not None:
            total = now if total is None else total + (now - before if before is not None else 0)
        # A counter that once was there stays, unless the exporter has just begun and does not know it yet.
        young = moment.scrape < _SETTLED and now is None
        found.append(None if young else total)
    return found


def _times(name: str, values: Values, times: Sequence[float], day: Sequence[Moment]) -> list[float | None]:
    found: list[float | None] = []
    began = 0
    for moment in day:
        began = moment.minute if moment.exporter_starts else began
        value = None if moment.scrape is None else values[moment.scrape]
        if value is None or moment.scrape is None:
            found.append(None)
        elif name in _LONG_AGO:
            found.append(value - times[0])
        elif name in _EVENTS:
            found.append(60 * began + value - times[0])
        else:
            found.append(60 * moment.minute + value - times[moment.scrape])
    return found


def notation(values: Values) -> str:
    """Values as promtool reads them; a series that goes is marked as stale, as Prometheus does."""
    words: list[str] = []
    there = False
    for value, run in groupby(values):
        more = len(list(run)) - 1
        if value is None:
            words += ["stale"] if there else ["_"]
            words += ["_"] * more
        else:
            words.append(f"{_digits(value)}+0x{more}" if more else _digits(value))
        there = value is not None
    return " ".join(words)


def _digits(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def input_series(
    recordings: Sequence[tuple[Sequence[float], Mapping[str, Values]]], names: Collection[str], scraped: str
) -> list[dict[str, str]]:
    """The series of a day with these names, of one exporter that watches the programs of all recordings.

    What the exporter says of itself comes from the first of them. `scraped` are the labels that Prometheus adds, and
    the targets have one that their user gave to them.
    """
    day = moments()
    up = [0.0 if moment.scrape is None else 1.0 for moment in day]
    found = {f"up{{{scraped}}}": notation(up)}
    for times, series in recordings:
        for line, values in series.items():
            name, _, labels = line.removesuffix("}").partition("{")
            if name in names:
                given = 'env="production"' if "target=" in labels else ""
                full = f"{name}{{{', '.join(filter(None, (scraped, labels, given)))}}}"
                found.setdefault(full, notation(lasting(name, values, times, day)))
    return [{"series": name, "values": values} for name, values in found.items()]


def names_in(expressions: str) -> set[str]:
    """Every word that may be the name of a metric."""
    return set(re.findall(r"\bpprof_\w+", expressions))
