"""Levels of processes of like age, and the load that they are held against.

Caches, pools and sessions fill after a restart, for minutes or for hours. A level of a process that has just settled,
held against that of one that ran for weeks, would look better than it is; against one that was replaced within the hour
it would look worse. So levels are stored by the age of their process, in bands that double.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pprof_exporter.catalog.regressions import LEVELS, SAMPLED_PROCESSORS, USED_PROCESSORS, is_load_dependent
from pprof_exporter.store.epoch import Summary

_MARK = "#"
_BANDS = 5
# From this band on, a level counts against that of an older process: caches fill within hours. By default 4 hours.
_FILLED = 3
# With fewer values in a band, another one is compared.
_ENOUGH = 10

SignalPairs = dict[str, tuple[Summary, Summary]]
"""Statistics of each signal before and now."""


def age_band(signal: str, settled: float) -> str:
    """The name under which a level is stored; `settled` is the age of the process in times of settling, at least 1."""
    return f"{signal}{_MARK}{min(int(math.log2(settled)), _BANDS - 1)}"


def plain_signal(signal: str) -> str:
    """The name of a level without the band of ages."""
    return signal.partition(_MARK)[0] if _MARK in signal else signal


def compare_ages(before: Mapping[str, Summary], now: Mapping[str, Summary]) -> tuple[SignalPairs, dict[str, float]]:
    """The signals of both epochs, levels at like ages; and for signals that follow the load, how that changed.

    The load is the CPU time used, at the same ages as the level.
    """
    pairs = {name: (before[name], now[name]) for name in before if name in now and _MARK not in name}
    bands: dict[str, tuple[str, str]] = {}
    for level in LEVELS:
        found = _band_of(level, before, now)
        if found is not None:
            old, new = (f"{_MARK}{band}" for band in found)
            pairs[level] = before[level + old], now[level + new]
            bands[level] = old, new
    load = {}
    for name in pairs:
        if is_load_dependent(name):
            change = _load(before, now, *bands.get(name, ("", "")))
            if change is not None:
                load[name] = change
    return pairs, load


def _band_of(level: str, before: Mapping[str, Summary], now: Mapping[str, Summary]) -> tuple[int, int] | None:
    """The band of ages before and now: the oldest that both have."""

    def has(side: Mapping[str, Summary], band: int) -> bool:
        summary = side.get(f"{level}{_MARK}{band}")
        return summary is not None and summary.count >= _ENOUGH

    for band in reversed(range(_BANDS)):
        older = range(band, _BANDS if band >= _FILLED else band + 1)
        match = next((one for one in older if has(before, one)), None)
        if has(now, band) and match is not None:
            return match, band
    return None


def _load(before: Mapping[str, Summary], now: Mapping[str, Summary], old: str, new: str) -> float | None:
    for name in (USED_PROCESSORS, SAMPLED_PROCESSORS):
        sides = before.get(name + old), now.get(name + new)
        if sides[0] is not None and sides[1] is not None and sides[0].p50 > 0:
            return sides[1].p50 / sides[0].p50
    return None
