"""Which functions are in another package in the next version: the same name and receiver, and like source."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from os.path import commonpath

from pprof_exporter.profile.function_names.package_move import PackageMove
from tests.record_renames.sources import Library, Tokens, tokens_of

LIKE = 0.7
"""Share of equal tokens of two sources of one function: what moves is often touched up."""

ALONE = 0.9
"""The same for the only function that moved between two packages."""

TELLING = 25
"""Tokens of a function that is not written twice by chance. Shorter ones only move together with such a one."""

BUNDLED = {"net/http": "http2"}
"""Packages with another one in them, whose names the bundler gave this prefix (golang.org/x/tools/cmd/bundle)."""

_LONGEST = 1500
"""Tokens that are compared: the length of a table or of unrolled assembly says nothing more."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A function that is gone, and one that came with the same name: `likeness` is the share of equal tokens."""

    old: str
    new: str
    prefix: str
    function: str
    likeness: float
    telling: bool


def moves(minor: int, before: Library, after: Library) -> list[PackageMove]:
    """The functions that moved from one version to Go 1.`minor`."""
    groups: dict[tuple[str, str, str], list[_Candidate]] = defaultdict(list)
    for one in _candidates(before, after):
        groups[one.old, one.new, one.prefix].append(one)
    # Each function moves once, to a place of its own; a large move between two packages is more certain.
    ranked = sorted(groups.items(), key=lambda group: _certainty(group[0][0], group[0][1], group[1]), reverse=True)
    taken: set[tuple[str, str]] = set()
    had, left = Counter(split(name)[0] for name in before), Counter(split(name)[0] for name in before if name in after)
    found = []
    for (old, new, prefix), group in ranked:
        free = [
            one
            for one in group
            if not {(old, prefix + one.function), (new, one.function)} & taken
            and one.likeness >= (ALONE if sum(other.telling for other in group) == 1 else LIKE)
        ]
        if any(one.telling for one in free):
            taken |= {(old, prefix + one.function) for one in free} | {(new, one.function) for one in free}
            functions = " ".join(sorted(one.function for one in free))
            found.append(PackageMove(minor, old, new, had[old], left[old], functions, prefix))
    return sorted(found, key=lambda move: (move.old, move.new))


def _certainty(old: str, new: str, group: Iterable[_Candidate]) -> tuple[bool, float, int, str]:
    """Sorts moves: crypto/sha256 becomes .../sha256 and not .../sha512, whose functions have like sources."""
    alike = old.rpartition("/")[2] == new.rpartition("/")[2]
    return alike, sum(one.likeness for one in group), len(commonpath((old, new))), new


def _candidates(before: Library, after: Library) -> Iterator[_Candidate]:
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    arrivals = defaultdict(list)
    for name in come:
        package, function = split(name)
        arrivals[function].append(package)
    for name in sorted(gone):
        old, function = split(name)
        for prefix in {"", BUNDLED.get(old, "")}:
            start = "(*" if function.startswith("(*") else ""
            if not function.startswith(start + prefix):
                continue
            bare = start + function[len(start + prefix) :]
            for new in arrivals[bare]:
                sources = [tokens_of(one, without=prefix) for one in before[name]]
                likeness = _likeness(sources, [tokens_of(one) for one in after[f"{new}.{bare}"]])
                if likeness >= LIKE:
                    yield _Candidate(old, new, prefix, bare, likeness, any(len(one) >= TELLING for one in sources))


def split(name: str) -> tuple[str, str]:
    """A qualified name as package and name within it: only the last element of a path may have the dot."""
    slash = name.split("(", 1)[0].split("[", 1)[0].rfind("/")
    package, _, function = name[slash + 1 :].partition(".")
    return name[: slash + 1] + package, function


def _likeness(before: Iterable[Tokens], after: Iterable[Tokens]) -> float:
    """Share of equal tokens of the two declarations that are most alike; 0 below `LIKE`."""
    old, new = ({one[:_LONGEST] for one in side} for side in (before, after))
    if old & new:
        return 1.0
    best = 0.0
    matcher = SequenceMatcher(autojunk=False)
    for late in new:
        matcher.set_seq2(late)
        for early in old:
            matcher.set_seq1(early)
            if matcher.real_quick_ratio() >= LIKE and matcher.quick_ratio() >= LIKE:
                best = max(best, matcher.ratio())
    return best
