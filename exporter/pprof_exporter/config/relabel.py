"""Relabelling with the semantics of Prometheus (model/relabel/relabel.go, 3.5): labels in, other labels or none out.

Expressions are Go's, and match whole values in linear time (`inputs/regexp.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pprof_exporter.inputs.text_file import TooMuchText

if TYPE_CHECKING:
    from pprof_exporter.inputs.regexp import Regexp, RegexpMatch

Labels = dict[str, str]


class Action(StrEnum):
    """Action of a relabelling rule."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEP_EQUAL = "keepequal"
    DROP_EQUAL = "dropequal"
    HASH_MOD = "hashmod"
    LABEL_MAP = "labelmap"
    LABEL_DROP = "labeldrop"
    LABEL_KEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


class BadRule(ValueError):
    """A rule that cannot be used; the message says why."""


# Characters of a label. Prometheus has no bound, so a few rules with `$1$1` make texts of any size there.
_LONGEST = 16 * 1024
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_TEMPLATE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)
# One way to read each text: with `\$\w+` here, a name of 70,000 letters before a wrong character took a minute.
_NAME_TEMPLATE = re.compile(r"(?:[a-zA-Z_]|\$(?:\{\w+\}|\w))(?:\w|\$(?:\{\w+\}|\w))*", re.ASCII)
_ON_NAMES = (Action.LABEL_MAP, Action.LABEL_DROP, Action.LABEL_KEEP)
_NEEDS_TARGET = frozenset(Action) - {Action.KEEP, Action.DROP, *_ON_NAMES}
_REGEX, _REPLACEMENT, _SEPARATOR = "(.*)", "$1", ";"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, with the defaults of Prometheus. Raises `BadRule` where Prometheus would refuse it."""

    action: Action = Action.REPLACE
    source_labels: tuple[str, ...] = ()
    separator: str = _SEPARATOR
    regex: str = _REGEX
    modulus: int = 0
    target_label: str = ""
    replacement: str = _REPLACEMENT
    pattern: Regexp = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", _pattern(self.regex))
        self._check_target()
        if self.action is Action.HASH_MOD and self.modulus < 1:
            raise BadRule("the action hashmod needs a modulus above 0")
        if self.action is Action.LABEL_MAP and not _NAME_TEMPLATE.fullmatch(self.replacement):
            raise BadRule(f"{self.replacement!r} is not a replacement for the action labelmap")
        usual = (self.modulus, self.replacement, self.separator) == (0, _REPLACEMENT, _SEPARATOR)
        match self.action:
            case Action.KEEP_EQUAL | Action.DROP_EQUAL if not usual or self.regex != _REGEX:
                raise BadRule(f"the action {self.action} takes only source_labels and target_label")
            case Action.LABEL_DROP | Action.LABEL_KEEP if not usual or self.target_label or self.source_labels:
                raise BadRule(f"the action {self.action} takes only regex")

    def _check_target(self) -> None:
        if self.action not in _NEEDS_TARGET:
            return
        if not self.target_label:
            raise BadRule(f"the action {self.action} needs a target_label")
        allowed = _NAME_TEMPLATE if self.action is Action.REPLACE else LABEL_NAME
        if not allowed.fullmatch(self.target_label):
            raise BadRule(f"{self.target_label!r} is not a target_label for the action {self.action}")


def _pattern(regex: str) -> Regexp:
    from pprof_exporter.inputs.regexp import anchored  # noqa: PLC0415 - only for those who relabel
    from pprof_exporter.inputs.regexp_syntax import BadRegexp  # noqa: PLC0415

    try:
        return anchored(regex)
    except BadRegexp as error:
        raise BadRule(f"{regex[:200]!r} is not a regular expression: {error}") from None


def relabel(labels: Mapping[str, str], rules: Iterable[Rule]) -> Labels | None:
    """Apply the rules in order; None if one of them drops the target. A label that is empty is a label less.

    Raises `TooMuchText`.
    """
    current: Labels = {}
    for name, value in labels.items():
        _set(current, name, value)
    for rule in rules:
        value = rule.separator.join(current.get(name, "") for name in rule.source_labels)
        stays = _DECIDES.get(rule.action)
        if stays is None:
            _CHANGES[rule.action](rule, value, current)
        elif not stays(rule, value, current):
            return None
    return current


def _replace(rule: Rule, value: str, labels: Labels) -> None:
    found = rule.pattern.search(value)
    if found is None:
        return
    target = _expand(rule.target_label, found)
    if LABEL_NAME.fullmatch(target):
        _set(labels, target, _expand(rule.replacement, found))


def _hash_mod(rule: Rule, value: str, labels: Labels) -> None:
    # MD5 spreads here, as in Prometheus, so that both compute the same shards; security does not depend on it.
    digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
    _set(labels, rule.target_label, str(int.from_bytes(digest[8:]) % rule.modulus))


def _map_names(rule: Rule, value: str, labels: Labels) -> None:
    for name, held in list(labels.items()):
        found = rule.pattern.search(name)
        if found is not None:
            _set(labels, _expand(rule.replacement, found), held)


def _drop_names(rule: Rule, value: str, labels: Labels) -> None:
    for name in [name for name in labels if rule.pattern.search(name)]:
        del labels[name]


def _keep_names(rule: Rule, value: str, labels: Labels) -> None:
    for name in [name for name in labels if not rule.pattern.search(name)]:
        del labels[name]


def _set(labels: Labels, name: str, value: str) -> None:
    if max(len(value), len(name)) > _LONGEST:
        raise TooMuchText(f"its label {name[:100]!r} has more than {_LONGEST} characters")
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


_DECIDES: dict[Action, Callable[[Rule, str, Labels], bool]] = {
    Action.KEEP: lambda rule, value, _labels: rule.pattern.search(value) is not None,
    Action.DROP: lambda rule, value, _labels: rule.pattern.search(value) is None,
    Action.KEEP_EQUAL: lambda rule, value, labels: labels.get(rule.target_label, "") == value,
    Action.DROP_EQUAL: lambda rule, value, labels: labels.get(rule.target_label, "") != value,
}
_CHANGES: dict[Action, Callable[[Rule, str, Labels], None]] = {
    Action.REPLACE: _replace,
    Action.HASH_MOD: _hash_mod,
    Action.LABEL_MAP: _map_names,
    Action.LABEL_DROP: _drop_names,
    Action.LABEL_KEEP: _keep_names,
    Action.LOWERCASE: lambda rule, value, labels: _set(labels, rule.target_label, value.lower()),
    Action.UPPERCASE: lambda rule, value, labels: _set(labels, rule.target_label, value.upper()),
}


def _expand(template: str, found: RegexpMatch) -> str:
    """`$1`, `${1}`, `$name` and `$$` as Go's Regexp.Expand has them: the longest name counts, an unknown is empty."""

    def group(part: re.Match[str]) -> str:
        if part[1]:
            return "$"
        return found.group(part[2] or part[3])

    return _TEMPLATE.sub(group, template)
