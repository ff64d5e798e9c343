"""JSON documents with odd values in place of right ones, sealed as the exporter seals them, or damaged."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

from pprof_exporter.sealed_json import seal
from tests.fuzz import nasty

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 2**31, -(2**63), 2**64, 10**400, 0.0, -0.0, 1e308, -1e300, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), 1e12, -1e11, 253402300800.0, -62135596801.0),
    *("", "x", "..", ".", "/", "../x", "a/b", "C:", "CON", "\x00", "a\x00b", "manifest.json", "NaN", "1e999"),
    *([], {}, [[]], [None], {"": {}}, [{}] * 3, ["a"] * 100, {"a": "b"}),
    *("heap.pb.gz", "0" * 64, "shows", "f" * 63 + "G", "2026-01-01T00:00:00Z", "success", "rest", "windows"),
)


def odd_document(random: Random, right: Any) -> bytes:
    """The document with up to four odd values, mostly sealed, and sometimes damaged after that."""
    changed = json.loads(json.dumps(right))
    for _ in range(random.choice((0, 1, 1, 1, 2, 4))):
        changed = _changed(random, changed)
    text = _encoded(random, changed)
    if random.random() < 0.6 and text.endswith(b"}"):
        text = seal(text, random.choice((None, 1, 2)))
    return nasty.damaged(random, text) if random.random() < 0.3 else text


def _changed(random: Random, value: Any) -> Any:
    """The value with one odd one somewhere in it."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        match random.randrange(12):
            case 0:
                del value[key]
            case 1:
                value[nasty.text(random, list(value))] = value[key]
            case _:
                value[key] = _changed(random, value[key])
        return value
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        match random.randrange(8):
            case 0:
                del value[place]
            case 1:
                value.append(json.loads(json.dumps(value[place])))
            case _:
                value[place] = _changed(random, value[place])
        return value
    return _odd(random, value)


def _odd(random: Random, value: Any) -> Any:
    if isinstance(value, str) and random.random() < 0.5:
        return nasty.text(random, (value, value.upper(), value * 2, value[::-1]))
    if isinstance(value, int | float) and random.random() < 0.3:
        return random.choice((-value, value * 10, value + 1, -1 - value))
    return copy.deepcopy(random.choice(_ODD))


def _encoded(random: Random, value: Any) -> bytes:
    """JSON, mostly as others write it too; NaN and infinities as Python writes them."""
    indent = random.choice((None, None, 1))
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, indent=indent)
    match random.randrange(40):
        case 0:
            text = "[" * random.choice((10, 2_000, 100_000)) + text
        case 1:
            text = text.replace("{", '{"a": ' + '{"b": ' * 500 + "1" + "}" * 500 + ", ", 1)
        case 2:
            text = text.replace(":", ": 1e999, ", 1)
    return text.encode("utf-8", "surrogatepass")
