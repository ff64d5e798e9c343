"""The `pprof-exporter` command, and `python -m pprof_exporter`."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run what the command line asks for; returns its exit code."""
    if sys.argv[1:2] == ["healthcheck"]:
        # Asked every few seconds: a tenth of the time without all that serving needs.
        from pprof_exporter.healthcheck import run  # noqa: PLC0415

        return run(sys.argv[2:], os.environ)
    from pprof_exporter.cli import main as cli_main  # noqa: PLC0415

    return cli_main()


if __name__ == "__main__":
    sys.exit(main())
