"""Read every profile that the installed package brings along, and print what is in it.

    python -P tests/wheel/read_recordings.py native|python

Exits with 1 if the other reader serves, so that a wheel without compiled code does not pass for one with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pprof_exporter
from pprof_exporter.cli import main
from pprof_exporter.profile import READER

_RECORDINGS = Path(pprof_exporter.__file__).parent / "demo" / "recordings"


def read(wanted: str) -> int:
    """The exit code; what was read goes to standard output, as `inspect` prints it."""
    if READER.name != wanted:
        print(f"the {READER.name} reader serves, not the {wanted} one", file=sys.stderr)
        return 1
    profiles = sorted(_RECORDINGS.rglob("*.pb.gz"))
    codes = [main(["inspect", str(profile), "--format=json", "--top=0"], {}) for profile in profiles]
    print(f"{len(profiles)} profiles read by the {READER.name} reader of {READER.read.__module__}", file=sys.stderr)
    return max(codes, default=1)


if __name__ == "__main__":
    sys.exit(read(sys.argv[1]))
