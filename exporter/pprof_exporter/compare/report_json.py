"""A comparison as JSON: all values, under stable names."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from pprof_exporter.compare.figures import FIGURES
from pprof_exporter.compare.report import ComparedPair, ComparisonReport, FunctionChange, SignalChange, Spread
from pprof_exporter.compare.report_phrases import figure_word
from pprof_exporter.compare.statistics import Estimate
from pprof_exporter.escaping import json_text

REPORT_FORMAT = "pprof-exporter comparison"
REPORT_VERSION = 1


def report_json(report: ComparisonReport) -> str:
    """The report as one JSON object. Values are in the unit that the signal name ends with; unknown ones are null."""
    return json_text(report_dict(report), indent=2)


def report_dict(report: ComparisonReport) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "format": REPORT_FORMAT,
        "version": REPORT_VERSION,
        "method": report.method.value,
        "verdict": report.verdict.value,
        "before": report.before,
        "after": report.after,
        "pairs": [_pair(pair) for pair in report.pairs],
        "alone": list(report.alone),
        "limits": list(report.limits),
    }


def _pair(pair: ComparedPair) -> dict[str, Any]:
    return {
        "name": pair.name,
        "before": asdict(pair.before),
        "after": asdict(pair.after),
        "replaced": [
            {
                "change": one.change.value,
                "said": one.said,
                "parts": [{"name": name, "before": old, "after": new} for name, old, new in one.parts],
            }
            for one in pair.replaced
        ],
        "unknown": [change.value for change in pair.unknown],
        "notes": list(pair.notes),
        "figures": [{"name": FIGURES[one.signal], "word": figure_word(one), **_signal(one)} for one in pair.figures],
        "signals": [_signal(signal) for signal in pair.signals],
        "functions": [_function(function) for function in pair.functions],
        "tick_intervals_seconds": {"before": list(pair.ticks_before), "after": list(pair.ticks_after)},
    }


def _signal(signal: SignalChange) -> dict[str, Any]:
    return {
        "signal": signal.signal,
        "verdict": signal.verdict.value,
        "why": signal.why,
        "before": _spread(signal.before),
        "after": _spread(signal.after),
        "ratio": _estimate(signal.ratio),
        "shift": _estimate(signal.shift),
        "dominance": signal.dominance,
        "p": signal.p,
    }


def _function(function: FunctionChange) -> dict[str, Any]:
    return {
        "kind": function.kind,
        "function": function.function,
        "movement": function.movement.value,
        "why": function.why,
        "before": function.before,
        "after": function.after,
        "shift": _estimate(function.shift),
        "p": function.p,
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "count": spread.count,
        "median": _finite(spread.median),
        "low_quartile": _finite(spread.low_quartile),
        "high_quartile": _finite(spread.high_quartile),
        "values": [_finite(value) for value in spread.values],
    }


def _estimate(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {"value": _finite(estimate.value), "low": _finite(estimate.low), "high": _finite(estimate.high)}


def _finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return value if value is None or math.isfinite(value) else None
