"""Programs from Debian packages, unpacked below `.lab` without installing anything."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.lab import Missing, exclusive, run

Suite = Literal["stable", "sid"]

_SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


def unpacked(packages: Sequence[str], suite: Suite = "stable") -> Path:
    """A folder with the files of these packages: of the release that this machine runs, or of Debian's newest.

    Raises `Missing` on a machine without apt, or when the packages cannot be fetched.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Missing(f"{', '.join(packages)}: no apt-get and dpkg here to fetch them with")
    with exclusive(f"debian-{suite}-{packages[0]}") as folder:
        done = folder / "complete"
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            downloads = folder / "archives"
            downloads.mkdir(parents=True)
            options = _options(folder / "apt", suite)
            run(["apt-get", *options, "update"])
            # An unprivileged user of apt's own cannot write into this folder.
            run(["apt-get", *options, "-oAPT::Sandbox::User=", "download", *packages], cwd=downloads)
            for archive in sorted(downloads.glob("*.deb")):
                run(["dpkg", "-x", archive, folder / "root"])
            shutil.rmtree(downloads)
            done.touch()
        return folder / "root"


def _options(state: Path, suite: Suite) -> list[str]:
    """Lists and caches of its own, so that the machine's are not disturbed and no root is needed."""
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    options = [f"-oDir::State::Lists={state / 'lists'}", f"-oDir::Cache={state / 'cache'}", "-qq"]
    if suite == "stable":
        return options
    sources = state / "sources.list"
    sources.write_text(f"deb {_mirror()} {suite} main\n")
    return [*options, f"-oDir::Etc::sourcelist={sources}", "-oDir::Etc::sourceparts=/dev/null"]


def _mirror() -> str:
    """The mirror that the machine's own sources name first."""
    files = [path for place in _SOURCES for path in (sorted(place.iterdir()) if place.is_dir() else [place])]
    for file in files:
        if file.is_file():
            found = re.search(r"^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+)", file.read_text(), re.MULTILINE)
            if found:
                return found[1]
    raise Missing("no Debian source is configured on this machine")
