"""Writes documents as YAML in every style, with scalars that break readers here and there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from tests.fuzz import nasty

Value = str | Sequence["Value"] | Mapping[str, "Value"]
"""A scalar as it is written in YAML, a list, or a mapping."""


class YamlWriter:
    """`odd` is the share of scalars and keys that are replaced by nasty ones."""

    def __init__(self, random: Random, odd: float) -> None:
        self._random = random
        self._odd = odd
        self._anchors = 0

    def document(self, value: Value) -> bytes:
        """The whole file, with the line ends of some system."""
        text = self._block(value, "") if isinstance(value, Mapping) else self._flow(value)
        return text.replace("\n", self._random.choice(("\n", "\n", "\n", "\r\n"))).encode("utf-8", "surrogatepass")

    def _scalar(self, text: str) -> str:
        random = self._random
        if random.random() < self._odd:
            return random.choice(nasty.SCALARS)
        if random.random() < self._odd:
            self._anchors += 1
            return f"&a{self._anchors} {text}"
        if self._anchors and random.random() < self._odd:
            return f"*a{random.randint(1, self._anchors)}"
        return text

    def _flow(self, value: Value) -> str:
        if isinstance(value, str):
            return self._scalar(value)
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{self._key(key)}: {self._flow(part)}" for key, part in value.items()) + "}"
        return "[" + ", ".join(map(self._flow, value)) + "]"

    def _block(self, value: Mapping[str, Value], indent: str) -> str:
        lines = []
        for key, part in value.items():
            if isinstance(part, Mapping) and part and self._random.random() < 0.6:
                lines.append(f"{indent}{self._key(key)}:\n{self._block(part, indent + '  ')}")
            elif not isinstance(part, str | Mapping) and part and self._random.random() < 0.6:
                items = "\n".join(f"{indent}  - {self._flow(one)}" for one in part)
                lines.append(f"{indent}{self._key(key)}:\n{items}")
            else:
                lines.append(f"{indent}{self._key(key)}: {self._flow(part)}")
        if self._random.random() < self._odd:
            lines.append(lines[0])
        return "\n".join(lines)

    def _key(self, key: str) -> str:
        return self._random.choice(nasty.SCALARS) if self._random.random() < self._odd / 10 else key
