"""Function names of Go as labels: which are plumbing, and which part of a name stays the same over builds."""

from __future__ import annotations

import re

# Where a goroutine waits is always one of these; who waits is the first frame above them.
_PLUMBING = ("runtime.", "sync.", "internal/sync.", "internal/runtime/", "internal/poll.", "internal/race.")

# Compilers number closures and the wrappers of go statements, and Go 1.27 numbers them otherwise than 1.26 does.
# One way to match and a bound: names come from outside, and may be made to keep a regular expression busy.
_NUMBERED = re.compile(r"(?:\.(?:func|gowrap|deferwrap|\d)\d*|-range\d+|-fm){1,64}$")


def is_plumbing(name: str) -> bool:
    """Whether a function belongs to the runtime or to a synchronisation package."""
    return name.startswith(_PLUMBING)


def entry_name(name: str) -> str:
    """A name without the numbers of closures, so that it outlives a rebuild: `main.serve.func1.2` is `main.serve`."""
    return _NUMBERED.sub("", name) or name
