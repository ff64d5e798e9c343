"""The pages of the documentation, and what stands in them to be tried: links, headings, blocks, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lab import PROJECT

README = PROJECT / "README.md"
CHINESE = PROJECT / "README.zh-CN.md"
PROJECT_PAGES = [
    PROJECT / f"{name}.md" for name in ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "RELEASING", "SECURITY")
]
DOCS = [README, CHINESE, *PROJECT_PAGES, *sorted(PROJECT.glob("docs/*.md"))]
RUNBOOKS = sorted(PROJECT.glob("rules/runbooks/*.md"))
PAGES = [*DOCS, *RUNBOOKS, *sorted(PROJECT.glob("deploy/**/*.md"))]

_FENCE = re.compile(r"^( *)(```|~~~)(\w*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where it begins, its language ("" for none), and its text without the indent of the fence."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it is, for the name of a test."""
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """A page, for the name of a test."""
    return page.relative_to(PROJECT).as_posix()


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Every fenced block of a page."""
    found: list[Block] = []
    opened: tuple[int, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None:
            opened, lines = (len(fence[1]), fence[3], number) if fence else None, []
        elif fence:
            found.append(Block(page, opened[2], opened[1], "\n".join(lines) + "\n"))
            opened = None
        else:
            lines.append(line[opened[0] :])
    assert opened is None, f"{name(page)}: a block has no end"
    return tuple(found)


def under(page: Path, heading: str) -> list[Block]:
    """The blocks between a heading of a page, of any level, and the next one."""
    lines = page.read_text(encoding="utf-8").splitlines()
    fenced = {number for block in blocks(page) for number in range(block.line, block.line + block.text.count("\n") + 1)}
    starts = [number for number, line in enumerate(lines, start=1) if line.startswith("#") and number not in fenced]
    begin = next(number for number in starts if lines[number - 1].lstrip("# ") == heading)
    end = next((number for number in starts if number > begin), len(lines) + 1)
    return [block for block in blocks(page) if begin < block.line < end]


def of_language(*languages: str) -> list[Block]:
    """The blocks of all pages in these languages."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]


def prose(page: Path) -> str:
    """The text of a page without its blocks."""
    lines, fenced = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            lines.append(line)
    return "\n".join(lines)


def links(page: Path) -> list[str]:
    """Addresses of the links and pictures of a page, as written, in order."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def headings(page: Path) -> list[tuple[int, str]]:
    """Level and text of each heading."""
    return [(len(marks), text) for marks, text in re.findall(r"^(#+) (.+)$", prose(page), re.MULTILINE)]


@cache
def anchors(page: Path) -> frozenset[str]:
    """What GitHub, and the site, call the headings of a page in addresses."""
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text) for _, text in headings(page))
    return frozenset(re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in plain)


def commands(block: Block, prompt: str = "$ ") -> Iterator[str]:
    """Each command of a console block, lines that go on joined. Behind the prompt "# " stand those of root."""
    held = ""
    for line in block.text.splitlines():
        if line.startswith(prompt):
            held = line[2:]
        elif held:
            held += "\n" + line
        if held and not _goes_on(held):
            yield held.replace("\\\n", " ")
            held = ""


def _goes_on(command: str) -> bool:
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # A quote is open.
        return True
    loop = words[:1] == ["for"] and "done" not in words
    return command.endswith("\\") or loop or (bool(words) and words[-1] in ("|", "&&"))


def simple(command: str) -> Iterator[list[str]]:
    """The words of each program that a line of the shell starts."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if re.fullmatch(r"[|&;()<>]+", word):
            yield words
            words = []
        else:
            words.append(word)
    yield words
