"""The exporter's default intervals, shortened: what takes ten minutes in earnest takes one."""

from __future__ import annotations

from typing import Any

from pprof_exporter.config import Settings
from pprof_exporter.default_profiles import default_profiles

SHORTER = 10
"""Seconds at default intervals for one here."""


def shortened() -> dict[str, Any]:
    """A configuration with all default intervals divided by `SHORTER`. Windows are 1 s, the shortest of Go.

    Windows are a larger share of the time than by default, so that the budget of profiling is off.
    """
    profiles = default_profiles()
    every = Settings((), {}).index_interval / SHORTER
    return {
        "global": {
            "scrape_interval": _seconds(every),
            "profiling_budget": 1,
            "defer_at_most": "off",
            "backoff_at_most": "60s",
        },
        "profiles": {
            name: {"interval": _seconds(one.interval / SHORTER), **({"window": "1s"} if one.window else {})}
            for name, one in profiles.items()
            if one.enabled
        },
    }


def _seconds(value: float) -> str:
    return f"{round(1000 * value)}ms"
