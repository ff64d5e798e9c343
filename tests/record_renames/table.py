"""The table of moved functions as a module of the exporter, from the standard libraries of Go 1.19 to 1.27."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from pprof_exporter.profile.function_names.package_move import PackageMove
from tests.lab import PROJECT, go
from tests.record_renames.moves import moves
from tests.record_renames.sources import Library, library

FILE = PROJECT / "exporter" / "pprof_exporter" / "profile" / "function_names" / "moved_functions.py"

# The package index starts at 1.21, and Debian 12 has 1.19. What moved in 1.20 is found as of 1.21.
VERSIONS = ("1.19", *go.EVERY_MINOR)

_HEAD = """\
\"\"\"Functions that Go moved to another package from one release to the next.

Written by `python -m tests.record_renames`. A function moved if the old package lost it, and the new one got one of the
same name and receiver whose source has at least 70 % of the same tokens. Packages that only commands and tests of Go
use are left out. Each row has the figures of `PackageMove`.

{moved:,} functions in {moves} moves, of so many functions by version of Go: {counts}.
\"\"\"

from __future__ import annotations

from pprof_exporter.profile.function_names.package_move import PackageMove

# fmt: off
MOVES: tuple[PackageMove, ...] = (
"""
_WIDTH = 120


def libraries() -> dict[str, Library]:
    """The functions of each version. Raises `Missing`."""
    return {version: library(go.standard_library(version)) for version in VERSIONS}


def derived(found: Mapping[str, Library]) -> tuple[PackageMove, ...]:
    """Every move, oldest first, without functions whose old name a later version has again."""
    rows = []
    for (_, before), (version, after) in pairwise(found.items()):
        later = list(found)[list(found).index(version) + 1 :]
        for move in moves(int(version.split(".")[1]), before, after):
            names = zip(move.functions.split(), move.names(), strict=True)
            kept = [name for name, (old, _) in names if not any(old in found[one] for one in later)]
            if kept:
                rows.append(replace(move, functions=" ".join(kept)))
    return tuple(rows)


def rendered(rows: tuple[PackageMove, ...], found: Mapping[str, Library]) -> str:
    """The module."""
    counts = ", ".join(f"{version} {len(functions):,}" for version, functions in found.items())
    head = _HEAD.format(moved=sum(row.moved for row in rows), moves=len(rows), counts=counts)
    lines = (textwrap.fill(line, _WIDTH) if len(line) > _WIDTH else line for line in head.split("\n"))
    return "\n".join(lines) + "".join(map(_row, rows)) + ")\n"


def _row(move: PackageMove) -> str:
    start = f'    PackageMove({move.minor}, "{move.old}", "{move.new}", {move.had}, {move.left}, '
    end = f', "{move.prefix}"),\n' if move.prefix else "),\n"
    short = f'{start}"{move.functions}"{end}'
    if len(short) <= _WIDTH:
        return short
    lines = textwrap.wrap(move.functions, _WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return start + '"""\n' + "".join(f"        {line}\n" for line in lines) + f'    """{end}'
