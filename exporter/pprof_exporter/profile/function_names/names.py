"""Go function names as labels: which ones are plumbing, and which part of a name is stable over builds."""

from __future__ import annotations

import re

from pprof_exporter.profile.remembered import remember_small

# A goroutine always waits in one of these; the first frame above them is the function that waits.
_PLUMBING = ("runtime.", "sync.", "internal/sync.", "internal/runtime/", "internal/poll.", "internal/race.", "_.")
# Since Go 1.27 a closure in an inlined function is named after that function. Functions with a link name, such as
# runtime.goready, are of package "_" there (cmd/internal/obj/sym.go), so that it is `_.goready.func1`.

# Compilers number closures and the wrappers of go statements, and Go 1.27 does so differently from 1.26. The pattern
# matches in one way only and has a bound: names come from outside, and could be crafted to cause backtracking.
_NUMBERED = re.compile(r"(?:\.(?:func|gowrap|deferwrap|\d)\d*|-range\d+|-fm){1,64}$")


def is_plumbing(name: str) -> bool:
    """Whether a function belongs to the runtime or to a synchronisation package."""
    return name.startswith(_PLUMBING)


@remember_small(len, largest=512, most=8192)
def entry_name(name: str) -> str:
    """A name without closure numbers, stable over rebuilds: `main.serve.func1.2` is `main.serve`."""
    return _NUMBERED.sub("", name) or name
