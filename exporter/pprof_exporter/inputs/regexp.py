"""Regular expressions with the syntax and the results of Go, in time that grows only with expression and text.

Python's `re` backtracks: `([a-z0-9]+-?)+:6060` takes twice as long with each character of a text that does not match.
As in Go's regexp/backtrack.go, no instruction is tried twice at the same place of a text, which bounds the steps and
leaves the result the same: of all matches the one that Perl would find.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pprof_exporter.inputs.regexp_classes import CharacterClass
from pprof_exporter.inputs.regexp_simple import simple_regexp
from pprof_exporter.inputs.regexp_syntax import (
    Alternatives,
    Assertion,
    BadRegexp,
    CaptureGroup,
    Concatenation,
    Node,
    Repetition,
    parse_regexp,
)
from pprof_exporter.inputs.text_file import TooMuchText

_MOST_INSTRUCTIONS = 20_000
MOST_STEPS = 2_000_000
"""Instructions times characters: about a second."""
_WORD = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
GroupNames = dict[str, tuple[int, ...]]
"""Groups by their names. As in Go, several can have one name: the first that took part counts."""


class RegexpMatch:
    """The text of each group of a match."""

    def __init__(self, text: str, places: list[int], names: GroupNames) -> None:
        self._text = text
        self._places = places
        self._names = names

    def group(self, name: str) -> str:
        """The text of a group by its number or its name; "" if it took no part, or there is none of it."""
        # As in Go, only a number without a leading zero is one.
        is_number = name.isdecimal() and (name == "0" or not name.startswith("0")) and len(name) < 9
        for number in (int(name),) if is_number else self._names.get(name, ()):
            start, end = self._places[2 * number : 2 * number + 2] or (-1, -1)
            if start >= 0 <= end:
                return self._text[start:end]
        return ""


class Regexp:
    """A compiled expression, as regexp.Compile takes it. Raises `BadRegexp`."""

    def __init__(self, expression: str) -> None:
        if len(expression) > _MOST_INSTRUCTIONS:
            raise BadRegexp(f"longer than {_MOST_INSTRUCTIONS} characters")
        compiler = _Compiler()
        tree = parse_regexp(expression)
        start = compiler.compile(CaptureGroup(tree, 0, ""), compiler.emit(_Match()))
        self._program = compiler.program
        self._start = start
        self._names = compiler.names
        self.groups = compiler.captures
        """How many groups it has."""
        self._places = 2 * (compiler.captures + 1)
        self._anchored = _is_anchored(self._program, start)
        self._simple = simple_regexp(tree) if self._anchored else None

    def search(self, text: str) -> RegexpMatch | None:
        """The leftmost match. Raises `TooMuchText`."""
        if self._simple is not None and self._simple.is_quick(len(text)):
            match = self._simple.pattern.match(text)
            return None if match is None else _from_match(text, match, self._names)
        size = len(text) + 1
        if len(self._program) * size > MOST_STEPS:
            raise TooMuchText(f"{len(text)} characters are too many for a regular expression of this size")
        visited = bytearray(len(self._program) * size)
        for at in range(1 if self._anchored else size):
            places = self._run(text, at, visited)
            if places is not None:
                return RegexpMatch(text, places, self._names)
        return None

    def _run(self, text: str, at: int, visited: bytearray) -> list[int] | None:
        program, size, length = self._program, len(text) + 1, len(text)
        places = [-1] * self._places
        # An instruction with a place; or, as a negative number, what a capture was before.
        stack = [(self._start, at)]
        while stack:
            pc, at = stack.pop()
            if pc < 0:
                places[-pc - 1] = at
                continue
            while not visited[pc * size + at]:
                visited[pc * size + at] = 1
                instruction = program[pc]
                if type(instruction) is _Character:
                    if at == length or not instruction.has(text[at]):
                        break
                    at += 1
                elif type(instruction) is _Split:
                    stack.append((instruction.other, at))
                elif type(instruction) is _Place:
                    stack.append((-instruction.slot - 1, places[instruction.slot]))
                    places[instruction.slot] = at
                elif type(instruction) is _Check:
                    if not _holds(instruction.what, text, at):
                        break
                else:
                    return places
                pc = instruction.next
        return None


class _Match:
    """The end of the expression."""

    __slots__ = ("next",)

    def __init__(self, after: int = 0) -> None:
        self.next = after


class _Character(_Match):
    __slots__ = ("_known", "_set")

    def __init__(self, characters: CharacterClass, after: int) -> None:
        super().__init__(after)
        self._set = characters
        self._known: dict[str, bool] = {}

    def has(self, character: str) -> bool:
        known = self._known.get(character)
        if known is None:
            known = self._set.has(ord(character))
            if len(self._known) < 256:
                self._known[character] = known
        return known


class _Split(_Match):
    __slots__ = ("other",)

    def __init__(self, after: int, other: int) -> None:
        super().__init__(after)
        self.other = other


class _Place(_Match):
    __slots__ = ("slot",)

    def __init__(self, slot: int, after: int) -> None:
        super().__init__(after)
        self.slot = slot


class _Check(_Match):
    __slots__ = ("what",)

    def __init__(self, what: Assertion, after: int) -> None:
        super().__init__(after)
        self.what = what


class _Compiler:
    """Instructions from the end to the beginning: each is emitted with the one that comes after it."""

    def __init__(self) -> None:
        self.program: list[_Match] = []
        self.names: GroupNames = {}
        self.captures = 0

    def emit(self, instruction: _Match) -> int:
        if len(self.program) >= _MOST_INSTRUCTIONS:
            raise BadRegexp("it is too large: its repetitions stand for too many characters")
        self.program.append(instruction)
        return len(self.program) - 1

    def compile(self, node: Node, after: int) -> int:
        """The place of the first instruction of a node that is followed by `after`."""
        match node:
            case CharacterClass():
                return self.emit(_Character(node, after))
            case Assertion():
                return self.emit(_Check(node, after))
            case Concatenation(parts):
                for part in reversed(parts):
                    after = self.compile(part, after)
                return after
            case Alternatives(parts):
                *firsts, last = [self.compile(part, after) for part in parts]
                for first in reversed(firsts):
                    last = self.emit(_Split(first, last))
                return last
            case CaptureGroup(part, number, name):
                self.captures = max(self.captures, number)
                if name:
                    self.names[name] = (number, *self.names.get(name, ()))
                end = self.emit(_Place(2 * number + 1, after))
                return self.emit(_Place(2 * number, self.compile(part, end)))
            case Repetition(part, least, most, greedy):
                return self._repeated(part, least, most, greedy=greedy, after=after)

    def _repeated(self, part: Node, least: int, most: int | None, *, greedy: bool, after: int) -> int:
        if most is None:
            if least == 0:
                loop, first = self._loop(part, greedy=greedy, after=after)
                # As in Go, (x+)? where x may be empty: x* would prefer the empty match in another order.
                return self._split(first, after, greedy=greedy) if _may_be_empty(part) else loop
            after = self._loop(part, greedy=greedy, after=after)[1]
            least -= 1
        else:
            end = after
            for _ in range(most - least):
                after = self._split(self.compile(part, after), end, greedy=greedy)
        for _ in range(least):
            after = self.compile(part, after)
        return after

    def _loop(self, part: Node, *, greedy: bool, after: int) -> tuple[int, int]:
        """Where another round is decided, and where the first one begins."""
        loop = self.emit(_Split(after, after))
        first = self.compile(part, loop)
        self.program[loop] = _Split(first, after) if greedy else _Split(after, first)
        return loop, first

    def _split(self, first: int, other: int, *, greedy: bool) -> int:
        return self.emit(_Split(first, other) if greedy else _Split(other, first))


def _may_be_empty(node: Node) -> bool:
    match node:
        case CharacterClass():
            return False
        case Assertion():
            return True
        case Concatenation(parts):
            return all(map(_may_be_empty, parts))
        case Alternatives(parts):
            return any(map(_may_be_empty, parts))
        case CaptureGroup(part):
            return _may_be_empty(part)
        case Repetition(part, least):
            return least == 0 or _may_be_empty(part)


def _is_anchored(program: list[_Match], pc: int) -> bool:
    instruction = program[pc]
    while isinstance(instruction, _Place):
        instruction = program[instruction.next]
    return isinstance(instruction, _Check) and instruction.what is Assertion.TEXT_START


def _holds(what: Assertion, text: str, at: int) -> bool:
    match what:
        case Assertion.TEXT_START:
            return at == 0
        case Assertion.TEXT_END:
            return at == len(text)
        case Assertion.LINE_START:
            return at == 0 or text[at - 1] == "\n"
        case Assertion.LINE_END:
            return at == len(text) or text[at] == "\n"
    boundary = (at > 0 and text[at - 1] in _WORD) is not (at < len(text) and text[at] in _WORD)
    return boundary is (what is Assertion.BOUNDARY)


def _from_match(text: str, match: re.Match[str], names: GroupNames) -> RegexpMatch:
    places = [place for number in range(match.re.groups + 1) for place in match.span(number)]
    return RegexpMatch(text, places, names)


@lru_cache(maxsize=1024)
def anchored(expression: str) -> Regexp:
    """An expression that must match a whole text, as relabelling has them. Raises `BadRegexp`."""
    # relabel.NewRegexp of Prometheus 3 joins the texts like this, so that `a)|(b` is an expression too.
    return Regexp(f"^(?s:{expression})$")
