"""Classes of characters in regular expressions of Go (regexp/syntax, Go 1.24): ranges, categories, and case."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

LAST = 0x10FFFF
Ranges = tuple[tuple[int, int], ...]


def _ranges(text: str) -> Ranges:
    """Pairs of characters, each the first and the last of a range."""
    return tuple((ord(first), ord(last)) for first, last in zip(text[::2], text[1::2], strict=True))


PERL: dict[str, Ranges] = {"d": _ranges("09"), "s": _ranges("\t\n\f\r  "), "w": _ranges("09AZ__az")}
POSIX: dict[str, Ranges] = {
    "alnum": _ranges("09AZaz"),
    "alpha": _ranges("AZaz"),
    "ascii": _ranges("\x00\x7f"),
    "blank": _ranges("\t\t  "),
    "cntrl": _ranges("\x00\x1f\x7f\x7f"),
    "digit": _ranges("09"),
    "graph": _ranges("!~"),
    "lower": _ranges("az"),
    "print": _ranges(" ~"),
    "punct": _ranges("!/:@[`{~"),
    "space": _ranges("\t\r  "),
    "upper": _ranges("AZ"),
    "word": _ranges("09AZ__az"),
    "xdigit": _ranges("09AFaf"),
}
_CATEGORIES = frozenset(
    (
        *("C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No"),
        *("P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs"),
    )
)


@dataclass(frozen=True, slots=True)
class Category:
    """Characters of a category of Unicode, such as `Lu` or `L`, or all others."""

    name: str
    negated: bool

    def has(self, code: int) -> bool:
        """Whether a character is one of these."""
        return unicodedata.category(chr(code)).startswith(self.name) is not self.negated


def category(name: str, *, negated: bool) -> Category | None:
    r"""What `\p{NAME}` stands for, or None: Python has no table of scripts, such as Greek."""
    if name == "Any":
        return Category("", negated)
    return Category(name, negated) if name in _CATEGORIES else None


@dataclass(slots=True)
class CharacterClass:
    """One character of a set. `fold`: or one that differs from it in case only."""

    ranges: Ranges = ()
    categories: tuple[Category, ...] = ()
    negated: bool = False
    fold: bool = False

    def has(self, code: int) -> bool:
        """Whether a character is one of these."""
        codes = folded(code) if self.fold else (code,)
        return any(map(self._has, codes)) is not self.negated

    def _has(self, code: int) -> bool:
        return any(first <= code <= last for first, last in self.ranges) or any(
            one.has(code) for one in self.categories
        )


def inverted(ranges: Ranges) -> Ranges:
    """All other characters."""
    found, start = [], 0
    for first, last in sorted(ranges):
        if start < first:
            found.append((start, first - 1))
        start = max(start, last + 1)
    return (*found, (start, LAST)) if start <= LAST else tuple(found)


def folded(code: int) -> tuple[int, ...]:
    """A character and those that differ from it in case only, as unicode.SimpleFold goes through them."""
    return _orbits().get(_fold_key(code), (code,))


@cache
def _orbits() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    # Behind these there are no letters with case.
    for code in range(0x1E960):
        key = _fold_key(code)
        found[key] = (*found.get(key, ()), code)
    return {key: codes for key, codes in found.items() if len(codes) > 1}


def _fold_key(code: int) -> str:
    # Simple folding: where full folding makes several characters of one, Unicode's simple one is to lower case.
    letter = chr(code)
    return next((key for key in (letter.casefold(), letter.lower()) if len(key) == 1), letter)
