"""What no program does to its profiles on command, done to them on their way."""

from __future__ import annotations

import itertools

from tests.lab.rewrite import Change
from tests.proto.profile_pb2 import Profile

_SYSTEM = "C:\\windows\\system32\\"
_LIBRARIES = ("ntdll.dll", "kernel32.dll", "kernelbase.dll", "bcryptprimitives.dll")
_FIRST = 0x7FF800000000


def on_windows(modified: str = "2026-10-14 09:12:41.5 +0000 UTC", *more: str) -> Change:
    r"""The profile of a Windows build, with system libraries of this time and `more` modules, such as C:\a\b.dll.

    Go lists the modules of a process, and takes their modification time as build id (runtime/pprof/proto_windows.go).
    Source files of the system, by which profiles are told apart without modules, have the names of Windows, too.
    """

    def change(profile: Profile) -> None:
        del profile.mapping[1:]
        program = profile.mapping[0]
        program.filename = _text(profile, "C:\\shop\\service.exe")
        release = bytes(profile.string_table[program.build_id])[:12].decode() or "1"
        program.build_id = _text(profile, f"C:\\shop\\service.exe2026-11-02 08:00:00.{int(release[-6:], 16)} +0000 UTC")
        for position, path in enumerate((*(_SYSTEM + name for name in _LIBRARIES), *more)):
            start = _FIRST + 0x1000000 * position
            module = profile.mapping.add(id=position + 2, memory_start=start, memory_limit=start + 0x100000)
            module.filename = _text(profile, path)
            module.build_id = _text(profile, f"{path}{modified}")
        for position, text in enumerate(profile.string_table):
            if text.endswith((b"_linux.go", b"_linux_amd64.go", b"_linux_amd64.s", b"_unix.go")):
                profile.string_table[position] = text.replace(b"_linux", b"_windows").replace(b"_unix", b"_windows")

    return change


def both(*changes: Change) -> Change:
    """One change after the other."""

    def change(profile: Profile) -> None:
        for one in changes:
            one(profile)

    return change


def of_other_length(factor: float) -> Change:
    """The window was so many times as long as requested, by the duration that the profile states."""

    def change(profile: Profile) -> None:
        profile.duration_nanos = round(profile.duration_nanos * factor)

    return change


def backwards(seconds: float) -> Change:
    """The clock of the host is set back so far, again and again: every third profile is older than the one before."""
    numbers = itertools.count()

    def change(profile: Profile) -> None:
        if next(numbers) % 3 == 2:
            profile.time_nanos -= round(seconds * 1e9)

    return change


def emptied(profile: Profile) -> None:
    """No sample arrived."""
    del profile.sample[:]


def _text(profile: Profile, text: str) -> int:
    profile.string_table.append(text.encode())
    return len(profile.string_table) - 1
