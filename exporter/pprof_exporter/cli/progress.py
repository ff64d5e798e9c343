"""Progress of rounds, shown on terminals only."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pprof_exporter.config import Target

_FEW = 12
"""More targets than this share one bar."""


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
            name: progress.add_task(f"{verb} {name}", total=rounds, completed=already)
            for name, already in zip(names, done, strict=True)
        }
        yield lambda target, _number: progress.advance(bars[target.name])
