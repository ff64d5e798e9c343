"""Recordings are published: no byte may name the machine that they were made on."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import sys
import zlib
from pathlib import Path

from tests.lab import PROJECT


def check(folder: Path, limit: int) -> None:
    """Raise `SystemExit` when a recorded byte names this machine, or when a set grew beyond its limit."""
    size = 0
    for file in sorted(folder.rglob("*")):
        if "foreign" in file.parts or not file.is_file():
            continue
        content = file.read_bytes()
        size += len(content)
        for found in private_words().findall(" ".join(strings(content))):
            raise SystemExit(f"{file.relative_to(PROJECT)} names this machine: {found}")
    if size > limit:
        raise SystemExit(f"{folder.relative_to(PROJECT)} holds {size} bytes, more than {limit}")
    print(f"{folder.relative_to(PROJECT)}: {size} bytes, nothing of this machine in them")


def private_words() -> re.Pattern[str]:
    """What no recording may hold: the folders of the project, of Python and of the user, and the host's name."""
    folders = {PROJECT, PROJECT.parent, Path.home(), Path(sys.prefix)}
    words = [re.escape(str(folder)) + r"(?![\w-])" for folder in folders if folder != Path("/")]
    return re.compile("|".join([*words, rf"(?<![\w.-]){re.escape(socket.gethostname())}(?![\w.-])"]))


def strings(content: bytes) -> list[str]:
    """The readable runs of a file, inflated where it is compressed."""
    with contextlib.suppress(gzip.BadGzipFile, EOFError, zlib.error):
        content = gzip.decompress(content)
    return [run.decode() for run in re.findall(rb"[\x20-\x7e]{6,}", content)]
