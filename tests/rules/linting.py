"""What can be said of a PromQL expression without any data: which labels it has, and what can go wrong in its joins.

The labels of each part are computed from the catalogue upward, together with what determines what: an equality matcher
fixes a label, a target has one `pprof_target_info`, and the user's labels belong to the target. A join is sound when
the labels that it matches on determine all the others of the side that must be unique.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import promql_parser as promql

from pprof_exporter.catalog import FAMILIES, Deferral, MetricType, Outcome, Phase, Reason, Skip
from pprof_exporter.catalog.own_trouble import BackgroundTask, ExhaustedResource
from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.profile import ReaderName
from pprof_exporter.rules import RecordingRule, fill_thresholds

USER = "(labels that a user gave to the target)"
"""Stands for all of them in a set of labels: their names are not known, but a join can lose or miss them."""

_TARGET = frozenset({"job", "instance", "target"})

_SETS = ("and", "or", "unless")
_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_CHOOSING = ("topk", "bottomk", "limitk", "limit_ratio")
"""Aggregations that keep whole series."""

_QUANTILES = ("quantile_over_time", "histogram_quantile", "quantile", *_CHOOSING)
"""What takes a number that is no limit."""

_VALUES: dict[tuple[str, str], Iterable[str]] = {
    ("pprof_fetches_total", "outcome"): Outcome,
    ("pprof_fetch_failures_total", "reason"): Reason,
    ("pprof_decode_failures_total", "reason"): Reason,
    ("pprof_down_info", "reason"): Reason,
    ("pprof_fetches_skipped_total", "reason"): Skip,
    ("pprof_fetches_deferred_total", "reason"): Deferral,
    ("pprof_fetch_phase_seconds_total", "phase"): Phase,
    ("pprof_signal_median", "epoch"): ("before", "now"),
    ("pprof_signal_observations", "epoch"): ("before", "now"),
    ("pprof_exporter_build_info", "reader"): ReaderName,
    ("pprof_exporter_exhausted_total", "resource"): ExhaustedResource,
    ("pprof_exporter_task_restarts_total", "task"): BackgroundTask,
}
"""Labels whose values are a closed set."""

_DETERMINED: dict[str, dict[str, frozenset[str]]] = {
    "pprof_target_info": dict.fromkeys(("system", "program", "build", "go_version"), _TARGET),
    "pprof_down_info": {"reason": _TARGET},
    "pprof_last_change_info": dict.fromkeys(("from", "to"), _TARGET | {"change"}),
    "pprof_known_bug_info": {"fixed_in": _TARGET | {"bug"}},
    "pprof_exporter_build_info": dict.fromkeys(("version", "python", "reader"), frozenset({"job", "instance"})),
}
"""Labels of which there is one value at a time for each of the others."""

_SHORTEST = timedelta(minutes=2)
_SHORTEST_OF: dict[str, timedelta] = {
    **dict.fromkeys(
        ("pprof_gc_cycles_total", "pprof_gc_forced_cycles_total", "pprof_gc_unseen_cycles_total"),
        timedelta(minutes=10),
    ),
    "pprof_leaked_goroutines": timedelta(minutes=20),
    "pprof_goroutine_creators": timedelta(minutes=20),
    "pprof_goroutine_longest_wait_seconds": timedelta(minutes=20),
}
"""Twice the interval at which a family gets new values, where that is longer than a minute."""


@dataclass(frozen=True, slots=True)
class Rule:
    """That `label` has one value for each combination of values of `by`.

    It is `lasting` if that holds across different selectors at one instant, as for the user's labels.
    """

    by: frozenset[str]
    label: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """The labels that the series of a vector have, and what determines what among them."""

    labels: frozenset[str]
    rules: frozenset[Rule] = frozenset()

    def determined(self, by: Iterable[str]) -> frozenset[str]:
        """All labels that have one value for each combination of values of these."""
        known = frozenset(by)
        while more := {rule.label for rule in self.rules if rule.by <= known} - known:
            known |= more
        return known & self.labels

    def unique(self, by: Iterable[str]) -> bool:
        """Whether there is at most one series for each combination of values of these labels."""
        return self.determined(by) >= self.labels

    def only(self, labels: Iterable[str]) -> Shape:
        """What an aggregation leaves."""
        kept = self.labels & frozenset(labels)
        return Shape(kept, frozenset(rule for rule in self.rules if rule.by <= kept and rule.label in kept))

    def without(self, labels: Iterable[str]) -> Shape:
        """Without some labels."""
        return self.only(self.labels - frozenset(labels))


SCALAR = None
"""The shape of what is no vector."""

_FAMILIES: dict[str, Shape] = {}


def _of_family(name: str, labels: Iterable[str]) -> Shape:
    having = frozenset(labels) | {"job", "instance"}
    rules = {Rule(by, label, lasting=True) for label, by in _DETERMINED.get(name, {}).items()}
    if "target" in having:
        having |= {USER}
        rules.add(Rule(_TARGET, USER, lasting=True))
    return Shape(having, frozenset(rules))


for _family in FAMILIES:
    if _family.type is MetricType.HISTOGRAM:
        _FAMILIES[f"{_family.name}_bucket"] = _of_family(_family.name, (*_family.labels, "le"))
        for _suffix in ("_sum", "_count"):
            _FAMILIES[f"{_family.name}{_suffix}"] = _of_family(_family.name, _family.labels)
    else:
        _FAMILIES[_family.name] = _of_family(_family.name, _family.labels)
_FAMILIES["up"] = _of_family("up", ())
_FAMILIES["ALERTS"] = _of_family("ALERTS", ("alertname", "alertstate", "severity", "failure_mode", "target"))


@dataclass(slots=True)
class Linter:
    """Knows the recording rules, and collects the faults of the expressions that it is shown."""

    records: Mapping[str, str] = field(default_factory=dict)
    """Expressions of recording rules by name, thresholds filled in."""
    faults: list[str] = field(default_factory=list)
    wanted: set[tuple[str, str]] = field(default_factory=set)
    """Label and regular expression of each matcher that wants something to be there."""
    _known: dict[str, Shape | None] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[RecordingRule]) -> Linter:
        """One that knows these recording rules."""
        return cls({record.name: fill_thresholds(record.expr, {}) for record in records})

    def check(self, expression: str) -> Shape | None:
        """The shape of an expression without thresholds; what is wrong with it comes to `faults`."""
        try:
            parsed = promql.parse(expression)
        except ValueError as error:
            self._say(f"does not parse: {error}")
            return Shape(frozenset())
        return self._shape(parsed)

    def _say(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)

    def _shape(self, expr: promql.Expr) -> Shape | None:
        match expr:
            case promql.VectorSelector():
                return self._selected(expr)
            case promql.MatrixSelector():
                self._long_enough(expr)
                return _over_time(self._selected(expr.vector_selector))
            case promql.SubqueryExpr():
                return _over_time(self._shape(expr.expr))
            case promql.ParenExpr() | promql.UnaryExpr():
                return self._shape(expr.expr)
            case promql.AggregateExpr():
                return self._aggregated(expr)
            case promql.Call():
                return self._called(expr)
            case promql.BinaryExpr():
                return self._joined(expr)
        return SCALAR

    # Selectors

    def _selected(self, selector: promql.VectorSelector) -> Shape:
        name = selector.name or ""
        shape = self._named(name)
        fixed = set()
        for matcher in selector.matchers.matchers:
            if matcher.name not in shape.labels:
                self._say(f"{name} has no label {matcher.name!r}")
            if matcher.op == promql.MatchOp.Equal:
                fixed.add(matcher.name)
                self.wanted.add((matcher.name, re.escape(matcher.value)))
            if matcher.op == promql.MatchOp.Re:
                self.wanted.add((matcher.name, matcher.value))
            allowed = _VALUES.get((name, matcher.name))
            for value in _values(matcher) if allowed is not None else ():
                if value not in set(allowed or ()):
                    self._say(f"{matcher.name} of {name} is never {value!r}")
        return Shape(shape.labels, shape.rules | {Rule(frozenset(), label) for label in fixed})

    def _named(self, name: str) -> Shape:
        if name in _FAMILIES:
            return _FAMILIES[name]
        if name not in self.records:
            self._say(f"no family or recording rule {name!r}")
            return Shape(frozenset())
        if name not in self._known:
            self._known[name] = Shape(frozenset())  # for a rule that leads to itself
            inner = Linter(self.records, _known=self._known)
            self._known[name] = inner.check(self.records[name])
        return self._known[name] or Shape(frozenset())

    def _long_enough(self, selector: promql.MatrixSelector) -> None:
        name = selector.vector_selector.name or ""
        shortest = _SHORTEST_OF.get(name, _SHORTEST)
        if selector.range < shortest:
            self._say(f"{name} over {_minutes(selector.range)} is shorter than {_minutes(shortest)}, two of its values")

    # Aggregations and functions

    def _aggregated(self, expr: promql.AggregateExpr) -> Shape:
        op, inner = str(expr.op), self._vector(expr.expr)
        named = list(expr.modifier.labels) if expr.modifier else []
        by = expr.modifier is None or expr.modifier.type != promql.AggModifierType.Without
        for label in named:
            if label not in inner.labels:
                self._say(f"{op} {'by' if by else 'without'} ({label}): there is no such label")
        if op in _CHOOSING:
            return inner
        result = inner.only(named) if by else inner.without(named)
        if op == "count_values" and isinstance(expr.param, promql.StringLiteral):
            return Shape(result.labels | {expr.param.val}, result.rules)
        return result

    def _called(self, call: promql.Call) -> Shape | None:
        name = call.func.name
        shapes = [self._shape(argument) for argument in call.args]
        vectors = [shape for shape in shapes if shape is not SCALAR]
        if name in ("time", "scalar", "pi"):
            return SCALAR
        if name in ("absent", "absent_over_time"):
            return Shape(frozenset(_fixed_by(call.args[0])), frozenset(_constants(_fixed_by(call.args[0]))))
        if not vectors:
            return Shape(frozenset())
        (inner,) = vectors
        if name == "label_replace":
            return self._replaced(inner, *(_text(argument) for argument in call.args[1:]))
        if name == "label_join":
            return Shape(inner.labels | {_text(call.args[1])}, _without_rules_on(inner, _text(call.args[1])))
        if name == "histogram_quantile":
            if "le" not in inner.labels:
                self._say("histogram_quantile of what has no label 'le'")
            return inner.without(("le",))
        return inner

    def _replaced(self, inner: Shape, label: str, replacement: str, source: str, pattern: str) -> Shape:
        if source and source not in inner.labels:
            self._say(f"label_replace from {source!r}: there is no such label")
        if label in inner.labels and not inner.unique(inner.labels - {label}):
            self._say(f"label_replace of {label!r} may make two series the same")
        # A pattern that does not match leaves the label as it was.
        certain = (source, pattern) == ("", "") or label not in inner.labels
        rule = Rule(frozenset({source} - {""}), label)
        return Shape(inner.labels | {label}, _without_rules_on(inner, label) | ({rule} if certain else set()))

    # Operators

    def _joined(self, expr: promql.BinaryExpr) -> Shape | None:
        left, right, op = self._shape(expr.lhs), self._shape(expr.rhs), str(expr.op)
        if left is SCALAR or right is SCALAR:
            return right if left is SCALAR else left
        matching = expr.modifier.matching if expr.modifier else None
        on = matching is not None and matching.type == promql.LabelModifierType.Include
        named = frozenset(matching.labels) if matching else frozenset()
        if on:
            for label in sorted(named):
                for side, shape in (("left", left), ("right", right)):
                    if label not in shape.labels:
                        self._say(f"{op} on ({label}): its {side} side has no such label")
            if "target" in named and not named >= _TARGET:
                self._say(f"{op} on ({_list(named)}): two exporters may watch the same target, so job and instance too")
            by = named
        else:
            for label in sorted(named - left.labels - right.labels):
                self._say(f"{op} ignoring ({label}): neither side has such a label")
            by = (left.labels | right.labels) - named
            self._same_labels(op, left.without(named), right.without(named))
        if op in _SETS:
            return self._set(op, left, right, by, on=matching is not None)
        return self._paired(expr, left, right, by)

    def _same_labels(self, op: str, left: Shape, right: Shape) -> None:
        """Matched on all of their labels, two sides with different labels never meet; `or` is made for that."""
        if op != "or" and left.labels != right.labels:
            self._say(f"{op}: only one side has {_list(left.labels ^ right.labels)}, so that nothing matches")

    def _set(self, op: str, left: Shape, right: Shape, by: frozenset[str], *, on: bool) -> Shape:
        if op != "or":
            return left
        labels = left.labels | right.labels
        both = {rule for rule in left.rules & right.rules if rule.lasting}
        if on and left.unique(by) and right.unique(by):
            # What the right side adds is of other targets than those of the left side.
            return Shape(labels, frozenset(both | {Rule(by, label) for label in labels - by}))
        return Shape(labels, frozenset(both))

    def _paired(self, expr: promql.BinaryExpr, left: Shape, right: Shape, by: frozenset[str]) -> Shape:
        op, card = str(expr.op), expr.modifier.card if expr.modifier else promql.VectorMatchCardinality.OneToOne
        group = frozenset((expr.modifier.group_labels if expr.modifier else None) or ())
        many, one = (right, left) if card == promql.VectorMatchCardinality.OneToMany else (left, right)
        to_one = card == promql.VectorMatchCardinality.OneToOne
        for side, shape in (("left", left), ("right", right)):
            if (to_one or shape is one) and not shape.unique(by):
                rest = _list(shape.labels - shape.determined(by))
                self._say(f"{op} matches on {_list(by)}: its {side} side may have several of them, by {rest}")
        if to_one:
            return left.only(by)
        for label in sorted(group - one.labels):
            self._say(f"{op} takes over {label!r}, which the other side does not have")
        if not many.unique(many.labels - group):
            self._say(f"{op} takes over {_list(group & many.labels)}, and may make two series the same")
        rules = {rule for rule in many.rules if not group & (rule.by | {rule.label})}
        return Shape(many.labels | group, frozenset(rules | {Rule(by & one.labels, label) for label in group}))

    def _vector(self, expr: promql.Expr) -> Shape:
        return self._shape(expr) or Shape(frozenset())


def magic_numbers(text: str) -> list[float]:
    """Numbers in an expression that are not 0 or 1, no threshold and no quantile: limits that nobody can change."""
    marks = {name: 9e9 + 2 * number for number, name in enumerate(THRESHOLDS_BY_NAME)}
    try:
        parsed = promql.parse(fill_thresholds(text, marks))
    except ValueError:
        return []
    return [number for number in _numbers(parsed) if number not in (0, 1, *marks.values())]


def _numbers(expr: promql.Expr) -> Iterator[float]:
    match expr:
        case promql.NumberLiteral():
            yield abs(expr.val)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _numbers(expr.expr)
        case promql.AggregateExpr():
            if str(expr.op) not in _QUANTILES and isinstance(expr.param, promql.Expr):
                yield from _numbers(expr.param)
            yield from _numbers(expr.expr)
        case promql.Call():
            for argument in expr.args:
                if not (expr.func.name in _QUANTILES and isinstance(argument, promql.NumberLiteral)):
                    yield from _numbers(argument)
        case promql.BinaryExpr():
            yield from _numbers(expr.lhs)
            yield from _numbers(expr.rhs)


def _values(matcher: promql.Matcher) -> list[str]:
    """The values that a matcher names, one by one where it is a plain list of them."""
    exact = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual)
    values = [matcher.value] if exact else matcher.value.split("|")
    return [value for value in values if exact or value.replace("_", "").isalnum()]


def _over_time(shape: Shape | None) -> Shape | None:
    """Within a range a target may have had other labels; what a matcher fixes stays fixed."""
    if shape is SCALAR:
        return SCALAR
    return Shape(shape.labels, frozenset(rule for rule in shape.rules if not rule.by))


def _fixed_by(expr: promql.Expr) -> list[str]:
    selector = expr.vector_selector if isinstance(expr, promql.MatrixSelector) else expr
    if not isinstance(selector, promql.VectorSelector):
        return []
    return [matcher.name for matcher in selector.matchers.matchers if matcher.op == promql.MatchOp.Equal]


def _constants(labels: Iterable[str]) -> Iterator[Rule]:
    return (Rule(frozenset(), label) for label in labels)


def _without_rules_on(shape: Shape, label: str) -> frozenset[Rule]:
    return frozenset(rule for rule in shape.rules if label not in rule.by and rule.label != label)


def _text(expr: promql.Expr) -> str:
    return expr.val if isinstance(expr, promql.StringLiteral) else ""


def _list(labels: Iterable[str]) -> str:
    return ", ".join(sorted(labels)) or "nothing"


def _minutes(time: timedelta) -> str:
    return f"{time.total_seconds() / 60:g}m"
