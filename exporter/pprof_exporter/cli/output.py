"""What commands print, and their progress: the only place that writes to standard output and standard error.

A text may hold names and replies from outside, so nothing in it can drive a terminal. Whole documents are escaped where
they are made (see `escaping`).
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pprof_exporter.escaping import terminal_lines, terminal_text

if TYPE_CHECKING:
    from pprof_exporter.config import Target

_PROGRAM = "pprof-exporter"
_FEW = 12
"""More targets than this share one bar."""


def say(text: str, *, flush: bool = False) -> None:
    """Print lines of a result on standard output."""
    print(terminal_lines(text), flush=flush)


def complain(problem: str, *, program: str = _PROGRAM, flush: bool = False) -> None:
    """Print a problem on standard error; `program` stands before it, unless it is ""."""
    print(terminal_lines(f"{program}: {problem}" if program else problem), file=sys.stderr, flush=flush)


def print_document(text: str) -> None:
    """Print a document, whose format has its own escapes."""
    accept_any_text()
    print(text, end="" if text.endswith("\n") else "\n")


def accept_any_text() -> None:
    """Let standard output take any text: a pipe may have a narrow encoding, which is no reason to fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def rounds_shown(
    verb: str, names: Sequence[str], rounds: int, finished: Sequence[int] = ()
) -> Iterator[Callable[[Target, int], None]]:
    """Show bars on standard error while the block runs; call what it gives after each round of a target.

    `finished` is how many rounds of each target there are already.
    """
    if not sys.stderr.isatty():
        yield lambda _target, _number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    done = list(finished) or [0] * len(names)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        if len(names) > _FEW:
            all_of_them = progress.add_task(f"{verb} {len(names)} targets", total=rounds * len(names))
            progress.update(all_of_them, completed=sum(done))
            yield lambda _target, _number: progress.advance(all_of_them)
            return
        bars = {
            name: progress.add_task(terminal_text(f"{verb} {name}"), total=rounds, completed=already)
            for name, already in zip(names, done, strict=True)
        }
        yield lambda target, _number: progress.advance(bars[target.name])
