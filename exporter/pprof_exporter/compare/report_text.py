"""A comparison as text for the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pprof_exporter.compare.figures import FIGURES, HEADING
from pprof_exporter.compare.quantities import change_text, p_value, share_text, signal_value
from pprof_exporter.compare.report import (
    ChangeVerdict,
    ComparedPair,
    ComparisonReport,
    FunctionChange,
    Movement,
    SignalChange,
)
from pprof_exporter.compare.report_phrases import (
    figure_reason,
    figure_word,
    figures,
    headline,
    replaced_part,
    side_line,
)
from pprof_exporter.escaping import terminal_text

_STYLES = {
    ChangeVerdict.WORSE: "bold red",
    ChangeVerdict.UNSURE: "yellow",
    ChangeVerdict.BY_DESIGN: "cyan",
    ChangeVerdict.BETTER: "green",
    ChangeVerdict.SAME: "green",
    ChangeVerdict.NOT_JUDGED: "dim",
}
_SHOWN = (ChangeVerdict.WORSE, ChangeVerdict.UNSURE, ChangeVerdict.BY_DESIGN, ChangeVerdict.BETTER)
_NARROW = 120


def print_report(report: ComparisonReport, console: Console) -> None:
    """Print the report. `console` decides width and colour."""
    console.print(Text(headline(report), style=_STYLES[report.verdict]))
    console.print(_text(f"before: {report.before}, after: {report.after}", "dim"))
    for pair in report.pairs:
        console.print()
        console.print(_pair(pair, narrow=console.width < _NARROW))
    for sentence in report.alone:
        console.print(_text(sentence, "yellow"))
    if report.limits:
        console.print()
    for sentence in report.limits:
        console.print(_text(sentence, "dim"))


def _text(text: str, style: str = "") -> Text:
    """Any text, without markup, and with control characters escaped."""
    return Text(terminal_text(text), style=style)


def _pair(pair: ComparedPair, *, narrow: bool) -> RenderableType:
    parts: list[RenderableType] = [
        _text(pair.name, "bold underline"),
        _text(f"before  {side_line(pair.before)}"),
        _text(f"after   {side_line(pair.after)}"),
        _replaced(pair),
    ]
    parts += [Text.assemble(("note: ", "yellow"), _text(note)) for note in pair.notes]
    if pair.figures:
        parts += [Text(HEADING, style="bold"), _figures(pair, narrow=narrow)]
    shown = [signal for verdict in _SHOWN for signal in pair.rest_of(verdict)]
    if shown:
        parts.append(_sentences(shown) if narrow else _signals(shown))
    for verdict in (ChangeVerdict.SAME, ChangeVerdict.NOT_JUDGED):
        rest = pair.rest_of(verdict)
        if rest:
            names = ", ".join(signal.signal for signal in rest)
            parts.append(Text.assemble((f"{verdict} ({len(rest)}): ", _STYLES[verdict]), _text(names, "dim")))
    if pair.functions:
        parts.append(_functions(pair))
    return Group(*parts)


def _figures(pair: ComparedPair, *, narrow: bool) -> RenderableType:
    if narrow:
        lines = [
            Text.assemble(
                (figure_word(one), _STYLES[one.verdict]),
                " ",
                _text(FIGURES[one.signal], "bold"),
                ": ",
                _text(". ".join(filter(None, (figures(one), figure_reason(one))))),
            )
            for one in pair.figures
        ]
        return Padding(Group(*lines), (0, 0, 1, 0))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("figure", overflow="fold", min_width=24)
    for name in ("before", "after"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("change, 95 % interval", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("why", overflow="fold", ratio=1)
    for one in pair.figures:
        table.add_row(
            _text(FIGURES[one.signal]),
            *(_text(_median(one, median)) for median in (one.before.median, one.after.median)),
            _text(change_text(one.signal, one.ratio, one.shift)),
            Text(figure_word(one), style=_STYLES[one.verdict]),
            _text(figure_reason(one), "dim"),
        )
    return table


def _replaced(pair: ComparedPair) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in pair.replaced:
        table.add_row(Text("replaced", style="bold magenta"), _text(one.said))
        for name, old, new in one.parts:
            table.add_row("", _text(f"{name}: {replaced_part(old, new)}"))
    if pair.unknown:
        names = ", ".join(change.value.replace("_", " ") for change in pair.unknown)
        table.add_row(Text("unknown", style="yellow"), _text(f"unknown on at least one side: {names}"))
    return table if table.row_count else Text("System, build, Go and modules are unchanged.", style="dim")


def _signals(signals: list[SignalChange]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("signal", overflow="fold", min_width=34)
    for name in ("before", "after"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("change, 95 % interval", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold", ratio=1)
    for signal in signals:
        unsure = signal.verdict in (ChangeVerdict.UNSURE, ChangeVerdict.BY_DESIGN)
        table.add_row(
            Text(signal.verdict, style=_STYLES[signal.verdict]),
            _text(signal.signal),
            *(_text(_median(signal, median)) for median in (signal.before.median, signal.after.median)),
            _text(change_text(signal.signal, signal.ratio, signal.shift)),
            _text("" if signal.p is None else p_value(signal.p).removeprefix("p ").removeprefix("= ")),
            _text(signal.why, "dim") if unsure else "",
        )
    return table


def _sentences(signals: list[SignalChange]) -> RenderableType:
    """The signals as sentences, for a terminal that is too narrow for the table."""
    return Padding(Group(*map(_sentence, signals)), (1, 0))


def _sentence(signal: SignalChange) -> Text:
    said = ". ".join(filter(None, (figures(signal), signal.why)))
    verdict = (signal.verdict, _STYLES[signal.verdict])
    return Text.assemble(verdict, " ", _text(signal.signal, "bold"), ": ", _text(said))


def _median(signal: SignalChange, median: float | None) -> str:
    return "" if median is None else signal_value(signal.signal, median)


def _functions(pair: ComparedPair) -> RenderableType:
    if not pair.moved:
        kinds = sorted({function.kind for function in pair.functions})
        unsure = sum(function.movement is Movement.UNSURE for function in pair.functions)
        rest = f"; {unsure} are undecided" if unsure else ""
        return Text(f"No function moved in {', '.join(kinds)}{rest}.", style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("share", no_wrap=True)
    table.add_column("profile", no_wrap=True)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("function", overflow="fold", ratio=1)
    for function in pair.moved:
        table.add_row(*_function(function))
    return table


def _function(function: FunctionChange) -> list[Text]:
    cells = (
        function.movement,
        function.kind,
        share_text(function.before),
        share_text(function.after),
        share_text(function.shift.value, sign=True),
        function.function,
    )
    return [_text(cell) for cell in cells]
