"""Recorded replies, and what was true of the programs that gave them.

`recordings/SYSTEM-goVERSION` holds the replies of `tests/target` under known loads, made by `tests/record`; the folder
`recordings/foreign` holds profiles of other languages and tools, with what Go reads in them.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pprof_exporter.profile import Profile, decode

RECORDINGS = Path(__file__).parent / "recordings"
FOREIGN = RECORDINGS / "foreign"
PROGRAMS = tuple(sorted(folder.name for folder in RECORDINGS.glob("*-go1.*")))
LINUX = tuple(name for name in PROGRAMS if name.startswith("linux"))
WINDOWS = tuple(name for name in PROGRAMS if name.startswith("windows"))
WITH_LEAK_DETECTION = tuple(name for name in PROGRAMS if name.endswith("go1.27.3"))
PROFILES = tuple(sorted(path for pattern in ("*/*.pb.gz", "*/*.pb") for path in RECORDINGS.glob(pattern)))
"""Every file that is a profile, of Go or not."""

LEAKS = {
    "chan": "main.leakOnChannel",
    "send": "main.leakOnSend",
    "select": "main.leakOnSelect",
    "io": "main.leakOnRead",
    "sleep": "main.leakOnSleep",
    "mutex": "main.leakOnMutex",
    "lost": "main.leakOnLostChannel",
}
"""The function that each kind of leak of tests/target parks its goroutines in."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One recorded reply of a program, and the truth about it."""

    file: Path
    path: str
    """What was asked for, with its query."""
    condition: str
    status: int
    started: float
    """Unix seconds of the request."""
    seconds: float
    """From the request to the end of the body."""
    cpu_seconds: float
    """What the process used meanwhile, by the account of the operating system."""
    goroutines: int
    """As the program counted them just before."""

    @property
    def body(self) -> bytes:
        return self.file.read_bytes()

    @property
    def leaks(self) -> dict[str, int]:
        """Goroutines that were made to leak, by how."""
        return {how: int(count) for how, count in re.findall(r"(\w+) (\d+)", self.condition)}


@dataclass(frozen=True, slots=True)
class Counted:
    """What Go's own reader finds in a profile; totals by `type/unit`."""

    samples: int
    locations: int
    functions: int
    mappings: int
    totals: dict[str, int]


def named(path: Path) -> str:
    """Folder and file: a test id."""
    return f"{path.parent.name}/{path.name}"


@functools.cache
def _manifest(folder: str) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((RECORDINGS / folder / "MANIFEST.json").read_text())
    return manifest


def replies(program: str) -> dict[str, Reply]:
    """Every reply of a program, by the name of its file."""
    return {
        name: Reply(
            file=RECORDINGS / program / name,
            path=entry["path"],
            condition=entry["condition"],
            status=entry["status"],
            started=entry["started_unix_nanos"] / 1e9,
            seconds=entry["seconds"],
            cpu_seconds=entry["cpu_seconds"],
            goroutines=entry["goroutines"],
        )
        for name, entry in _manifest(program)["files"].items()
    }


def reply(program: str, name: str) -> Reply:
    """One reply of a program."""
    return replies(program)[name]


def profile(program: str, name: str) -> Profile:
    """One profile of a program or, with "foreign", of another language; `.pb.gz` is understood."""
    return decode((RECORDINGS / program / (name if "." in name else f"{name}.pb.gz")).read_bytes())


def foreign() -> dict[str, Counted | None]:
    """The foreign files, and what Go reads in each; None where it refuses the file."""
    return {
        name: None if entry["go_raw"] is None else Counted(**entry["go_raw"])
        for name, entry in _manifest("foreign").items()
    }
