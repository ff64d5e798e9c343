"""Lists of targets, as files and servers provide them: `[{"targets": ["HOST:PORT"], "labels": {"NAME": "VALUE"}}]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pprof_exporter.config import TargetGroup
from pprof_exporter.inputs.json_document import BadJson, parse_json

_YAML = (".yml", ".yaml")
_KEYS = {"targets", "labels"}
_TEXT = {"type": "string"}
_SCHEMA: Mapping[str, Any] = {
    "items": {"properties": {"targets": {"items": _TEXT}, "labels": {"additionalProperties": _TEXT}}}
}


class SourceError(Exception):
    """A source has no valid list now; the message says why."""


def parse_text(name: str, text: str) -> list[TargetGroup]:
    """Parse the text of a file as YAML or JSON, by the suffix of its name. Raises `SourceError`."""
    return parse_document(_parse_yaml(text) if name.endswith(_YAML) else _parse_json(text))


def _parse_json(text: str) -> Any:
    try:
        return parse_json(text)
    except BadJson as error:
        raise SourceError(f"not JSON: {error}") from None


def _parse_yaml(text: str) -> Any:
    from pprof_exporter.inputs.yaml_document import BadYaml, parse_yaml  # noqa: PLC0415 - only for files in YAML

    try:
        return parse_yaml(text, _SCHEMA)[0]
    except BadYaml as error:
        raise SourceError(f"not YAML: {error}") from None


def parse_document(document: Any) -> list[TargetGroup]:
    """Check a parsed document; as in Prometheus, null is a list without groups. Raises `SourceError`."""
    if document is None:
        return []
    if not isinstance(document, list):
        raise SourceError("not a list of groups with targets and labels")
    return [_group(i, entry) for i, entry in enumerate(document)]


def _group(i: int, entry: Any) -> TargetGroup:
    if not isinstance(entry, dict) or not set(entry) <= _KEYS:
        raise SourceError(f"group {i} is not a mapping of targets and labels")
    targets, labels = entry.get("targets") or [], entry.get("labels") or {}
    if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
        raise SourceError(f"group {i}: targets is not a list of text")
    if isinstance(labels, dict):
        # As Go's encoding/json sets text to its zero value.
        labels = {name: "" if value is None else value for name, value in labels.items()}
    if not isinstance(labels, dict) or not all(isinstance(text, str) for pair in labels.items() for text in pair):
        raise SourceError(f"group {i}: labels is not a mapping of text to text")
    return TargetGroup(tuple(targets), tuple(sorted(labels.items())))
