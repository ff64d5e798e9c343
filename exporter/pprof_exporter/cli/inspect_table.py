"""The terminal report of `inspect`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pprof_exporter.escaping import terminal_text

_STEPS = {
    "nanoseconds": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")),
    "bytes": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B")),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def print_profile(facts: dict[str, Any], console: Console | None = None) -> None:
    """Write what `inspect` found, for a person."""
    console = console or Console(highlight=False)
    console.print(_summary(facts))
    # One table is what a person reads; the JSON form has one for every sample type.
    first = _shown_first(facts)
    if facts["top"][first["type"]]:
        console.print(_top(first, facts["top"][first["type"]]))
    console.print(_modules(facts["mappings"]))
    if facts["signals"]:
        console.print(_signals(facts["signals"]))


def human(value: float, unit: str) -> str:
    """A value in the largest unit in which it is at least 1; the sign stays."""
    steps = _STEPS.get(unit, ())
    if steps and not value:
        return "0"
    for size, name in steps:
        if abs(value) >= size:
            return f"{value / size:.4g} {name}"
    return f"{value:,} {unit}" if unit not in ("count", "") else f"{value:,}"


def plain(text: str) -> Text:
    """The text without markup and control characters."""
    return Text(terminal_text(text))


def _shown_first(facts: dict[str, Any]) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = facts["sample_types"]
    return next((kind for kind in kinds if kind["type"] == facts["default_sample_type"]), kinds[-1])


def _summary(facts: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for kind in facts["sample_types"]:
        table.add_row(plain(kind["type"]), plain(human(kind["total"], kind["unit"])))
    table.add_row("stacks", f"{facts['samples']:,}")
    table.add_row("locations", f"{facts['locations']:,}")
    table.add_row("functions", f"{facts['functions']:,}")
    if facts["time_nanos"]:
        # Not fromtimestamp, which refuses times before 1970 on Windows.
        taken = _EPOCH + timedelta(microseconds=facts["time_nanos"] // 1000)
        table.add_row("taken", f"{taken:%Y-%m-%d %H:%M:%S} UTC")
    if facts["duration_nanos"]:
        table.add_row("window", human(facts["duration_nanos"], "nanoseconds"))
    if facts["period"]:
        kind = facts["period_type"]
        table.add_row(
            "period", plain(f"{human(facts['period'], kind['unit'])} of {kind['type'] or 'an unnamed event'}")
        )
    for comment in facts["comments"]:
        table.add_row("comment", plain(comment))
    return table


def _top(kind: dict[str, Any], rows: list[dict[str, Any]]) -> Table:
    table = Table(title=plain(f"{kind['type']} by function"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("flat", "flat %", "cum", "cum %"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("function", overflow="fold")
    total = kind["total"]
    for row in rows:
        cells = [
            cell
            for value in (row["flat"], row["cum"])
            for cell in (plain(human(value, kind["unit"])), f"{100 * value / total:.1f}" if total else "")
        ]
        table.add_row(*cells, plain(row["function"]))
    return table


def _modules(mappings: list[dict[str, Any]]) -> Table:
    table = Table(title="modules", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("role")
    table.add_column("file", overflow="fold")
    table.add_column("changed, or build id", overflow="fold")
    for mapping in mappings:
        build = mapping.get("modified", mapping["build_id"])
        table.add_row(mapping["role"], plain(mapping["file"] or "(none)"), plain(build[:40]))
    return table


def _shown(name: str, value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{100 * value:.1f} %" if name.endswith("_ratio") else f"{value:,}"


def _signals(signals: dict[str, float | None]) -> Table:
    table = Table(title="signals", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("value", justify="right")
    table.add_column("signal", overflow="fold")
    for name, value in signals.items():
        table.add_row(_shown(name, value), plain(name))
    return table
