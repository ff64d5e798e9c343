"""The `pprof-exporter` command, and `python -m pprof_exporter`."""

from __future__ import annotations

import atexit
import os
import sys


def main() -> int:
    """Run what the command line asks for; returns its exit code. The process then ends without freeing its memory."""
    if sys.argv[1:2] == ["healthcheck"]:
        # Asked every few seconds: a tenth of the time without all that serving needs.
        from pprof_exporter.healthcheck import run  # noqa: PLC0415

        return run(sys.argv[2:], os.environ)
    from pprof_exporter.cli import main as cli_main  # noqa: PLC0415

    code = cli_main()
    atexit.register(_end, code)
    return code


def _end(code: int) -> None:
    """End at once. Python would free every object first, which takes six seconds with ten thousand targets."""
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except (OSError, ValueError):
        # Output is lost: Python says so, and changes the exit code.
        return
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
