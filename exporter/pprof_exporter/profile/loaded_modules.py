r"""The modules of a program, by the mappings of a profile.

On Windows, Go 1.20 and later list every loaded module. Since PE files have no build id, Go writes path and
modification time instead (runtime/pprof/proto_windows.go, pe.go): `C:\windows\system32\ntdll.dll2026-11-23
19:07:25.5571461 +0000 GMT`. The times of system modules change when Windows is updated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

from pprof_exporter.profile.remembered import LARGEST_MODULES, MOST_MODULES, characters, remember_small

# With a drive, of a share or of the object manager: CreateProcess takes them all, and lists them as they were given.
_WINDOWS_PATH = re.compile(r"[a-z]:[\\/]|[\\/]{2}[.?][\\/]|\\(?:\\|\?\?\\|Device\\)", re.IGNORECASE)
# `\\?\C:\`, `\\.\C:\` and `\??\C:\` are the same as `C:\`, and `\\?\UNC\server\` is `\\server\`:
# https://learn.microsoft.com/en-us/dotnet/standard/io/file-path-formats.
_SHARE_PREFIX = re.compile(r"(?://[.?]|/\?\?)/unc/")
_DEVICE_PREFIX = re.compile(r"(?://[.?]|/\?\?)/")
_SYSTEM_FOLDER = re.compile(r"(?:[a-z]:|/device/harddiskvolume\d+)/(?:windows|winnt)/")
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


@remember_small(characters, largest=LARGEST_MODULES, most=MOST_MODULES)
def modules(files: tuple[tuple[str, str], ...]) -> tuple[Module, ...]:
    """A module for each mapping, by its file and build id, in order. The first file is the program, as Go writes it.

    Remembered: a process has the same modules for as long as it runs.
    """
    main = next((file for file, _ in files if file), "")
    return tuple([Module(file, build_id, _role(file, main), _modified(file, build_id)) for file, build_id in files])


def same_path(file: str) -> str:
    r"""The path in one spelling: on Windows, case, `/` or `\` and a prefix such as `\\?\` make no other file."""
    if not _WINDOWS_PATH.match(file):
        return file
    path = file.replace("\\", "/").lower()
    shared = _SHARE_PREFIX.match(path)
    if shared:
        return "//" + path[shared.end() :]
    return _DEVICE_PREFIX.sub("", path, count=1) if _DEVICE_PREFIX.match(path) else path


def _role(file: str, main: str) -> ModuleRole:
    if not file:
        return ModuleRole.UNNAMED
    if file == main:
        return ModuleRole.MAIN
    if _WINDOWS_PATH.match(file):
        path, program = same_path(file), same_path(main)
        if path == program:
            return ModuleRole.MAIN
        if _SYSTEM_FOLDER.match(path):
            return ModuleRole.SYSTEM
        return ModuleRole.OWN if _folder(path) == _folder(program) else ModuleRole.FOREIGN
    if file.startswith("["):
        return ModuleRole.SYSTEM
    if _folder(file) == _folder(main):
        return ModuleRole.OWN
    return ModuleRole.SYSTEM if file.startswith(("/lib", "/usr/lib")) else ModuleRole.FOREIGN


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _modified(file: str, build_id: str) -> datetime | None:
    if not file or not build_id.startswith(file):
        return None
    found = _GO_TIME.match(build_id.removeprefix(file))
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
