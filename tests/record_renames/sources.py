"""The functions of a standard library, by the names that profiles have, each with its source."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

Tokens = tuple[str, ...]
Library = dict[str, list[str]]
"""Every declaration of each function without `func` and its name, of all systems and processors, by qualified name."""

# Commands, tests and what only they import are never in the profile of a program.
_LEFT_OUT = {"cmd", "testdata", "builtin", "_asm"}
_LEFT_OUT_PACKAGES = re.compile(r"internal/(trace|test\w+)(/.*)?|.*/(\w*test\w*|pty)")

_LEXEME = re.compile(r"//[^\n]*|/\*.*?\*/|`[^`]*`|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'|[\w·∕]+|\S|\n", re.DOTALL)
_BUILD_NEVER = re.compile(r"^//go:build ignore\b", re.MULTILINE)
_PACKAGE = re.compile(r"^package (\w+)", re.MULTILINE)
_LINKNAME = re.compile(r"^//go:linkname (\w+) (\S+)$", re.MULTILINE)
# gofmt starts every function of a file at the first column, and ends it there.
_FUNCTION = re.compile(
    r"^func (?:\((?:\w+ )?(?P<pointer>\*?)(?P<receiver>\w+)(?P<generic>\[[^\]]*\])?\) )?"
    r"(?P<name>\w+)(?P<parameters>\[[^(]*?\])?\((?P<rest>[^\n]*\{[^\n]*\}|[^\n]*[^{,(\n]|.*?^\}[^\n]*|.*?^\)[^\n{]*)$",
    re.MULTILINE | re.DOTALL,
)
_TEXT = re.compile(r"^TEXT\s+(?P<symbol>[\w·∕/]+)(?:<\w*>)?\(SB\)(?P<rest>.*?)(?=^TEXT\s|\Z)", re.MULTILINE | re.DOTALL)


def library(folder: Path) -> Library:
    """The functions below the `src` folder of a Go distribution."""
    found: Library = defaultdict(list)
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.suffix not in (".go", ".s") or _LEFT_OUT & set(parts) or file.stem.endswith("_test"):
            continue
        package = "/".join(parts[:-1])
        if _LEFT_OUT_PACKAGES.fullmatch(package):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        for name, declaration in _assembly(package, text) if file.suffix == ".s" else _go(package, text):
            found[name].append(declaration)
    return dict(found)


def tokens_of(declaration: str, *, without: str = "") -> Tokens:
    """The words of Go or assembly source, without space, comments and a prefix of names."""
    return tuple(
        lexeme.removeprefix(without)
        for lexeme in _LEXEME.findall(declaration)
        if not lexeme.isspace() and not lexeme.startswith(("//", "/*"))
    )


def _go(package: str, text: str) -> Iterator[tuple[str, str]]:
    declared = _PACKAGE.search(text)
    if declared is None or declared[1] == "main" or _BUILD_NEVER.search(text):
        return
    linked = dict(_LINKNAME.findall(text))
    for found in _FUNCTION.finditer(text):
        name, has_body = found["name"], "{" in found["rest"]
        if name == "_" or (name == "init" and not found["receiver"]):
            continue
        symbol = f"{package}.{name}"
        if found["receiver"]:
            kind = found["receiver"] + ("[...]" if found["generic"] else "")
            symbol = f"{package}.(*{kind}).{name}" if found["pointer"] else f"{package}.{kind}.{name}"
        elif name in linked:
            # With a body, a function goes by the name that it is linked as; without, it is of another package.
            if not has_body or "." not in linked[name]:
                continue
            symbol = linked[name]
        if found["parameters"]:
            symbol += "[...]"
        yield symbol, f"({found['rest']}"


def _assembly(package: str, text: str) -> Iterator[tuple[str, str]]:
    for found in _TEXT.finditer(text):
        of, _, name = found["symbol"].rpartition("·")
        yield f"{of.replace('∕', '/') or package}.{name}", found["rest"]
