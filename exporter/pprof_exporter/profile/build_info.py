"""The build information that the Go linker leaves in every program: the Go version, and the modules.

Source: debug/buildinfo/buildinfo.go of Go 1.27, which also describes the format up to Go 1.17. Besides the tables
(`profile/executable.py`), at most 16 MiB of a file are read, in pieces of 1 MiB, to search the data, and 17 KiB of
strings. Go's own linker writes the information at the beginning of the data; with another linker, data of C libraries
may precede it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from pprof_exporter.profile.executable import Executable, NotExecutable, read_executable

_MAGIC = b"\xff Go buildinf:"
_ALIGN = 16
_HEADER_SIZE = 32
_PIECE = 1 << 20
_SEARCHED = 16 << 20
# runtime.Version() has some ten characters, and more with experiments.
_MAX_VERSION = 1024
# Package and main module are the first two lines of what may be hundreds.
_MAX_MODULES = 16 << 10
# cmd/go/internal/modload.infoStart and infoEnd, 16 bytes each, and at least a line break between them.
_FRAME = 16


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """How a program was built. Empty where the program does not have it."""

    go_version: str
    """`runtime.Version()`, such as `go1.27.3`, `go1.25.5 X:nocoverageredesign` or `devel go1.28-...`."""
    path: str = ""
    """The main package, such as `github.com/prometheus/prometheus/cmd/prometheus`."""
    module: str = ""
    """The main module, such as `github.com/prometheus/prometheus`."""
    module_version: str = ""
    """The version of the main module, such as `v1.2.3` or `(devel)`."""


def read_build_info(file: Path | BinaryIO) -> BuildInfo | None:
    """The build information of an executable file, or of an open seekable one, as `go version FILE` reads it.

    None for everything that is no regular file, no executable, broken, or no Go program. Raises `OSError` if the file
    cannot be opened or read.
    """
    if isinstance(file, Path):
        if not file.is_file():
            # Opening a pipe would wait for a writer. A missing file raises its error here.
            file.stat()
            return None
        with file.open("rb") as opened:
            return read_build_info(opened)
    with contextlib.suppress(NotExecutable):
        executable = read_executable(file)
        header_at = _search(executable)
        if header_at is not None:
            return _read_at(executable, header_at)
    return None


def _search(executable: Executable) -> int | None:
    """The address of the header: the first aligned magic in the data."""
    start = -(-executable.data_address // _ALIGN) * _ALIGN
    stop = min(executable.data_address + executable.data_size, start + _SEARCHED)
    for piece_at in range(start, stop, _PIECE):
        # An aligned magic lies within one piece.
        wanted = min(_PIECE, stop - piece_at)
        piece = executable.read(piece_at, wanted)
        found = piece.find(_MAGIC)
        while found >= 0:
            if found % _ALIGN == 0:
                return piece_at + found
            found = piece.find(_MAGIC, found + 1)
        if len(piece) < wanted:
            break
    return None


def _read_at(executable: Executable, at: int) -> BuildInfo | None:
    header = executable.read(at, _HEADER_SIZE)
    if len(header) < _HEADER_SIZE:
        return None
    pointer_size, flags = header[14], header[15]
    if flags & 2:
        version_at = _inline(executable, at + _HEADER_SIZE)
        modules_at = _inline(executable, sum(version_at)) if version_at else None
    elif pointer_size in (4, 8):
        # Up to Go 1.17: pointers to two strings of Go.
        order: Literal["big", "little"] = "big" if flags & 1 else "little"
        pointers = header[16 : 16 + 2 * pointer_size]
        version_at = _go_string(executable, pointers[:pointer_size], order)
        modules_at = _go_string(executable, pointers[pointer_size:], order) or (0, 0)
    else:
        return None
    if version_at is None or modules_at is None or not 0 < version_at[1] <= _MAX_VERSION:
        return None
    version = executable.read(*version_at)
    return BuildInfo(version.decode(errors="replace"), *_modules(executable, *modules_at))


def _inline(executable: Executable, at: int) -> tuple[int, int] | None:
    """Address and size of a string after its length as a varint; None if it would not end within the data."""
    length = 0
    for number, byte in enumerate(executable.read(at, 10)):
        length |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            start = at + number + 1
            return (start, length) if length <= executable.left(start) else None
    return None


def _go_string(executable: Executable, pointer: bytes, order: Literal["big", "little"]) -> tuple[int, int] | None:
    """Address and size of the string whose header, pointer and length, `pointer` points to."""
    size = len(pointer)
    header = executable.read(int.from_bytes(pointer, order), 2 * size)
    start, length = int.from_bytes(header[:size], order), int.from_bytes(header[size:], order)
    return (start, length) if len(header) == 2 * size and length <= executable.left(start) else None


def _modules(executable: Executable, at: int, size: int) -> tuple[str, str, str]:
    """Package, main module and its version from the text of runtime/debug.BuildInfo between its frames."""
    if size < 2 * _FRAME + 1 or executable.read(at + size - _FRAME - 1, 1) != b"\n":
        return "", "", ""
    text = executable.read(at + _FRAME, min(size - 2 * _FRAME, _MAX_MODULES)).decode(errors="replace")
    lines = [line.split("\t") for line in text.split("\n")[:-1]]
    path = next((line[1] for line in lines if line[0] == "path" and len(line) == 2), "")
    module = next((line for line in lines if line[0] == "mod" and len(line) in (3, 4)), ["", "", ""])
    return path, module[1], module[2]
