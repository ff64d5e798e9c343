"""The kind of a profile in a file, by its sample types and, where two kinds share them, by file name or stacks."""

from __future__ import annotations

import re

from pprof_exporter.profile import KINDS, Attribution, Kind, Profile, attribute

_WORDS = re.compile(r"[a-z]+")
# Leaf functions of a mutex profile: it records the unlocking goroutine (runtime/mprof.go mutexevent).
_UNLOCKS = re.compile(r"\.(R?Unlock|unlock|_LostContendedRuntimeLock)\b|\)\.(R?Unlock)\b")


def kind_of(profile: Profile, name: str = "") -> Kind | None:
    """The kind; None for profiles that Go does not write, such as those of other languages. `name` is the file name."""
    types = {kind.type for kind in profile.sample_types}
    fitting = [kind for kind in KINDS.values() if {value.sample_type for value in kind.values} <= types]
    if len(fitting) <= 1:
        return fitting[0] if fitting else None
    words = set(_WORDS.findall(name.lower()))
    named = [kind for kind in fitting if kind.name in words]
    if len(named) == 1:
        return named[0]
    if KINDS["heap"] in fitting:
        return KINDS["allocs" if profile.default_sample_type == "alloc_space" else "heap"]
    unlocks = any(map(_UNLOCKS.search, attribute(profile, 0, Attribution.LEAF)))
    return KINDS["mutex" if unlocks else "block"]
