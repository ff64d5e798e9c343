r"""Reads regular expressions of Go (regexp/syntax/parse.go, Go 1.24, flags of regexp.Compile) as trees.

What Go refuses is refused, and besides it classes of scripts (`\p{Greek}`), for which Python has no table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

from pprof_exporter.inputs.regexp_classes import LAST, PERL, POSIX, CharacterClass, category, inverted

_MOST_REPEATS = 1000
_MOST_NESTED = 100
"""Groups in each other; Go takes 1,000, with Python's stack they would take all of it."""
_COUNT = re.compile(r"\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}", re.ASCII)
_NAME = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_POSIX = re.compile(r"\[:(\^?)(.*?):\]", re.DOTALL)
_UNICODE = re.compile(r"\\([pP])(?:\{(\^?)([^}]*)\}|(.))", re.DOTALL)
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_OCTAL = re.compile(r"[1-7][0-7]{1,2}|0[0-7]{0,2}")
_CONTROL = dict(zip("aftnrv", "\a\f\t\n\r\v", strict=True))


class BadRegexp(ValueError):
    """The text is not a regular expression of Go, or one beyond the bounds; the message completes a sentence."""


class Assertion(Enum):
    """What must hold at a place, without a character."""

    LINE_START = auto()
    LINE_END = auto()
    TEXT_START = auto()
    TEXT_END = auto()
    BOUNDARY = auto()
    NO_BOUNDARY = auto()


