"""Expressions so simple that Python's `re` cannot take long over them, and finds the same: ten times faster than ours.

Backtracking is a matter of choices. Where no choice stands within a repetition, they are few: of each alternative one
branch, and of n characters the places at which k repetitions of one character end, which is n + k over k.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pprof_exporter.inputs.regexp_classes import CharacterClass
from pprof_exporter.inputs.regexp_syntax import Alternatives, Assertion, CaptureGroup, Concatenation, Node, Repetition

_MOST_CHOICES = 20_000
_MOST_BRANCHES = 1000


@dataclass(frozen=True, slots=True)
class SimpleRegexp:
    """The same expression for `re`, and how many choices it has."""

    pattern: re.Pattern[str]
    repetitions: int
    branches: int

    def is_quick(self, length: int) -> bool:
        """Whether a text of so many characters takes no more than some tenths of a millisecond, whatever it holds."""
        return self.branches * math.comb(length + self.repetitions, self.repetitions) <= _MOST_CHOICES


class _NotSimple(Exception):
    pass


class _Translator:
    def __init__(self) -> None:
        self.repetitions = 0
        self.branches = 1

    def translated(self, node: Node) -> str:
        match node:
            case CharacterClass():
                return _characters(node)
            case Assertion.TEXT_START:
                return r"\A"
            case Assertion.TEXT_END:
                return r"\Z"
            case Concatenation(parts):
                return "".join(map(self.translated, parts))
            case Alternatives(parts):
                self.branches *= len(parts)
                if self.branches > _MOST_BRANCHES:
                    raise _NotSimple
                return f"(?:{'|'.join(map(self.translated, parts))})"
            case CaptureGroup(part):
                return f"({self.translated(part)})"
            case Repetition(CharacterClass() as part, least, most, greedy):
                self.repetitions += 1
                times = f"{{{least},{'' if most is None else most}}}"
                return f"{_characters(part)}{times}{'' if greedy else '?'}"
        raise _NotSimple


def simple_regexp(node: Node) -> SimpleRegexp | None:
    """An expression for `re` with the same matches, if this one is simple."""
    translator = _Translator()
    try:
        pattern = re.compile(translator.translated(node))
    except _NotSimple:
        return None
    return SimpleRegexp(pattern, translator.repetitions, translator.branches)


def _characters(characters: CharacterClass) -> str:
    if characters.categories or characters.fold or not characters.ranges:
        raise _NotSimple
    ranges = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in characters.ranges)
    return f"[{'^' if characters.negated else ''}{ranges}]"
