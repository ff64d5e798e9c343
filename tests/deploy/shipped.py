"""The shipped configuration of Alertmanager, read, and made fit for a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tests.lab import PROJECT

FOLDER = PROJECT / "deploy" / "alertmanager"
FILE = FOLDER / "alertmanager.yml"
TEMPLATES = sorted((FOLDER / "templates").glob("*.tmpl"))

_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"(.*)"\s*')


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """What Alertmanager would say; a label that is missing is empty."""
        had = labels.get(self.label, "")
        same = re.fullmatch(self.value, had) is not None if "~" in self.operator else had == self.value
        return same is not self.operator.startswith("!")


def matchers(texts: Sequence[str]) -> list[Matcher]:
    """The conditions that a route, or one side of a rule, has."""
    found = [_MATCHER.fullmatch(text) for text in texts]
    assert all(found), f"not all of these are matchers: {texts}"
    return [Matcher(*one.groups()) for one in found if one]


def configuration() -> dict[str, Any]:
    """The file as it is."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return read


def routes(config: dict[str, Any]) -> list[dict[str, Any]]:
    """All routes, the root first."""
    found = [config["route"]]
    for route in found:
        found += route.get("routes", [])
    return found


def telling(receiver: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The same routes and inhibitions, but each receiver made anew from its name, and no group waits over a second."""
    config = configuration()
    config["receivers"] = [{"name": one["name"], **receiver(one["name"])} for one in config["receivers"]]
    del config["global"]
    for route in routes(config):
        route.update(group_wait="1s", group_interval="1s", repeat_interval="1h")
    return config
