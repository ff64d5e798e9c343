"""Growth in parts: a value that rose in each of five steps, in the life of one process."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise

_SET_OPERATOR = re.compile(r"(unless|and) ")


def steady(value: str, *offsets: str) -> Iterator[str]:
    """Whether a value rose in each of the five steps back to these offsets, and not in one or two of them alone."""
    points = [value, *(f"{value} offset {offset}" for offset in offsets)]
    whole = f"({points[0]} - {points[5]})"
    yield from (f"{later} > {earlier}" for later, earlier in pairwise(points))
    yield f"{points[0]} - {points[2]} > <growth_share> * {whole}"
    yield f"{points[3]} - {points[5]} > <growth_share> * {whole}"


def of_one_life(value: str, *, seen: str, restarts: str, age: str) -> Iterator[str]:
    """Whether one process was there all the time, and began before the earliest value by its start-up.

    `restarts` is a range, and a step for a long one: counters keep their value, so that no restart is lost. A restart
    while no exporter ran is counted by none: the start time shows it, or the fall of the allocation total.
    """
    yield f"{value} offset {seen}"
    yield f"unless on (job, instance, target) increase(pprof_restarts_total[{restarts}]) > 0"
    yield f"unless on (job, instance, target) resets(pprof_allocated_bytes_total[{restarts}]) > 0"
    yield f"unless on (job, instance, target) time() - pprof_start_time_seconds < <{age}>"


def all_of(first: str, *more: str) -> str:
    """All conditions, one a line; the value is that of the first. A condition may begin with `unless`."""
    others = (one if _SET_OPERATOR.match(one) else f"and {one}" for one in more)
    return "\n".join([first, *(textwrap.indent(one, "  ") for one in others)])


def any_of(*alternatives: str) -> str:
    """The first alternative that holds."""
    return "\nor\n".join(f"(\n{textwrap.indent(one, '  ')}\n)" for one in alternatives)
