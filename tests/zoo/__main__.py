"""Let the zoo live, and print a table: python -m tests.zoo [--minutes 5] [--busy-loops 2] [--repeat 2] ...

Exit code 1 if anything was found, fired, read differently than by Go, or taken for something that it is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.lab import Missing
from tests.zoo.life import TIME_SCALE, Plan
from tests.zoo.report import run


def main() -> int:
    """Run as often as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5, help="length of a life (default: 5)")
    parser.add_argument("--busy-loops", type=int, default=0, help="loops that compete for the processors (default: 0)")
    parser.add_argument("--repeat", type=int, default=1, help="number of lives (default: 1)")
    parser.add_argument("--time-scale", type=float, default=TIME_SCALE, help="of the rules (default: 1/30)")
    arguments = parser.parse_args()
    plan = Plan(60 * arguments.minutes, arguments.busy_loops, arguments.time_scale)
    faults = 0
    for at in range(1, arguments.repeat + 1):
        try:
            with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
                report = run(plan, Path(folder) / "life")
        except Missing as error:
            print(error, file=sys.stderr)
            return 2
        found = list(report.faults())
        faults += len(found)
        beside = f" beside {plan.busy_loops} busy loops" if plan.busy_loops else ""
        print(f"\nLife {at}{beside}: {report.life.seconds:.0f} s, with everything {report.seconds:.0f} s\n")
        print(report.table())
        print(f"\n{len(report.programs)} programs, {len(report.profiles)} profiles, {len(found)} faults")
        print(*found, sep="\n")
        if report.life.pending:
            print("\nAlerts that were pending and did not fire:", *map(str, report.life.pending), sep="\n")
        sys.stdout.flush()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
