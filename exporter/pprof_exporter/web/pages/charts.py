"""Small pictures as inline SVG, without scripts or assets; colours come from the style of the page."""

from __future__ import annotations

from collections.abc import Sequence

from pprof_exporter.escaping import html_text

_BAR, _GAP, _HEIGHT = 3, 1, 26


def latency_strip(latencies: Sequence[float | None], said: str) -> str:
    """One bar for each fetch, oldest first; those that failed (None) stand out at full height.

    `said` is the text alternative for screen readers.
    """
    highest = max((value for value in latencies if value is not None), default=0) or 1
    bars = "".join(_bar(i, value, highest) for i, value in enumerate(latencies))
    return _svg(len(latencies), bars, said)


def histogram_strip(counts: Sequence[int], titles: Sequence[str], said: str) -> str:
    """One bar for each bucket, with a title each."""
    highest = max(counts, default=0) or 1
    bars = "".join(
        f"<g><title>{html_text(title)}: {count}</title>{_rectangle(i, count / highest, 'ok', 12)}</g>"
        for i, (count, title) in enumerate(zip(counts, titles, strict=True))
    )
    return _svg(len(counts), bars, said, bar=12)


def share_bar(share: float) -> str:
    """A bar as wide as a share of 0 to 1."""
    width = round(100 * max(0.0, min(1.0, share)), 1)
    return (
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width}" height="8"/></svg>'
    )


def _bar(i: int, value: float | None, highest: float) -> str:
    return _rectangle(i, 1, "bad", _BAR) if value is None else _rectangle(i, value / highest, "ok", _BAR)


def _rectangle(i: int, share: float, kind: str, bar: int) -> str:
    height = max(1.0, round(share * _HEIGHT, 1))
    return f'<rect class="{kind}" x="{i * (bar + _GAP)}" y="{_HEIGHT - height:g}" width="{bar}" height="{height:g}"/>'


def _svg(count: int, bars: str, said: str, bar: int = _BAR) -> str:
    width = max(count, 1) * (bar + _GAP)
    return (
        f'<svg class="strip" role="img" aria-label="{html_text(said)}" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}">{bars}</svg>'
    )
