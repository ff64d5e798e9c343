r"""The modules of a program, by the mappings of a profile.

On Windows, Go 1.20 and later list every loaded module. Since PE files have no build id, Go writes path and
modification time instead (runtime/pprof/proto_windows.go, pe.go): `C:\windows\system32\ntdll.dll2026-11-23
19:07:25.5571461 +0000 GMT`. The times of system modules change when Windows is updated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from pprof_exporter.profile.model import Mapping

_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\)")
_SYSTEM_FOLDER = re.compile(r"[a-z]:/windows/", re.IGNORECASE)
# time.Time.String() of Go.
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ([+-])(\d\d)(\d\d)\b")


class ModuleRole(StrEnum):
    """What a module is to the program."""

    MAIN = "main"
    """The program itself."""
    OWN = "own"
    """In the folder of the program."""
    SYSTEM = "system"
    """Part of the operating system: below the Windows folder, or the vDSO and system libraries of Linux."""
    FOREIGN = "foreign"
    """From elsewhere: on Windows, mostly security and monitoring software that loads itself into processes."""
    UNNAMED = "unnamed"
    """A mapping without a file, such as the single one that Go 1.19 and older write on Windows."""


@dataclass(frozen=True, slots=True)
class Module:
    """One mapping with its role and, if the build id has it, the modification time of its file."""

    file: str
    build_id: str
    role: ModuleRole
    modified: datetime | None


def modules(mappings: Sequence[Mapping]) -> tuple[Module, ...]:
    """Every mapping with its role, in order. The first mapping with a file is the program, as Go writes it."""
    main = next((mapping.file for mapping in mappings if mapping.file), "")
    return tuple(
        Module(mapping.file, mapping.build_id, _role(mapping.file, main), _modified(mapping)) for mapping in mappings
    )


def _role(file: str, main: str) -> ModuleRole:
    if not file:
        return ModuleRole.UNNAMED
    if file == main:
        return ModuleRole.MAIN
    if _WINDOWS_PATH.match(file):
        path, program = file.replace("\\", "/"), main.replace("\\", "/")
        if _SYSTEM_FOLDER.match(path):
            return ModuleRole.SYSTEM
        return ModuleRole.OWN if _folder(path).lower() == _folder(program).lower() else ModuleRole.FOREIGN
    if file.startswith("["):
        return ModuleRole.SYSTEM
    if _folder(file) == _folder(main):
        return ModuleRole.OWN
    return ModuleRole.SYSTEM if file.startswith(("/lib", "/usr/lib")) else ModuleRole.FOREIGN


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _modified(mapping: Mapping) -> datetime | None:
    if not mapping.file or not mapping.build_id.startswith(mapping.file):
        return None
    found = _GO_TIME.match(mapping.build_id.removeprefix(mapping.file))
    if found is None:
        return None
    stamp, fraction, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        when = datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(
            microsecond=int((fraction or "").ljust(6, "0")[:6]), tzinfo=timezone(offset)
        )
        return when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