@dataclass(frozen=True, slots=True)
class Concatenation:
    """All parts, one after the other."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of the parts; the first that leads to a match counts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """A part, `least` to `most` times; None: without end."""

    part: Node
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class CaptureGroup:
    """A part whose text is kept. `number` counts from 1."""

    part: Node
    number: int
    name: str


Node = CharacterClass | Assertion | Concatenation | Alternatives | Repetition | CaptureGroup


@dataclass(frozen=True, slots=True)
class _Flags:
    fold: bool = False
    multiline: bool = False
    dot_all: bool = False
    ungreedy: bool = False


_FLAG_NAMES = {"i": "fold", "m": "multiline", "s": "dot_all", "U": "ungreedy"}


def parse_regexp(text: str) -> Node:
    """The tree of an expression. Raises `BadRegexp`."""
    parser = _Parser(text)
    node = parser.alternatives(_Flags(), 0)
    if not parser.ended:
        raise BadRegexp("unexpected )")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._captures = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._text)

    def alternatives(self, flags: _Flags, depth: int) -> Node:
        """Up to the end, or to a closing parenthesis."""
        if depth > _MOST_NESTED:
            raise BadRegexp(f"more than {_MOST_NESTED} groups in each other")
        branches: list[Node] = []
        parts: list[Node] = []
        repeated = False
        while not self.ended and self._text[self._at] != ")":
            character = self._text[self._at]
            if character == "|":
                self._at += 1
                branches.append(_concatenation(parts))
                parts, repeated = [], False
                continue
            count = self._count(character)
            if count is not None:
                self._repeat(parts, count, flags, repeated=repeated)
                repeated = True
                continue
            repeated = False
            changed = self._flags(flags)
            if changed is not None:
                flags = changed
            elif character == "(":
                parts.append(self._group(flags, depth))
            else:
                parts += self._atom(character, flags)
        last = _concatenation(parts)
        return Alternatives((*branches, last)) if branches else last

    def _count(self, character: str) -> tuple[int, int | None] | None:
        """How often what stands before is repeated, if that is what comes next."""
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(character)
        if simple is not None:
            self._at += 1
            return simple
        found = _COUNT.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        numbers = [number[:5] for number in (found[1], found[3] or found[1])]
        least, most = int(numbers[0]), None if found[2] and not found[3] else int(numbers[1])
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and least > most):
            raise BadRegexp(f"invalid repeat count: {found[0][:40]}")
        return least, most

    def _repeat(self, parts: list[Node], count: tuple[int, int | None], flags: _Flags, *, repeated: bool) -> None:
        greedy = not flags.ungreedy
        if self._text[self._at : self._at + 1] == "?":
            self._at += 1
            greedy = not greedy
        if repeated:
            raise BadRegexp("invalid nested repetition operator")
        if not parts:
            raise BadRegexp("missing argument to repetition operator")
        node = Repetition(parts[-1], *count, greedy)
        if max(count[0], count[1] or 0) >= 2 and not _is_bounded(node, _MOST_REPEATS):
            raise BadRegexp("invalid repeat count: more than 1000 in all")
        parts[-1] = node

    def _flags(self, flags: _Flags) -> _Flags | None:
        """The flags after `(?i)`, if that is what comes next."""
        found = _FLAGS.match(self._text, self._at)
        if found is None or found[3] == ":":
            return None
        self._at = found.end()
        return _changed(flags, found)

    def _group(self, flags: _Flags, depth: int) -> Node:
        found, name = _FLAGS.match(self._text, self._at), _NAME.match(self._text, self._at)
        number = 0
        if found is not None:
            flags, self._at = _changed(flags, found), found.end()
        elif name is None and self._text.startswith("(?", self._at):
            raise BadRegexp("invalid or unsupported Perl syntax, such as a look-ahead")
        else:
            self._captures += 1
            number, self._at = self._captures, name.end() if name else self._at + 1
        node = self.alternatives(flags, depth + 1)
        if self.ended:
            raise BadRegexp("missing closing )")
        self._at += 1
        return CaptureGroup(node, number, name[1] if name else "") if number else node

    def _atom(self, character: str, flags: _Flags) -> list[Node]:
        if character == "[":
            return [self._class(flags)]
        if character == "\\":
            return self._escaped(flags)
        self._at += 1
        match character:
            case "^":
                return [Assertion.LINE_START if flags.multiline else Assertion.TEXT_START]
            case "$":
                return [Assertion.LINE_END if flags.multiline else Assertion.TEXT_END]
            case ".":
                return [CharacterClass(((0, LAST),) if flags.dot_all else inverted(((10, 10),)))]
        return [_literal(character, flags)]

    def _escaped(self, flags: _Flags) -> list[Node]:
        assertion = _ASSERTIONS.get(self._text[self._at : self._at + 2])
        if assertion is not None:
            self._at += 2
            return [assertion]
        if self._text.startswith("\\Q", self._at):
            quoted, _, _ = self._text[self._at + 2 :].partition("\\E")
            self._at = min(len(self._text), self._at + len(quoted) + 4)
            return [_literal(character, flags) for character in quoted]
        found = CharacterClass(fold=flags.fold)
        if not self._known_class(found):
            code = self._character()
            found.ranges = ((code, code),)
        return [found]

    def _class(self, flags: _Flags) -> CharacterClass:
        """A class in brackets."""
        self._at += 1
        found = CharacterClass(fold=flags.fold)
        if self._text.startswith("^", self._at):
            self._at += 1
            found.negated = True
        first = True
        while first or not self._text.startswith("]", self._at):
            first = False
            if self._known_class(found, bracket=True):
                continue
            low = high = self._character()
            following = self._text[self._at : self._at + 2]
            if len(following) == 2 and following[0] == "-" and following[1] != "]":
                self._at += 1
                high = self._character()
            if high < low:
                raise BadRegexp("invalid character class range")
            found.ranges += ((low, high),)
        self._at += 1
        return found

    def _known_class(self, into: CharacterClass, *, bracket: bool = False) -> bool:
        r"""Read `\d`, `\pL`, and within brackets `[:alpha:]`, if that is what comes next."""
        text, at = self._text, self._at
        posix = _POSIX.match(text, at) if bracket else None
        if posix is not None:
            if posix[2] not in POSIX:
                raise BadRegexp("invalid character class range")
            into.ranges += inverted(POSIX[posix[2]]) if posix[1] else POSIX[posix[2]]
            self._at = posix.end()
            return True
        unicode = _UNICODE.match(text, at)
        if unicode is not None:
            name = unicode[4] or unicode[3]
            found = category(name, negated=(unicode[1] == "P") is not bool(unicode[2]))
            if found is None:
                raise BadRegexp(f"the class \\p{{{name[:40]}}} is not known: only categories such as L and Nd are")
            into.categories += (found,)
            self._at = unicode.end()
            return True
        perl = PERL.get(text[at + 1 : at + 2].lower()) if text.startswith("\\", at) else None
        if perl is None:
            return False
        into.ranges += perl if text[at + 1].islower() else inverted(perl)
        self._at += 2
        return True

    def _character(self) -> int:
        """One character, perhaps escaped."""
        if self.ended:
            raise BadRegexp("missing closing ]")
        character = self._text[self._at]
        self._at += 1
        if character != "\\":
            return ord(character)
        if self.ended:
            raise BadRegexp("trailing backslash at end of expression")
        character = self._text[self._at]
        found = _OCTAL.match(self._text, self._at) or _HEX.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
            code = int(found[0], 8) if found.re is _OCTAL else int((found[1] or found[2]).lstrip("0")[:7] or "0", 16)
            if code <= LAST:
                return code
        elif character in _CONTROL:
            self._at += 1
            return ord(_CONTROL[character])
        elif character.isascii() and not character.isalnum():
            self._at += 1
            return ord(character)
        raise BadRegexp(f"invalid escape sequence: \\{character}")


_ASSERTIONS = {
    "\\A": Assertion.TEXT_START,
    "\\z": Assertion.TEXT_END,
    "\\b": Assertion.BOUNDARY,
    "\\B": Assertion.NO_BOUNDARY,
}


def _changed(flags: _Flags, found: re.Match[str]) -> _Flags:
    on = {_FLAG_NAMES[letter]: True for letter in found[1]}
    off = {_FLAG_NAMES[letter]: False for letter in found[2] or ""}
    return replace(flags, **{**on, **off})


def _literal(character: str, flags: _Flags) -> CharacterClass:
    return CharacterClass(((ord(character), ord(character)),), fold=flags.fold)


def _concatenation(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Concatenation(tuple(parts))


def _is_bounded(node: Node, most: int) -> bool:
    """Whether repetitions within each other amount to no more than so many."""
    match node:
        case Repetition(part, least, highest):
            times = least if highest is None else highest
            if times == 0 and highest == 0:
                return True
            return times <= most and _is_bounded(part, most // times if times else most)
        case Concatenation(parts) | Alternatives(parts):
            return all(_is_bounded(part, most) for part in parts)
        case CaptureGroup(part):
            return _is_bounded(part, most)
    return True
