"""A comparison in the Markdown of GitHub and GitLab: for a pull request, an issue, a wiki."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pprof_exporter.compare.figures import FIGURES, HEADING
from pprof_exporter.compare.quantities import change_text, p_value, share_text, signal_value
from pprof_exporter.compare.report import ChangeVerdict, ComparedPair, ComparisonReport, SignalChange
from pprof_exporter.compare.report_phrases import figure_reason, figure_word, headline, replaced_part, side_line
from pprof_exporter.escaping import markdown_code, markdown_text

_SHOWN = (ChangeVerdict.WORSE, ChangeVerdict.UNSURE, ChangeVerdict.BY_DESIGN, ChangeVerdict.BETTER)


def report_markdown(report: ComparisonReport) -> str:
    """The report, ending in a line break."""
    lines = [
        f"## {markdown_text(headline(report))}",
        "",
        f"Before: {markdown_code(report.before)}, after: {markdown_code(report.after)}",
        "",
    ]
    for pair in report.pairs:
        lines += [*_pair(pair), ""]
    lines += [f"- {markdown_text(sentence)}" for sentence in (*report.alone, *report.limits)]
    return "\n".join(lines) + "\n"


def _pair(pair: ComparedPair) -> Iterable[str]:
    yield from (f"### {markdown_text(pair.name)}", "")
    yield f"- before: {markdown_text(side_line(pair.before))}"
    yield f"- after: {markdown_text(side_line(pair.after))}"
    for one in pair.replaced:
        yield f"- **replaced:** {markdown_text(one.said)}"
        yield from (
            f"  - {markdown_code(name)}: {markdown_text(replaced_part(old, new))}" for name, old, new in one.parts
        )
    if not pair.replaced and not pair.unknown:
        yield "- System, build, Go and modules are unchanged."
    if pair.unknown:
        yield f"- Unknown on at least one side: {', '.join(change.value.replace('_', ' ') for change in pair.unknown)}."
    yield from (f"- {markdown_text(note)}" for note in pair.notes)
    if pair.figures:
        yield from ("", f"**{HEADING}**", "")
        yield from _table(
            ("figure", "before", "after", "change, 95 % interval", "result", "why"), map(_figure, pair.figures)
        )
    shown = [signal for verdict in _SHOWN for signal in pair.rest_of(verdict)]
    if shown:
        yield ""
        yield from _table(
            ("verdict", "signal", "before", "after", "change, 95 % interval", "p", "why"), map(_row, shown)
        )
    for verdict in (ChangeVerdict.SAME, ChangeVerdict.NOT_JUDGED):
        rest = pair.rest_of(verdict)
        if rest:
            names = ", ".join(markdown_code(signal.signal) for signal in rest)
            yield from ("", f"<details><summary>{verdict}: {len(rest)}</summary>", "", names, "", "</details>")
    if pair.moved:
        yield ""
        rows = (
            (
                function.movement,
                function.kind,
                share_text(function.before),
                share_text(function.after),
                share_text(function.shift.value, sign=True),
                markdown_code(function.function),
            )
            for function in pair.moved
        )
        yield from _table(("share", "profile", "before", "after", "change", "function"), rows)
    elif pair.functions:
        yield from ("", "No function moved.")


def _figure(signal: SignalChange) -> Sequence[str]:
    medians = (signal.before.median, signal.after.median)
    word = figure_word(signal)
    return (
        FIGURES[signal.signal],
        *("" if median is None else signal_value(signal.signal, median) for median in medians),
        change_text(signal.signal, signal.ratio, signal.shift),
        f"**{word}**" if signal.verdict is ChangeVerdict.WORSE else word,
        markdown_text(figure_reason(signal)),
    )


def _row(signal: SignalChange) -> Sequence[str]:
    medians = (signal.before.median, signal.after.median)
    in_words = signal.verdict in (ChangeVerdict.WORSE, ChangeVerdict.BETTER)
    return (
        f"**{signal.verdict}**" if signal.verdict is ChangeVerdict.WORSE else signal.verdict,
        markdown_code(signal.signal),
        *("" if median is None else signal_value(signal.signal, median) for median in medians),
        change_text(signal.signal, signal.ratio, signal.shift),
        "" if signal.p is None else markdown_text(p_value(signal.p).removeprefix("p ").removeprefix("= ")),
        "" if in_words else markdown_text(signal.why),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
