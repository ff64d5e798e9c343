"""Run every test: those that watch real programs, and meanwhile, with the time that they leave, all others.

    python -m tests [PYTEST ARGUMENT...]

Real programs are mostly waited for, and what is measured on them is disturbed by whatever else wants the processors. So
the others run beside them at the lowest priority, and what they printed is printed when they are done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

HERE = Path(__file__).parent
WATCHING = ("e2e", "live")
"""Folders of the tests that watch real programs over time."""
COMPARING = ("test_agrees_with_go.py", "test_trace_agrees_with_go.py")
"""In these folders, but with nothing over time: they compare with what a program of Go prints, however late it is."""
SIDE_BY_SIDE = ("-n", "logical", "--dist", "worksteal")
"""All others run in one process of pytest-xdist per processor; `-n 0` among the arguments undoes it."""


def main(arguments: Sequence[str]) -> int:
    """Run both halves; returns the exit code of the first that failed."""
    files = [path for name in WATCHING for path in sorted((HERE / name).glob("test_*.py"))]
    watching = [str(path) for path in files if path.name not in COMPARING]
    others = [f"--ignore={path}" for path in watching]
    with tempfile.TemporaryFile() as output, _aside([*others, *SIDE_BY_SIDE, *arguments], output) as rest:
        code = subprocess.run(_pytest([*watching, *arguments]), check=False).returncode
        rest.wait()
        output.seek(0)
        print("\nEverything else:\n", flush=True)
        shutil.copyfileobj(output, sys.stdout.buffer)
        sys.stdout.flush()
    return code or rest.returncode


def _pytest(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


@contextlib.contextmanager
def _aside(arguments: Sequence[str], output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Pytest at the lowest priority, ended with the block."""
    lowest = ["nice", "-n", "19"] if shutil.which("nice") else []
    process = subprocess.Popen(
        [*lowest, *_pytest(arguments)], stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )
    # Where Linux shares the processors among sessions, priorities count within a session only: sched(7), "autogroup".
    with contextlib.suppress(OSError):
        Path(f"/proc/{process.pid}/autogroup").write_text("19", encoding="ascii")
    try:
        yield process
    finally:
        if process.poll() is None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.terminate()
    process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
