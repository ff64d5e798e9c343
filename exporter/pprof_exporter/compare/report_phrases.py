"""Sentences that all formats of a comparison report share."""

from __future__ import annotations

from pprof_exporter.compare.assessment import SIGNIFICANCE
from pprof_exporter.compare.quantities import change_text, plural, signal_value, utc_time
from pprof_exporter.compare.report import ChangeVerdict, ComparedSide, ComparisonReport, SignalChange

_STEADY, _MOVED = "same", "within limits"
# Medians of epochs are right to within 1 % each.
_ABOUT_EQUAL = 0.05


def headline(report: ComparisonReport) -> str:
    """The result of the report in one sentence."""
    judged = sum(report.count(verdict) for verdict in ChangeVerdict if verdict is not ChangeVerdict.NOT_JUDGED)
    unsure = report.count(ChangeVerdict.UNSURE)
    match report.verdict:
        case ChangeVerdict.WORSE:
            worse = report.count(ChangeVerdict.WORSE)
            return f"{worse} of {plural(judged, 'signal')} {'is' if worse == 1 else 'are'} worse than before."
        case ChangeVerdict.UNSURE:
            return "Undecided: there are too few values, or they vary too much."
        case _:
            rest = f"; the other {unsure} are undecided" if unsure else ""
            return f"Nothing is worse: {judged - unsure} of {plural(judged, 'signal')} are not{rest}."


def figures(signal: SignalChange) -> str:
    """Medians and change of a signal: `30 ms → 334 ms, ×11 (×6.67 to ×17.3)`; "" if a side has no values."""
    if signal.before.median is None or signal.after.median is None:
        return ""
    medians = (
        f"{signal_value(signal.signal, signal.before.median)} → {signal_value(signal.signal, signal.after.median)}"
    )
    return f"{medians}, {change_text(signal.signal, signal.ratio, signal.shift)}"


def figure_word(signal: SignalChange) -> str:
    """The verdict on a figure in a word or two.

    `no worse` is `same`, or `within limits` if the figure moved, beyond chance where that is known.
    """
    if signal.verdict is not ChangeVerdict.SAME:
        return signal.verdict.value
    if signal.p is not None:
        return _MOVED if signal.p < SIGNIFICANCE else _STEADY
    return _STEADY if signal.ratio is None or abs(signal.ratio.value - 1) <= _ABOUT_EQUAL else _MOVED


def figure_reason(signal: SignalChange) -> str:
    """Why a figure has no clear verdict; "" if it has one."""
    clear = (ChangeVerdict.WORSE, ChangeVerdict.BETTER, ChangeVerdict.SAME)
    return "" if signal.verdict in clear else signal.why


def side_line(side: ComparedSide) -> str:
    """One side in a line: rounds, times, Go version, system. An epoch has only the last two."""
    program = f"Go {side.go_version}, {side.system}"
    if not side.targets:
        return program
    when = f", {utc_time(side.first)} to {utc_time(side.last)}" if side.first is not None else ""
    return f"{plural(side.rounds, 'round')} of {', '.join(side.targets)}{when}, {program}"


def replaced_part(old: str, new: str) -> str:
    """`OLD → NEW`, or only the new value if there is no old one."""
    return f"{old} → {new}" if old else new
