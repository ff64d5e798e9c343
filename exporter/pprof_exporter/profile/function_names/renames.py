"""One name for a function that Go moved to another package, so that profiles of two versions can be compared.

Only what compares two programs uses it. Series on /metrics, pages and evidence keep the name that the profile has,
which `go tool pprof` prints and the sources of that version of Go have. Growth needs no such name: it is that of one
process, and a process has one version of Go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pprof_exporter.profile.function_names.moved_functions import MOVES
from pprof_exporter.profile.function_names.package_move import PackageMove

# What the compiler adds to the name of a function: of its closures and wrappers, and of a second calling convention.
# The pattern matches in one way only and has a bound: names come from outside.
_SUFFIX = re.compile(r"(?:\.(?:func|gowrap|deferwrap|\d)\d*|-range\d+|-fm|\.abi0){1,64}$")

_ANY_TYPES = "[...]"
"""What the table has for the types of a generic function."""


def _newest(moves: Iterable[PackageMove]) -> dict[str, str]:
    """The name in the newest version, by each older name."""
    found: dict[str, str] = {}
    for move in sorted(moves, key=lambda one: -one.minor):
        for old, new in move.names():
            found[old] = found.get(new, new)
    return found


_NEWEST = _newest(MOVES)
_PACKAGES = tuple(sorted({f"{move.old}." for move in MOVES}))


def current_name(function: str) -> str:
    """The name that a function has in the newest version of Go; a function that did not move keeps its name.

    `runtime/internal/syscall.Syscall6` is `internal/runtime/syscall/linux.Syscall6`.
    """
    if not function.startswith(_PACKAGES):
        return function
    found = _NEWEST.get(function)
    if found is not None:
        return found
    # A profile has the types that a generic function was made for: `internal/concurrent.(*HashTrieMap[int,int]).Load`.
    start, end = function.find("["), function.rfind("]") + 1
    types = function[start:end] if 0 <= start < end else ""
    generic = f"{function[:start]}{_ANY_TYPES}{function[end:]}" if types else function
    suffix = _SUFFIX.search(generic)
    base, added = (generic[: suffix.start()], suffix[0]) if suffix else (generic, "")
    found = _NEWEST.get(base)
    if found is None:
        return function
    return (found.replace(_ANY_TYPES, types) if types else found) + added


def under_current_names(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights by the current name of each function; those that now have the same name are added."""
    found: dict[str, float] = {}
    for function, weight in weights.items():
        name = current_name(function)
        found[name] = found.get(name, 0) + weight
    return found
