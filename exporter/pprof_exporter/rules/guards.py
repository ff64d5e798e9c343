"""Conditions under which an alert stays silent although its own condition holds: what was measured is not the target's.

Each looks back as far as the means and rates of the alert do, since these hold the values from before.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

from pprof_exporter.rules.model import Alert, RuleGroup

MIXED_TARGETS = "on (job, instance, target) max_over_time(pprof_several_processes_info[1h]) == 1"
"""Targets whose address led to several processes within the last hour, the longest range of the rates below."""


def overloaded(range_: str) -> str:
    """The exporters that were overloaded within the range: latencies that they measured are their own delay."""
    return f"on (job, instance) max_over_time(pprof_exporter_overloaded[{range_}]) == 1"


EXHAUSTED_EXPORTERS = "on (job, instance) increase(pprof_exporter_exhausted_total[30m]) > 0"
"""Exporters that lacked something themselves, so that they could not look at their targets."""


def of_one_process(group: RuleGroup) -> RuleGroup:
    """The group with alerts that leave out targets with several processes: a mixture says nothing about any of them."""
    return replace(
        group, rules=tuple(_of_one_process(rule) if isinstance(rule, Alert) else rule for rule in group.rules)
    )


def _of_one_process(alert: Alert) -> Alert:
    expr = textwrap.dedent(alert.expr).strip()
    if _has_alternatives(expr):
        expr = f"(\n{textwrap.indent(expr, '  ')}\n)"
    return replace(alert, expr=f"{expr}\n  unless {MIXED_TARGETS}")


def _has_alternatives(expr: str) -> bool:
    """Whether an expression is an `or` of several; `unless` binds more tightly than `or`, and like `and`."""
    while (outer := re.sub(r"\([^()]*\)", "", expr)) != expr:
        expr = outer
    return re.search(r"\bor\b", expr) is not None
