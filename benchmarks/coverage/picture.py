"""The picture of docs/coverage.md: coverage over the CPU time in one profile, with the limits of the alert."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from benchmarks.coverage.cells import WINDOW, Load, Result
from benchmarks.coverage.simulate import expected
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME

FONT = 'font-family="sans-serif" font-size="12"'
GREY = "#777777"
WIDTH, HEIGHT = 800, 440
LEFT, RIGHT, TOP, BOTTOM = 60, 240, 20, 390
LEAST, MOST = 0.03, 10.0
"""CPU seconds in one profile at the ends of the axis."""
COLOURS = ("#b2182b", "#ef8a62", "#b8860b", "#1b9e77", "#2166ac", "#5e3c99")
THREADS = 5
"""Threads of the curves that are computed: one worker, and those of the scheduler."""


def draw(results: Sequence[Result]) -> str:
    """An SVG file."""
    linux = [result for result in results if result.cell.system == "linux"]
    loads = sorted({result.cell.load for result in linux}, key=lambda load: (load.period == 0, load.burst))
    colours = dict(zip(loads, COLOURS, strict=True))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        "<title>Coverage of CPU samples by the CPU time in one profile</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(),
        *_limits(),
        _curve(250, "6 3"),
        _curve(100, "2 3"),
        *(_point(result, colours[result.cell.load]) for result in linux if result.coverage is not None),
        *_legend(colours),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(used: float) -> float:
    return LEFT + (WIDTH - RIGHT - LEFT) * math.log(used / LEAST) / math.log(MOST / LEAST)


def _y(coverage: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * coverage


def _text(x: float, y: float, said: str, anchor: str = "start", colour: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{said}</text>'


def _axes() -> Iterable[str]:
    for tenths in range(0, 11, 2):
        y = _y(tenths / 10)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield _text(LEFT - 8, y + 4, f"{tenths / 10:.1f}", "end")
    for used in (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10):
        x = _x(used)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{BOTTOM}" y2="{BOTTOM + 5}" stroke="#333333"/>'
        yield _text(x, BOTTOM + 20, f"{used:g}", "middle")
    yield _text((LEFT + WIDTH - RIGHT) / 2, BOTTOM + 40, f"CPU seconds in a profile of {WINDOW} s", "middle")
    yield f'<text transform="translate(16 {(TOP + BOTTOM) / 2}) rotate(-90)" text-anchor="middle">coverage</text>'


def _limits() -> Iterable[str]:
    """What lies below fires PprofCpuCoverageLow."""
    light, busy = (THRESHOLDS_BY_NAME[f"cpu_used_{load}"].value for load in ("light", "busy"))
    steps = (
        (light, busy, THRESHOLDS_BY_NAME["cpu_coverage_low_light"].value),
        (busy, MOST, THRESHOLDS_BY_NAME["cpu_coverage_low"].value),
    )
    for begin, end, limit in steps:
        x, y = _x(begin), _y(limit)
        yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{_x(end) - x:.1f}" height="{BOTTOM - y:.1f}" fill="#f4cccc"/>'
    yield _text((_x(light) + _x(MOST)) / 2, BOTTOM - 30, "PprofCpuCoverageLow fires", "middle", "#990000")
    yield _text(LEFT + 8, BOTTOM - 30, "not judged")


def _curve(ticks: int, dashes: str) -> str:
    used = [LEAST * (MOST / LEAST) ** (step / 100) for step in range(101)]
    points = " ".join(f"{_x(one):.1f},{_y(expected(one, THREADS, ticks)):.1f}" for one in used)
    return f'<polyline points="{points}" fill="none" stroke="{GREY}" stroke-dasharray="{dashes}"/>'


def _point(result: Result, colour: str) -> str:
    assert result.coverage is not None  # noqa: S101 - only such results are drawn
    x, y = _x(result.used), _y(result.coverage)
    return _mark(result.cell.threads, x, y, colour)


def _mark(threads: int, x: float, y: float, colour: str) -> str:
    if threads == 1:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    if threads == 4:
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
    return f'<path d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z" fill="{colour}"/>'


def _legend(colours: dict[Load, str]) -> Iterable[str]:
    x, y = WIDTH - RIGHT + 24, TOP + 8
    yield _text(x - 6, y, "measured, 250 ticks a second:")
    for load, colour in colours.items():
        y += 20
        yield _mark(1, x, y - 4, colour)
        yield _text(x + 12, y, load.title)
    y += 28
    for threads in (1, 4, 8):
        yield _mark(threads, x, y - 4, GREY)
        yield _text(x + 12, y, f"{threads} thread{'s' if threads > 1 else ''}")
        y += 20
    y += 8
    yield _text(x - 6, y, "computed, short bursts:")
    for ticks, dashes in ((250, "6 3"), (100, "2 3")):
        y += 20
        ends = f'x1="{x - 6}" x2="{x + 26}" y1="{y - 4}" y2="{y - 4}"'
        yield f'<line {ends} stroke="{GREY}" stroke-dasharray="{dashes}"/>'
        yield _text(x + 32, y, f"{ticks} ticks a second")
