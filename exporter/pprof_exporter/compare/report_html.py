"""A comparison as one self-contained HTML file: for a mail, an archive, a review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pprof_exporter.catalog.regressions import RESOURCES
from pprof_exporter.compare.figures import FIGURES, HEADING
from pprof_exporter.compare.flames import Frame
from pprof_exporter.compare.quantities import change_text, p_value, share_text, signal_value
from pprof_exporter.compare.report import (
    ChangeVerdict,
    ComparedPair,
    ComparisonReport,
    FunctionChange,
    Movement,
    SignalChange,
)
from pprof_exporter.compare.report_frame import html_document
from pprof_exporter.compare.report_phrases import figure_reason, figure_word, headline, side_line
from pprof_exporter.compare.report_plots import change_bar, flame_graph, interval_plot, round_bars, tick_histogram
from pprof_exporter.escaping import html_text

Flames = Mapping[str, Mapping[str, Frame]]
"""Call trees by pair name and profile kind."""

_CLASSES = {
    ChangeVerdict.WORSE: "worse",
    ChangeVerdict.UNSURE: "unsure",
    ChangeVerdict.BY_DESIGN: "design",
    ChangeVerdict.BETTER: "better",
    ChangeVerdict.SAME: "same",
    ChangeVerdict.NOT_JUDGED: "none",
}
_SHOWN = (ChangeVerdict.WORSE, ChangeVerdict.UNSURE, ChangeVerdict.BY_DESIGN, ChangeVerdict.BETTER)
_TITLES = {"cpu": "CPU time", "heap": "Live heap", "goroutine": "Goroutines"}
_MOST_FUNCTIONS, _MIN_SHARE = 12, 0.005
_MARKS = (
    "The mark below a change lies on a line from a hundredth to a hundred times, or from -50 to +50 percentage "
    "points (pp) where the signal is a share; its interval is drawn through it."
)
_KEY = '<p class="small"><span class="key b"></span>before<span class="key a"></span>after</p>'
_FLAME_KEY = (
    '<p class="small"><span class="key m3"></span>more of the whole than before<span class="key l3"></span>less. '
    "A frame is as wide as the mean of both sides.</p>"
)


def report_html(report: ComparisonReport, flames: Flames | None = None) -> str:
    """The report as an HTML document."""
    verdict = report.verdict
    parts = [
        f"<h1>{_badge(verdict)} {html_text(headline(report))}</h1>",
        f'<p class="small">Before: {html_text(report.before)}. After: {html_text(report.after)}.</p>',
        *(_pair(pair, (flames or {}).get(pair.name, {})) for pair in report.pairs),
        "<h2>How to read this</h2><ul>",
        *(f"<li>{html_text(sentence)}</li>" for sentence in (*report.alone, *report.limits, _MARKS)),
        "</ul>",
    ]
    return html_document(f"{report.before} and {report.after}", "\n".join(parts))


def _pair(pair: ComparedPair, flames: Mapping[str, Frame]) -> str:
    shown = [signal for verdict in _SHOWN for signal in pair.rest_of(verdict)]
    rest = [signal for signal in pair.signals if signal not in shown and signal.signal not in RESOURCES]
    parts = [
        f"<h2>{html_text(pair.name)}</h2>",
        f'<p class="small">Before: {html_text(side_line(pair.before))}<br>',
        f"After: {html_text(side_line(pair.after))}</p>",
        *_replaced(pair),
        *(f'<div class="card note">{html_text(note)}</div>' for note in pair.notes),
        *([f"<h3>{html_text(HEADING)}</h3>", _KEY, _figures(pair.figures)] if pair.figures else []),
        "<h3>Signals</h3>",
        _KEY,
        _signals(shown) if shown else "<p>No other signal is worse or better, and none is undecided.</p>",
    ]
    if rest:
        same, unjudged = len(pair.rest_of(ChangeVerdict.SAME)), len(pair.rest_of(ChangeVerdict.NOT_JUDGED))
        names = f"{same} that are no worse, {unjudged} without a verdict"
        parts.append(f"<details><summary>{names}</summary>{_signals(rest)}</details>")
    ticks = tick_histogram(pair.ticks_before, pair.ticks_after)
    if ticks:
        parts += ["<h3>Time between two CPU samples</h3>", _KEY, ticks]
        parts.append('<p class="small">Share of the intervals between ticks of the sampling clock, all audits.</p>')
    for kind in dict.fromkeys((*(function.kind for function in pair.functions), *flames)):
        parts.extend(_kind(pair, kind, flames.get(kind)))
    return "\n".join(parts)


def _badge(verdict: ChangeVerdict) -> str:
    return f'<span class="badge {_CLASSES[verdict]}">{html_text(verdict.value)}</span>'


def _replaced(pair: ComparedPair) -> Iterator[str]:
    for one in pair.replaced:
        rows = "".join(
            f"<tr><td>{html_text(name)}</td><td>{html_text(old)}</td><td>{html_text(new)}</td></tr>"
            for name, old, new in one.parts
        )
        yield f'<div class="card"><b>{html_text(one.said)}</b>{f"<table>{rows}</table>" if rows else ""}</div>'
    if pair.unknown:
        names = ", ".join(change.value.replace("_", " ") for change in pair.unknown)
        yield f'<p class="small">Unknown on at least one side, so not compared: {html_text(names)}.</p>'
    elif not pair.replaced:
        yield "<p>System, build, Go and modules are unchanged.</p>"


def _figures(figures: Sequence[SignalChange]) -> str:
    head = '<th>result<th>figure<th>each round<th class="n">before<th class="n">after<th>change, 95 % interval'
    rows = "".join(map(_figure, figures))
    return f'<div class="scroll"><table class="stack"><thead><tr>{head}</tr></thead>{rows}</table></div>'


def _figure(signal: SignalChange) -> str:
    medians = (signal.before.median, signal.after.median)
    before, after = ("" if median is None else html_text(signal_value(signal.signal, median)) for median in medians)
    reason = figure_reason(signal)
    why = f'<div class="small">{html_text(reason)}</div>' if reason else ""
    change = html_text(change_text(signal.signal, signal.ratio, signal.shift))
    return (
        f'<tr><td class="k"><span class="badge {_CLASSES[signal.verdict]}">{html_text(figure_word(signal))}</span></td>'
        f"<td>{html_text(FIGURES[signal.signal])}{why}</td><td>{round_bars(signal)}</td>"
        f'<td class="n" data-name="before">{before}</td><td class="n" data-name="after">{after}</td>'
        f'<td data-name="change">{change}{interval_plot(signal)}</td></tr>'
    )


def _signals(signals: Sequence[SignalChange]) -> str:
    rows = "".join(map(_signal, signals))
    head = '<th>verdict<th>signal<th>each round<th class="n">before<th class="n">after<th>change<th class="n">p'
    return f'<div class="scroll"><table class="stack"><thead><tr>{head}</tr></thead>{rows}</table></div>'


def _signal(signal: SignalChange) -> str:
    medians = (signal.before.median, signal.after.median)
    before, after = ("" if median is None else html_text(signal_value(signal.signal, median)) for median in medians)
    explained = signal.verdict in (ChangeVerdict.UNSURE, ChangeVerdict.BY_DESIGN)
    why = f'<div class="small">{html_text(signal.why)}</div>' if explained else ""
    change = html_text(change_text(signal.signal, signal.ratio, signal.shift))
    p = "" if signal.p is None else html_text(p_value(signal.p).removeprefix("p ").removeprefix("= "))
    return (
        f'<tr><td class="k">{_badge(signal.verdict)}</td><td><code>{html_text(signal.signal)}</code>{why}</td>'
        f'<td>{round_bars(signal)}</td><td class="n" data-name="before">{before}</td>'
        f'<td class="n" data-name="after">{after}</td><td data-name="change">{change}{interval_plot(signal)}</td>'
        f'<td class="n" data-name="p">{p}</td></tr>'
    )


def _kind(pair: ComparedPair, kind: str, tree: Frame | None) -> Iterable[str]:
    functions = [
        function
        for function in pair.functions
        if function.kind == kind and max(function.before, function.after) >= _MIN_SHARE
    ][:_MOST_FUNCTIONS]
    yield f"<h3>{html_text(_TITLES.get(kind, kind))} by function</h3>"
    if functions:
        head = '<th>share<th>function<th class="n">before<th class="n">after<th>change<th>'
        rows = "".join(map(_function, functions))
        yield f'<div class="scroll"><table class="stack"><thead><tr>{head}</tr></thead>{rows}</table></div>'
    if tree is not None:
        yield _FLAME_KEY
        yield flame_graph(tree, f"Flame graph of {kind}: what changed. The table before it has the same in figures.")


def _function(function: FunctionChange) -> str:
    moved = {Movement.GREW: "worse", Movement.SHRANK: "design", Movement.BY_DESIGN: "design"}
    why = "" if function.movement is Movement.STEADY else f'<div class="small">{html_text(function.why)}</div>'
    style = moved.get(function.movement, "none")
    return (
        f'<tr><td class="k"><span class="{style}">{html_text(function.movement)}</span></td>'
        f"<td><code>{html_text(function.function)}</code>{why}</td>"
        f'<td class="n" data-name="before">{share_text(function.before)}</td>'
        f'<td class="n" data-name="after">{share_text(function.after)}</td>'
        f'<td class="n" data-name="change">{share_text(function.shift.value, sign=True)}</td>'
        f"<td>{change_bar(function.shift.value)}</td></tr>"
    )
