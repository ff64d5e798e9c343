"""Walk the documentation on a fresh Debian.

python -m tests.walk [commands] [units] [containers]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

from tests.lab import LAB, Missing
from tests.walk import commands, containers, units
from tests.walk.diary import Astray, Diary

WALKS = {"commands": commands.walk, "units": units.walk, "containers": containers.walk}


def main(arguments: Sequence[str]) -> int:
    """Returns 0 when everything led where the documentation says, 1 when not, 2 when it cannot be walked here."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.walk", description="Walk the documentation on a fresh Debian."
    )
    parser.add_argument("walks", nargs="*", metavar="WALK", help=f"{', '.join(WALKS)}; all of them by default")
    wanted = parser.parse_args(arguments).walks or list(WALKS)
    if unknown := set(wanted) - WALKS.keys():
        parser.error(f"no such walk: {', '.join(sorted(unknown))}")
    diary = Diary()
    root = LAB / "walk"
    try:
        for name in wanted:
            WALKS[name](root / name, diary)
    except (Astray, Missing) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1 if isinstance(error, Astray) else 2
    finally:
        print(f"\n{diary.table()}", flush=True)
        shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
