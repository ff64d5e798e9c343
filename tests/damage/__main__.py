"""Kill and damage what is kept, and print what became of it; exit code 1 if anything was wrong. See the package."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.damage.captures import Captures
from tests.damage.changing import change
from tests.damage.findings import Findings
from tests.damage.kept import Kept
from tests.damage.killing import kill
from tests.damage.statistics import Statistics

KEPT: dict[str, Kept] = {kept.name: kept for kept in (Statistics(), Findings(), Captures())}


def main(argv: Sequence[str]) -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m tests.damage", description=__doc__)
    parser.add_argument("command", choices=("kill", "change"))
    parser.add_argument("names", nargs="*", metavar="KEPT", help=f"of {', '.join(KEPT)}; all by default")
    parser.add_argument("--times", type=int, default=100, help="how often, for each kind of file (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="others for another seed (%(default)s)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="one damage again")
    options = parser.parse_args(argv)
    unknown = sorted(set(options.names) - set(KEPT))
    if unknown:
        parser.error(f"nothing is kept as {unknown[0]}; choose from {', '.join(KEPT)}")
    wrong: list[str] = []
    for name in options.names or KEPT:
        with tempfile.TemporaryDirectory() as folder:
            if options.command == "kill":
                killed = kill(KEPT[name], Path(folder, "kept"), options.times, options.seed)
                print(
                    f"{name:12} {killed.times:5} kills {killed.steps:7} steps {len(killed.wrong):5} wrong", flush=True
                )
                wrong += killed.wrong
                continue
            numbers = range(options.times) if options.only is None else [options.only]
            for kind, found in change(KEPT[name], Path(folder), numbers, options.seed).items():
                print(
                    f"{name:12} {kind:20} {found.cases:5} damages {found.whole:5} whole {found.counted:5} counted"
                    f" {len(found.wrong):5} wrong",
                    flush=True,
                )
                wrong += found.wrong
    for line in wrong[:20]:
        print(f"\n{line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
