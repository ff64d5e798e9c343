"""`python -m tests.seams NAME...` prints the holes at these seams, one a line, and ends with 1 if there are any."""

from __future__ import annotations

import sys
from importlib import import_module

import pprof_exporter

SEAMS = ("checks", "modes", "reasons", "runbooks")

if __name__ == "__main__":
    print(f"in {pprof_exporter.__path__[0]}", file=sys.stderr)
    found = [hole for name in sys.argv[1:] or SEAMS for hole in import_module(f"tests.seams.{name}").holes()]
    print("\n".join(found))
    sys.exit(bool(found))
