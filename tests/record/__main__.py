"""Record what real Go programs answer: the fixtures of the tests and the data of the demo.

python -m tests.record [--only linux-go1.27.3] [--demo-only | --tests-only]

Builds tests/target with each Go version for Linux and Windows (run under Wine), drives it through its conditions and
keeps each reply as it came, with a MANIFEST.json of how and when, and what was true.
"""

from __future__ import annotations

import argparse

from tests.lab import go, wine
from tests.record import demo, recorded
from tests.record.privacy import check

SETS = tuple(f"{system}-go{version}" for system in ("linux", "windows") for version in go.VERSIONS)
LIMITS = {recorded.FOLDER: 1_500_000, demo.FOLDER: 700_000}


def main() -> None:
    """Record what the command line asks for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SETS, help="one set instead of all")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--tests-only", action="store_true", help="leave the demo alone")
    what.add_argument("--demo-only", action="store_true", help="leave tests/recordings alone")
    arguments = parser.parse_args()
    chosen = (arguments.only,) if arguments.only else SETS
    try:
        for name in chosen:
            if not arguments.demo_only:
                print(f"recording {name} for the tests", flush=True)
                recorded.record_tests(name)
            if name in demo.SETS and not arguments.tests_only:
                print(f"recording {name} for the demo", flush=True)
                demo.record_demo(name)
    finally:
        wine.stop()
    for folder, limit in LIMITS.items():
        if folder.exists():
            check(folder, limit)


if __name__ == "__main__":
    main()
