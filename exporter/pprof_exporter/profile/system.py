"""The operating system of a profile, by its module paths and source files."""

from __future__ import annotations

import re
from enum import StrEnum

from pprof_exporter.profile.model import Profile

_WINDOWS_FILE = re.compile(r"[A-Za-z]:[\\/]|\\\\|.*\.(?:exe|dll)$", re.IGNORECASE)
# Suffixes by which Go builds a source file for one system only (go/build, goodOSArchFile).
_SOURCE_FILE = re.compile(r"_(windows|linux|darwin)(?:_[a-z0-9]+)?\.(?:go|s)$")


class System(StrEnum):
    """Operating systems that can be recognised in a profile."""

    WINDOWS = "windows"
    LINUX = "linux"
    DARWIN = "darwin"


def system_of(profile: Profile) -> System | None:
    """The system, or None if the profile does not show it, like a heap profile of an old Go."""
    for mapping in profile.mappings:
        if mapping.file:
            if _WINDOWS_FILE.match(mapping.file):
                return System.WINDOWS
            if mapping.file in ("[vdso]", "[vsyscall]"):
                return System.LINUX
    for function in profile.functions:
        found = _SOURCE_FILE.search(function.file)
        if found:
            return System(found[1])
    return None
