"""The operating system of a profile, by its module paths and source files."""

from __future__ import annotations

import re
from enum import StrEnum

from pprof_exporter.profile.profile import Profile, once_per_profile
from pprof_exporter.profile.remembered import LARGEST_MODULES, MOST_MODULES, characters, remember_small

_WINDOWS_FILE = re.compile(r"[A-Za-z]:[\\/]|\\\\|.*\.(?:exe|dll)$", re.IGNORECASE)
# Suffixes by which Go builds a source file for one system only (go/build, goodOSArchFile).
_SOURCE_FILE = re.compile(r"_(windows|linux|darwin)(?:_[a-z0-9]+)?\.(?:go|s)$")


class System(StrEnum):
    """Operating systems that can be recognised in a profile."""

    WINDOWS = "windows"
    LINUX = "linux"
    DARWIN = "darwin"


@once_per_profile
def system_of(profile: Profile) -> System | None:
    """The system, or None if the profile does not show it, like a heap profile of an old Go."""
    system = _system_of_modules(profile.mapped_files)
    if system:
        return system
    for file in profile.columns.source_files():
        found = _SOURCE_FILE.search(file)
        if found:
            return System(found[1])
    return None


@remember_small(characters, largest=LARGEST_MODULES, most=MOST_MODULES)
def _system_of_modules(files: tuple[tuple[str, str], ...]) -> System | None:
    for file, _ in files:
        if file:
            if _WINDOWS_FILE.match(file):
                return System.WINDOWS
            if file in ("[vdso]", "[vsyscall]"):
                return System.LINUX
    return None
