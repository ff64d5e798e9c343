"""Sentences that every form of a comparison has."""

from __future__ import annotations

from pprof_exporter.compare.quantities import change_of, plural, signal_value, utc_time
from pprof_exporter.compare.report import ChangeVerdict, ComparisonReport, Side, SignalChange


def headline(report: ComparisonReport) -> str:
    """What the report comes to, in one sentence."""
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
    """Medians and change of a signal: `30 ms → 334 ms, ×11 (×6.67 to ×17.3)`; "" where there is nothing."""
    if signal.before.median is None or signal.after.median is None:
        return ""
    medians = (
        f"{signal_value(signal.signal, signal.before.median)} → {signal_value(signal.signal, signal.after.median)}"
    )
    return f"{medians}, {change_of(signal.signal, signal.ratio, signal.shift)}"


def side(told: Side) -> str:
    """One side in a line: rounds, times, Go, system; of an epoch only the last two."""
    program = f"Go {told.go_version}, {told.system}"
    if not told.targets:
        return program
    when = f", {utc_time(told.first)} to {utc_time(told.last)}" if told.first is not None else ""
    return f"{plural(told.rounds, 'round')} of {', '.join(told.targets)}{when}, {program}"


def part(old: str, new: str) -> str:
    """What a part was and is, or what it is where there was nothing to compare with."""
    return f"{old} → {new}" if old else new
