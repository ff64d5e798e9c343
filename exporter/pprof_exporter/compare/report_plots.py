"""The plots of a comparison as inline SVG and HTML, without assets. Colours come from the style of the page."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from pprof_exporter.compare.flames import Frame
from pprof_exporter.compare.quantities import share_text, signal_value
from pprof_exporter.compare.report import SignalChange
from pprof_exporter.escaping import html_text

_STRIP_HEIGHT, _BAR, _GAP, _BETWEEN, _MOST_BARS = 30, 4, 1, 10, 60
_ROW = 20
_STEPS = (0.02, 0.06, 0.15)

_PLOT_WIDTH, _PLOT_HEIGHT, _MARGIN = 640, 200, 24
_LONGEST, _BIN = 0.03, 0.001
_MARKS = ((0.01, "10 ms: 100 Hz"), (0.015625, "15.6 ms: 64 Hz"))


def round_bars(signal: SignalChange) -> str:
    """One bar for each round, with those before on the left, on one scale from zero; "" without values."""
    sides = [side.values[-_MOST_BARS:] for side in (signal.before, signal.after)]
    highest = max((abs(value) for side in sides for value in side), default=0.0)
    if not any(sides):
        return ""
    bars, x = [], 0
    for name, values in zip(("b", "a"), sides, strict=True):
        for value in values:
            height = max(1.0, _STRIP_HEIGHT * abs(value) / highest) if highest else 1.0
            bars.append(
                f'<rect class="{name}" x="{x}" y="{_STRIP_HEIGHT - height:.1f}" width="{_BAR}" height="{height:.1f}">'
                f"<title>{html_text(signal_value(signal.signal, value))}</title></rect>"
            )
            x += _BAR + _GAP
        x += _BETWEEN if name == "b" else 0
    said = f"{len(sides[0])} rounds before and {len(sides[1])} after, highest {signal_value(signal.signal, highest)}"
    return (
        f'<svg class="strip" role="img" aria-label="{html_text(said)}" width="{x}" height="{_STRIP_HEIGHT}" '
        f'viewBox="0 0 {x} {_STRIP_HEIGHT}">{"".join(bars)}</svg>'
    )


def interval_plot(signal: SignalChange) -> str:
    """The change and its interval on a scale of 1/100 to 100, or of -50 to +50 percentage points for shares."""
    if signal.ratio is not None and "_ratio" not in signal.signal:
        estimate, place = signal.ratio, _place_of_factor
    elif signal.shift is not None and "_ratio" in signal.signal:
        estimate, place = signal.shift, _place_of_points
    else:
        return ""
    whisker = ""
    if estimate.low is not None and estimate.high is not None:
        whisker = f'<line x1="{place(estimate.low):.1f}" x2="{place(estimate.high):.1f}" y1="6" y2="6"/>'
    return (
        '<svg class="forest" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<line class="one" x1="2" x2="98" y1="6" y2="6"/><line class="one" x1="50" x2="50" y1="0" y2="12"/>{whisker}'
        f'<rect x="{place(estimate.value) - 1:.1f}" y="2" width="2" height="8"/></svg>'
    )


def tick_histogram(before: Sequence[float], after: Sequence[float]) -> str:
    """Histogram of the time between two ticks of the sampling clock, in shares of each side; "" without ticks."""
    if not before and not after:
        return ""
    shares = [_binned(side) for side in (before, after)]
    highest = max(map(max, shares)) or 1.0
    count = len(shares[0])
    slot = _PLOT_WIDTH / count
    parts = []
    for place in range(count):
        for name, offset, side in (("b", 0.08, shares[0]), ("a", 0.5, shares[1])):
            height = (_PLOT_HEIGHT - _MARGIN) * side[place] / highest
            if height:
                title = f"{_bin_name(place, count)}: {share_text(side[place])} {'before' if name == 'b' else 'after'}"
                parts.append(
                    f'<rect class="{name}" x="{(place + offset) * slot:.1f}" y="{_PLOT_HEIGHT - height:.1f}" '
                    f'width="{0.42 * slot:.1f}" height="{height:.1f}"><title>{html_text(title)}</title></rect>'
                )
    for at, said in _MARKS:
        x = at / _BIN * slot
        anchor = "end" if at == _MARKS[0][0] else "start"
        shift = -4 if anchor == "end" else 4
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_PLOT_HEIGHT}"/>')
        parts.append(f'<text x="{x + shift:.1f}" y="12" text-anchor="{anchor}">{html_text(said)}</text>')
    for milliseconds in range(0, round(1000 * _LONGEST), 5):
        x = milliseconds / 1000 / _BIN * slot
        anchor = "start" if not milliseconds else "middle"
        parts.append(f'<text x="{x:.1f}" y="{_PLOT_HEIGHT + 16}" text-anchor="{anchor}">{milliseconds}</text>')
    parts.append(
        f'<text x="{_PLOT_WIDTH}" y="{_PLOT_HEIGHT + 16}" text-anchor="end">over {1000 * _LONGEST:.0f} ms</text>'
    )
    said = f"Intervals between ticks: {len(before)} before, {len(after)} after"
    return (
        f'<svg class="plot" role="img" aria-label="{html_text(said)}" viewBox="0 0 {_PLOT_WIDTH} {_PLOT_HEIGHT + 20}">'
        f'{"".join(parts)}<line class="axis" x1="0" x2="{_PLOT_WIDTH}" y1="{_PLOT_HEIGHT}" y2="{_PLOT_HEIGHT}"/></svg>'
    )


def flame_graph(root: Frame, said: str) -> str:
    """The flame graph, outermost function on top. Red frames have a larger share than before, blue ones a smaller."""
    frames = list(_laid_out(root, 0.0, 0))
    depth = 1 + max(row for _, _, row in frames)
    boxes = "".join(_box(frame, left, row) for frame, left, row in frames)
    return (
        f'<div class="flame" role="img" aria-label="{html_text(said)}" style="height:{depth * _ROW}px">{boxes}</div>'
        '<p class="small detail" aria-live="polite">Choose a frame to widen it; the top one shows all again.</p>'
    )


def change_bar(shift: float) -> str:
    """A bar to the right for an increase, to the left for a decrease; half of the width is a share of one half."""
    width = min(50.0, 100 * abs(shift))
    left = 50.0 if shift >= 0 else 50 - width
    return (
        '<svg class="change" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{"more" if shift >= 0 else "less"}" x="{left:.1f}" width="{width:.1f}" height="8"/>'
        '<line x1="50" x2="50" y1="0" y2="8"/></svg>'
    )


def _place_of_factor(value: float, /) -> float:
    return 50 + 24 * max(-2.0, min(2.0, math.log10(value)))


def _place_of_points(value: float, /) -> float:
    return 50 + 48 * max(-1.0, min(1.0, 2 * value))


def _binned(intervals: Sequence[float]) -> list[float]:
    """Share of each bin of one millisecond; the last bin has all longer intervals."""
    count = round(_LONGEST / _BIN)
    borders = [_BIN * place for place in range(1, count + 1)]
    counts = [0] * (count + 1)
    for value in intervals:
        counts[bisect_right(borders, value)] += 1
    return [found / len(intervals) for found in counts] if intervals else [0.0] * (count + 1)


def _bin_name(place: int, count: int) -> str:
    return f"over {place} ms" if place == count - 1 else f"{place} to {place + 1} ms"


def _laid_out(frame: Frame, left: float, row: int) -> Iterator[tuple[Frame, float, int]]:
    yield frame, left, row
    for child in frame.children():
        yield from _laid_out(child, left, row + 1)
        left += child.width


def _box(frame: Frame, left: float, row: int) -> str:
    name = html_text(frame.name)
    title = f"{name}: {share_text(frame.before)} before, {share_text(frame.after)} after"
    return (
        f'<div class="{_shade(frame)}" title="{title}" style="left:{100 * left:.2f}%;width:{100 * frame.width:.2f}%;'
        f'top:{row * _ROW}px">{name}</div>'
    )


def _shade(frame: Frame) -> str:
    """CSS class by the gain or loss of share: `m1` to `m3` for more, `l1` to `l3` for less."""
    moved = frame.after - frame.before
    step = bisect_right(_STEPS, abs(moved))
    return f"f {'m' if moved > 0 else 'l'}{step}" if step else "f"
