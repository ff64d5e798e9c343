"""What a scalar of YAML is (go-yaml v2, resolve.go), once it is known whether text is wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from pprof_exporter.inputs.text_file import is_text

_PREFIX = "tag:yaml.org,2002:"
_TEXT, _NULL, _BOOL, _INT, _FLOAT = (_PREFIX + name for name in ("str", "null", "bool", "int", "float"))
_PLAIN_TEXT = frozenset({_TEXT, *(_PREFIX + name for name in ("timestamp", "merge", "value"))})
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DIGITS = re.compile(r"(?P<sign>[-+]?)(?:0b(?P<b>[01]+)|0x(?P<x>[0-9a-fA-F]+)|0(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))")
_BASES = {"b": 2, "x": 16, "o": 8, "d": 10}
_MOST_DIGITS = 100
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_UNBOUNDED = re.compile(r"([-+]?)\.(?:(inf|Inf|INF)|nan|NaN|NAN)")
_TYPES_BESIDES_TEXT = frozenset({"integer", "number", "boolean"})


class BadScalar(ValueError):
    """The scalar is not of the type that its tag names, or no text. The message does not repeat it."""


def wants_text(schema: Mapping[str, Any]) -> bool:
    """Whether a schema asks for text and nothing that a plain scalar can be besides."""
    types = _types(schema)
    return "string" in types and not types & _TYPES_BESIDES_TEXT


def scalar(node: yaml.ScalarNode, schema: Mapping[str, Any]) -> object:
    """The value of a scalar: its text as it is written where text is wanted. Raises `BadScalar`."""
    text: str = node.value
    if not is_text(text):
        raise BadScalar("half a surrogate pair is no character")
    if node.tag in _PLAIN_TEXT:
        return text
    value = _typed(node.tag, text)
    if not wants_text(schema):
        return value
    # As go-yaml sets text to its zero value.
    return text if value is not None else None if "null" in _types(schema) else ""


def is_null(node: yaml.Node) -> bool:
    """Whether a node is null, as an empty document or an empty key is."""
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL


def _types(schema: Mapping[str, Any]) -> set[str]:
    options = (schema, *schema.get("anyOf", ()))
    return {str(option["type"]) for option in options if "type" in option}


def _typed(tag: str, text: str) -> object:
    value: object = BadScalar
    if tag == _NULL:
        value = None if text in _NULLS else BadScalar
    elif tag == _BOOL:
        value = _BOOLS.get(text.lower(), BadScalar)
    elif tag in (_INT, _FLOAT):
        value = _number(text.replace("_", ""), text)
    else:
        raise BadScalar("put text that begins with * or ! in quotes")
    if value is BadScalar:
        raise BadScalar(f"the value does not have the type of its tag !!{tag.removeprefix(_PREFIX)}")
    return value


def _number(digits: str, text: str) -> object:
    found = _DIGITS.fullmatch(digits)
    if found is not None and len(digits) <= _MOST_DIGITS:
        kind = found.lastgroup or "d"
        return int(found["sign"] + found[kind], _BASES[kind])
    if _NUMBER.fullmatch(digits):
        return float(digits)
    unbounded = _UNBOUNDED.fullmatch(text)
    if unbounded is not None:
        return float(f"{unbounded[1]}inf") if unbounded[2] else float("nan")
    # Base 60, which go-yaml does not know: `1:30` is text.
    return text if re.fullmatch(r"[-+]?[0-9_]+(?::[0-9_.]+)+", text) else BadScalar
