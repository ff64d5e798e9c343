"""GOMEMLIMIT in the environment of a local process. Linux only.

A program can also set the limit itself (runtime/debug.SetMemoryLimit): then only its metrics page shows it.
"""

from __future__ import annotations

import re
from pathlib import Path

_NAME = b"GOMEMLIMIT="
# runtime/string.go parseByteCount: KB and the like are no units of it.
_BYTE_COUNT = re.compile(r"(\d{1,19})(?:([KMGT]i)?B)?", re.ASCII)
_UNITS = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_NO_LIMIT = 2**63 - 1


def read_gomemlimit(pid: int, root: Path = Path("/")) -> int | None:
    """The limit in bytes that a process was started with; None without one, or if it is not readable.

    Nothing else of the environment is kept.
    """
    try:
        with (root / "proc" / str(pid) / "environ").open("rb") as file:
            found = next((one for one in file.read().split(b"\0") if one.startswith(_NAME)), None)
    except OSError:
        return None
    return None if found is None else parse_gomemlimit(found[len(_NAME) :].decode("ascii", "replace"))


def parse_gomemlimit(text: str) -> int | None:
    """The bytes that a value of GOMEMLIMIT stands for (runtime/mgcpacer.go readGOMEMLIMIT); None: no limit.

    Go ends a program that starts with a value that it cannot read, so such a value is none either.
    """
    number = _BYTE_COUNT.fullmatch(text)
    if number is None:
        return None
    limit = int(number[1]) * _UNITS[number[2] or ""]
    return limit if 0 < limit < _NO_LIMIT else None
