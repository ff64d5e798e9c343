"""Rules as the YAML that Prometheus loads."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from pprof_exporter.rules.model import Alert, Group, Record, filled

_HEAD = """\
# Written by `pprof-exporter rules`: change the sources or the thresholds (--set NAME=VALUE) and write it anew.
# Works with Prometheus 2.42 and later. What to do about each alert: runbooks/ beside this file, or the exporter itself,
# which serves them under /runbooks/.
"""

_OWN_PAGES = "http://{{ $labels.instance }}/runbooks"
# An alert over many exporters has no instance: then any of them will do.
_ANY_EXPORTER = (
    '{{ with query "pprof_exporter_build_info" }}http://{{ . | first | label "instance" }}{{ end }}/runbooks'
)


def render(groups: Iterable[Group], *, thresholds: Mapping[str, float] | None = None, runbook_url: str = "") -> str:
    """The file. `runbook_url` is what the name of an alert is appended to; "" for the exporter's own pages.

    Raises `UnknownThreshold`.
    """
    values = thresholds or {}
    document = {"groups": [_group(group, values, runbook_url.rstrip("/")) for group in groups]}
    return _HEAD + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1_000, allow_unicode=True)


def _group(group: Group, values: Mapping[str, float], runbook_url: str) -> dict[str, Any]:
    rules = [
        _record(rule, values) if isinstance(rule, Record) else _alert(rule, values, runbook_url) for rule in group.rules
    ]
    return {"name": group.name, **({"interval": group.interval} if group.interval else {}), "rules": rules}


def _record(rule: Record, values: Mapping[str, float]) -> dict[str, Any]:
    return {"record": rule.name, "expr": _expression(rule.expr, values)}


def _alert(rule: Alert, values: Mapping[str, float], runbook_url: str) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": _expression(rule.expr, values),
        "for": rule.for_,
        **({"keep_firing_for": rule.keep_firing_for} if rule.keep_firing_for else {}),
        "labels": {"severity": rule.severity.value, **({"failure_mode": rule.mode} if rule.mode else {})},
        "annotations": {
            "summary": filled(rule.summary, values),
            "description": filled(" ".join(rule.description.split()), values),
            "runbook_url": f"{runbook_url or (_ANY_EXPORTER if rule.over_many else _OWN_PAGES)}/{rule.name}",
        },
    }


def _expression(expr: str, values: Mapping[str, float]) -> str:
    return filled(textwrap.dedent(expr).strip(), values) + "\n"


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
