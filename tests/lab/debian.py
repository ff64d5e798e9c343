"""Programs from Debian packages: unpacked below `.lab` without installing anything, or installed where they must be."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from tests.lab import LAB, Missing, exclusive, run

# The release that this machine runs, whatever its name, and Debian's newest packages.
Suite = Literal["stable", "sid"]

# A mirror that was not updated for a while still serves what is requested, with a valid signature.
_APT = ("-qq", "-oAcquire::Retries=3", "-oAcquire::Check-Valid-Until=false")
_SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


def installed(command: str, *packages: str) -> Path:
    """Where a command is; installed with these packages by root where it is missing. Raises `Missing`."""
    with exclusive("apt"):
        if shutil.which(command) is None:
            if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
                raise Missing(f"{command}: needs {' and '.join(packages)}; only root on Debian installs that here")
            apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run(["apt-get", *_APT, "update"], env=apt)
            run(
                ["apt-get", *_APT, "install", "-y", "--no-install-recommends", *packages],
                env=apt,
                timeout=600,
            )
    found = shutil.which(command)
    if found is None:
        raise Missing(f"{command}: it is not there after the installation of {' and '.join(packages)}")
    return Path(found)


def unpacked(packages: Sequence[str], suite: str | None = None) -> Path:
    """A folder with the files of these packages, without what they depend on.

    They come from the mirror that the machine's own sources name: of the release that it runs for None and "stable",
    else of the suite of that name. Raises `Missing` on a machine without apt, or when a package cannot be fetched.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Missing(f"{', '.join(packages)}: no apt-get and dpkg here to fetch them with")
    name = suite or "stable"
    with exclusive(f"debian-{name}"):
        folder = LAB / "debian" / name
        complete = folder / "complete"
        complete.mkdir(parents=True, exist_ok=True)
        wanted = [package for package in packages if not (complete / package).exists()]
        if wanted:
            options = _options(folder / "apt", suite)
            run(["apt-get", *options, "update"])
            for package in wanted:
                archives = folder / "archives"
                shutil.rmtree(archives, ignore_errors=True)
                archives.mkdir()
                run(["apt-get", *options, "download", package], cwd=archives)
                for archive in archives.glob("*.deb"):
                    run(["dpkg", "-x", archive, folder / "root"])
                shutil.rmtree(archives)
                (complete / package).touch()
        return folder / "root"


def _options(state: Path, suite: str | None) -> list[str]:
    """Lists, caches and a source of its own, so that the machine's are not disturbed and no root is needed."""
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    sources = state / "sources.list"
    sources.write_text(_source(None if suite == "stable" else suite))
    return [
        *_APT,
        f"-oDir::State::Lists={state / 'lists'}",
        f"-oDir::Cache={state / 'cache'}",
        f"-oDir::Etc::sourcelist={sources}",
        "-oDir::Etc::sourceparts=/dev/null",
        # The user that apt changes to when it is run by root may not be able to read or write here.
        "-oAPT::Sandbox::User=",
        # Else a mirror that does not answer is only a warning, and the reason is lost.
        "-oAPT::Update::Error-Mode=any",
    ]


def _source(suite: str | None) -> str:
    """The line of sources.list(5) for a suite, from the machine's first source of its own release."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    for fields in _fields():
        if fields["Suites"].split()[:1] == [release] and not fields["URIs"].startswith("cdrom:"):
            key = fields.get("Signed-By", "")
            signed = f"[signed-by={key}] " if key.startswith("/") else ""
            return f"deb {signed}{fields['URIs'].split()[0]} {suite or release} {fields['Components']}\n"
    raise Missing(f"no source of {release} is configured on this machine")


def _fields() -> Iterator[dict[str, str]]:
    """The sources of binary packages, in either format of sources.list(5), by the names of the newer one."""
    files = [path for place in _SOURCES for path in (sorted(place.iterdir()) if place.is_dir() else [place])]
    for file in files:
        text = file.read_text() if file.is_file() else ""
        if file.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", text):
                fields = dict(re.findall(r"^([\w-]+):[ \t]*(.+)$", stanza, re.MULTILINE))
                binary = "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") == "yes"
                if binary and {"URIs", "Suites", "Components"} <= fields.keys():
                    yield fields
        elif file.suffix == ".list":
            for options, *words in re.findall(r"^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.+)$", text, re.MULTILINE):
                key = re.search(r"signed-by=(\S+)", options)
                names = ("URIs", "Suites", "Components", "Signed-By")
                yield dict(zip(names, [*words, key[1] if key else ""], strict=True))
