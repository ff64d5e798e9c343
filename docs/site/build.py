"""Build the documentation as a site that needs no network to be read: `make site`. Every warning is an error.

The pages are the Markdown files of the project, wherever they stand. They are laid out anew in a folder of their own,
with links set right, since their places in the project are made for who reads it there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]

SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("quickstart", "concepts", "faq", "zh-CN"),
    "Use": (
        "configuration",
        "probe",
        "ci",
        "capture",
        "compare",
        "evidence",
        "dashboards",
        "upgrading",
        "scaling",
        "performance",
        "coverage",
        "detection",
        "security",
    ),
    "Deploy": ("deploy/index", "windows"),
    "Look up": ("alerts", "signals", "metrics", "reasons", "border"),
    "The project": ("architecture", "contributing", "security-policy", "changelog", "releasing"),
}
"""What stands where at the side. Pages that are not named come last; names without a page are left out."""

TITLES = {"zh-CN": "中文"}
"""What a page is called at the side, if not by its heading."""

_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")
_FENCE = re.compile(r"^ *(```|~~~)")


class BrokenLink(ValueError):
    """A page leads to a file that does not exist."""


def pages() -> dict[Path, str]:
    """Every page: the file in the project, and its name on the site, without an extension."""
    found = {
        PROJECT / "README.md": "index",
        PROJECT / "README.zh-CN.md": "zh-CN",
        PROJECT / "ARCHITECTURE.md": "architecture",
        PROJECT / "CHANGELOG.md": "changelog",
        PROJECT / "RELEASING.md": "releasing",
        PROJECT / "CONTRIBUTING.md": "contributing",
        PROJECT / "SECURITY.md": "security-policy",
    }
    found |= {page: page.stem for page in sorted((PROJECT / "docs").glob("*.md"))}
    found |= {page: f"runbooks/{page.stem}" for page in sorted((PROJECT / "rules" / "runbooks").glob("*.md"))}
    for page in sorted((PROJECT / "deploy").rglob("*.md")):
        name = page.relative_to(PROJECT).with_suffix("").as_posix()
        found[page] = re.sub(r"(^|/)README$", r"\1index", name)
    return found


def lay_out(folder: Path) -> None:
    """Write the sources of the site into an empty folder. Raises `BrokenLink`."""
    found = pages()
    for page, name in found.items():
        text = _relinked(page, name, found, folder)
        if name == "index":
            text += "\n" + "\n".join(_contents(sorted(found.values())))
        if name == "alerts":
            text += _tree(":glob:", "runbooks/*")
        if name == "deploy/index":
            text += _tree(*sorted(other for other in found.values() if _below_deploy(other)), base="deploy")
        target = folder / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def build(out: Path, work: Path) -> None:
    """Build the site into `out`; `work` is an empty folder for what comes between. Raises `CalledProcessError`."""
    lay_out(work / "source")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--nitpicky", "--jobs=1"]
    folders = [f"--conf-dir={HERE}", f"--doctree-dir={work / 'doctrees'}", str(work / "source"), str(out)]
    subprocess.run([*command, *folders], check=True)


def _below_deploy(name: str) -> bool:
    return name.startswith("deploy/") and name != "deploy/index"


def _contents(names: list[str]) -> list[str]:
    placed = {name for section in SECTIONS.values() for name in section}
    rest = [name for name in names if name not in placed and "/" not in name and name != "index"]
    sections = {**SECTIONS, "More": tuple(rest)}
    return [
        _tree(f":caption: {title}", *(name for name in section if name in names))
        for title, section in sections.items()
        if any(name in names for name in section)
    ]


def _tree(*lines: str, base: str = "") -> str:
    """A table of contents that shows at the side only."""
    shown = [line if line.startswith(":") else _entry(os.path.relpath(line, base or ".")) for line in lines]
    return "\n```{toctree}\n:hidden:\n" + "\n".join(shown) + "\n```\n" if shown else ""


def _entry(name: str) -> str:
    return f"{TITLES[name]} <{name}>" if name in TITLES else name


def _relinked(page: Path, name: str, found: Mapping[Path, str], folder: Path) -> str:
    """The text of a page with its links as they are on the site. Files that are no pages are copied beside it."""

    def link(match: re.Match[str]) -> str:
        words, address = match[1], match[2]
        if "://" in address or address.startswith(("#", "mailto:")):
            return match[0]
        file, hash_, anchor = address.partition("#")
        return f"{words}({_place(page, file, name, found, folder)}{hash_}{anchor})"

    lines, fenced = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= bool(_FENCE.match(line))
        lines.append(line if fenced else _LINK.sub(link, line))
    return "\n".join(lines) + "\n"


def _place(page: Path, address: str, name: str, found: Mapping[Path, str], folder: Path) -> str:
    target = (page.parent / address).resolve()
    if target.is_dir() and (target / "README.md") in found:
        target /= "README.md"
    if target in found:
        place = f"{found[target]}.md"
    elif target.is_file():
        place = f"files/{target.relative_to(PROJECT).as_posix()}"
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(target, folder / place)
    elif target.is_dir():
        place = _listing(target, found, folder)
    else:
        raise BrokenLink(f"{page.relative_to(PROJECT)}: {address} does not exist")
    return _relative(place, name)


def _listing(target: Path, found: Mapping[Path, str], folder: Path) -> str:
    """A page in the place of a folder: what is in it, to read or to download."""
    title = target.relative_to(PROJECT).as_posix()
    place = f"files/{title}/index.md"
    rows = []
    for file in sorted(target.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            name = file.relative_to(target).as_posix()
            rows.append(f"- [`{name}`]({_place(target / 'index.md', name, place, found, folder)})")
    page = ["---", "orphan: true", "---", f"# {title}", "", *rows, ""]
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).write_text("\n".join(page), encoding="utf-8")
    return place


def _relative(place: str, name: str) -> str:
    """The way from the page of this name to a place on the site."""
    return os.path.relpath(place, Path(name).parent).replace(os.sep, "/")


def main() -> None:
    """Build into `build/site`."""
    out, work = PROJECT / "build" / "site", PROJECT / "build" / "site-work"
    for folder in (out, work):
        shutil.rmtree(folder, ignore_errors=True)
    build(out, work)
    shutil.rmtree(work)
    print(f"Open {out / 'index.html'}")


if __name__ == "__main__":
    main()
