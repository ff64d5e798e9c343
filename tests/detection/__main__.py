"""Runs every fault and every healthy scenario, and writes docs/detection.md.

    python -m tests.detection [--list] [--only NAME] [--batch NAME] [--keep FOLDER] [--page FOLDER]

Exits with 1 if a claimed fault was not told, a healthy scenario was told, or an alert that nobody claims fired.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.detection import report
from tests.detection.runner import Outcome, run
from tests.detection.scenario import BATCHES, Scenario
from tests.detection.scenarios import SCENARIOS


def main(words: Sequence[str]) -> int:
    """Run what the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the scenarios and run none")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="run this scenario (repeatable)")
    parser.add_argument("--batch", action="append", default=[], metavar="NAME", help="run this batch (repeatable)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep logs and results there, beside earlier ones")
    parser.add_argument(
        "--page", type=Path, metavar="FOLDER", help="run nothing; write the page from what is kept there"
    )
    options = parser.parse_args(words)
    chosen = [
        one
        for one in SCENARIOS
        if (not options.only or one.name in options.only) and (not options.batch or one.batch.name in options.batch)
    ]
    if options.list:
        print("\n".join(f"{one.batch.name:10} {one.mode or '-':4} {one.name}: {one.said}" for one in chosen))
        return 0
    outcomes = report.kept(options.page) if options.page else _run(chosen, options.keep)
    failed = [one for one in outcomes if one.failed]
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} as claimed")
    if len(outcomes) == len(SCENARIOS):
        report.write(outcomes)
    return 1 if failed else 0


def _run(chosen: Sequence[Scenario], keep: Path | None) -> list[Outcome]:
    """Run scenarios, batch by batch."""
    outcomes: list[Outcome] = []
    for batch in BATCHES:
        of_batch = [one for one in chosen if one.batch is batch]
        if not of_batch:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = (keep or Path(temporary)) / batch.name
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / "store", ignore_errors=True)
            found = run(batch, of_batch, folder, lambda said: print(said, file=sys.stderr, flush=True))
            print("\n".join(report.line(one) for one in found), flush=True)
            report.keep(found, folder / report.KEPT)
        outcomes += found
    return outcomes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
