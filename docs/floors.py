"""The picture of packages in ARCHITECTURE.md, drawn from the import-linter contracts in pyproject.toml."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent
ARCHITECTURE = PROJECT / "ARCHITECTURE.md"
_BEGIN, _END = "<!-- floors: written by docs/generate.py from pyproject.toml -->", "<!-- end of floors -->"


def architecture() -> str:
    """The page with its picture and tables as the contracts have them now."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"ARCHITECTURE.md lacks {_BEGIN} or {_END}")
    return f"{before}{_BEGIN}\n\n{_drawn()}\n\n{_END}{after}"


def contracts() -> dict[str, list[list[str]]]:
    """For each package with a contract, its floors from the top: the packages of each that do not import each other."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        container: [re.split(r"\s*\|\s*", layer) for layer in contract["layers"]]
        for contract in settings["tool"]["importlinter"]["contracts"]
        for container in contract["containers"]
    }


def _drawn() -> str:
    parts = []
    for container, floors in contracts().items():
        title = "" if "." not in container else f"Within `{container.partition('.')[2]}`:\n\n"
        parts.append(f"{title}{_picture(floors)}\n\n{_table(container, floors)}")
    return "\n\n".join(parts)


def _picture(floors: list[list[str]]) -> str:
    """One picture: every package may import those below it, and none beside or above."""
    rows = ["   ".join(floor) for floor in floors]
    width = max(map(len, rows)) + 4
    line = f"+{'-' * width}+"
    return "\n".join(["```", line, *(f"|{row:^{width}}|\n{line}" for row in rows), "```"])


def _table(container: str, floors: list[list[str]]) -> str:
    rows = [f"| `{name}` | {_about(container, name)} |" for floor in floors for name in floor]
    return "\n".join(["| package | what it is |", "| --- | --- |", *rows])


def _about(container: str, name: str) -> str:
    """The first paragraph of the docstring of a module, on one line."""
    place = PROJECT.joinpath("exporter", *container.split("."), name)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())
