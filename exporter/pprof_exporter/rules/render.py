"""Rules as the YAML that Prometheus loads."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pprof_exporter.catalog.thresholds import THRESHOLDS
from pprof_exporter.rules.model import Alert, Record, RuleGroup, fill_thresholds

_HEAD = """\
# Written by `pprof-exporter rules`: change the sources or the thresholds (--set NAME=VALUE) and write it anew.
# Works with Prometheus 2.42 and later. What to do about each alert: runbooks/ beside this file, or the exporter itself,
# which serves them under /runbooks/.
"""

_MILLISECONDS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
}
_PART = re.compile(r"(\d+)(ms|[smhdw])")
# The range or the step of a selector, or its offset.
_IN_EXPRESSION = re.compile(r"([\[:]|\boffset\s+-?)((?:\d+(?:ms|[smhdw]))+)")

_OWN_PAGES = "http://{{ $labels.instance }}/runbooks"
# An alert over many exporters has no instance: then any of them will do.
_ANY_EXPORTER = (
    '{{ with query "pprof_exporter_build_info" }}http://{{ . | first | label "instance" }}{{ end }}/runbooks'
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may have otherwise.

    `thresholds` replace those of the catalogue, by name, and are not scaled. `runbook_url` is what the name of an alert
    is appended to; "" for the exporter's own pages. `time_scale` is a factor on every range, offset, age and wait: with
    0.01 an alert that wants half an hour needs 18 seconds.
    """

    thresholds: Mapping[str, float] = field(default_factory=dict)
    runbook_url: str = ""
    time_scale: float = 1

    @property
    def values(self) -> dict[str, float]:
        """The value of every threshold."""
        return {one.name: one.value * (self.time_scale if one.age else 1) for one in THRESHOLDS} | {**self.thresholds}


def render_rules(groups: Iterable[RuleGroup], options: Options | None = None) -> str:
    """The file. Raises `UnknownThreshold`."""
    options = options or Options()
    document = {"groups": [_group(group, options) for group in groups]}
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1_000, allow_unicode=True)


def scaled(duration: str, factor: float) -> str:
    """A Prometheus duration times a factor, to the millisecond and at least one; 0 stays 0."""
    if factor == 1:
        return duration
    milliseconds = sum(int(count) * _MILLISECONDS[unit] for count, unit in _PART.findall(duration))
    return f"{max(1, round(milliseconds * factor))}ms" if milliseconds else "0s"


def _group(group: RuleGroup, options: Options) -> dict[str, Any]:
    rules = [_record(rule, options) if isinstance(rule, Record) else _alert(rule, options) for rule in group.rules]
    interval = {"interval": scaled(group.interval, options.time_scale)} if group.interval else {}
    return {"name": group.name, **interval, "rules": rules}


def _record(rule: Record, options: Options) -> dict[str, Any]:
    return {"record": rule.name, "expr": _expression(rule.expr, options)}


def _alert(rule: Alert, options: Options) -> dict[str, Any]:
    pages = options.runbook_url.rstrip("/") or (_ANY_EXPORTER if rule.over_many else _OWN_PAGES)
    keep = {"keep_firing_for": scaled(rule.keep_firing_for, options.time_scale)} if rule.keep_firing_for else {}
    return {
        "alert": rule.name,
        "expr": _expression(rule.expr, options),
        "for": scaled(rule.for_, options.time_scale),
        **keep,
        "labels": {"severity": rule.severity.value, **({"failure_mode": rule.mode} if rule.mode else {})},
        "annotations": {
            "summary": fill_thresholds(rule.summary, options.values),
            "description": fill_thresholds(" ".join(rule.description.split()), options.values),
            "runbook_url": f"{pages}/{rule.name}",
        },
    }


def _expression(expr: str, options: Options) -> str:
    text = fill_thresholds(textwrap.dedent(expr).strip(), options.values)
    return _IN_EXPRESSION.sub(lambda found: found[1] + scaled(found[2], options.time_scale), text) + "\n"


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines as blocks, so that a person can read them."""

    def increase_indent(self, flow: bool = False, *_: bool, **__: bool) -> None:  # noqa: FBT001, FBT002 - of PyYAML
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    block = text.endswith("\n")
    text = text.rstrip("\n") if block and "\n" not in text.rstrip("\n") else text
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
