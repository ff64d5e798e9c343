"""Run every test: those that watch real programs, and meanwhile, with the time that they leave, all others.

    python -m tests [PYTEST ARGUMENT...]

Real programs are mostly waited for, and what is measured on them is disturbed by whatever else wants the processors. So
the others run beside them at the lowest priority, and what they printed is printed when they are done. The tests that
wait for history run first, beside those of real programs that a busy machine does not disturb. At the very end stands
what failed in any of them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
WATCHING = ("detection", "e2e", "live", "zoo")
"""Folders of the tests that watch real programs over time."""
COMPARING = (
    "test_agrees_with_go.py",
    "test_build_info.py",
    "test_client_border.py",
    "test_gateway.py",
    "test_readers_agree.py",
    "test_requests_agree.py",
    "test_scenarios.py",
    "test_texts.py",
    "test_texts_agree.py",
    "test_trace_agrees_with_go.py",
)
"""In these folders, but with nothing over time: they compare with what a program of Go prints, however late it is."""
WAITING = {
    "Dashboards": ("test_dashboards.py",),
    "Restarts, upgrades and load balancers": ("test_identities.py",),
    "Upgrades of real programs": ("test_real_upgrades.py",),
}
"""Files by title. Each waits for two to five minutes of history, and has a process of its own. The dashboards have the
system files of Wine, which no other test may use meanwhile."""
LIVING = ("test_detection.py", "test_control_group.py", "test_zoo.py")
"""Each watches many programs for two to four minutes, one after the other. Two at once are more than two processors can
do while nothing may be late, and take no less time in all: the others run in the time that these leave."""
STURDY = (
    "test_borders.py",
    "test_capture.py",
    "test_check.py",
    "test_every_release.py",
    "test_evidence.py",
    "test_faults.py",
    "test_mounts.py",
    "test_pages.py",
    "test_probe.py",
    "test_prometheus.py",
    "test_sharding.py",
    "test_sub_path.py",
)
"""Run beside the waiting ones: they test what is seen and not how long it took, and need no Wine."""
SIDE_BY_SIDE = ("-n", "logical", "--dist", "worksteal")
"""All others run in one process of pytest-xdist per processor; `-n 0` among the arguments undoes it."""
_LONGEST = 3000
"""Characters that are printed again of why a test failed."""


def main(arguments: Sequence[str]) -> int:
    """Run all groups of tests, then say what failed; returns the exit code of the first group that failed."""
    with tempfile.TemporaryDirectory() as results:
        code = _run(arguments, Path(results))
        for said in failures(Path(results)):
            print(said, flush=True)
    return code


def _run(arguments: Sequence[str], results: Path) -> int:
    every = [path for name in WATCHING for path in sorted((HERE / name).glob("test_*.py"))]
    watching = [path for path in every if path.name not in COMPARING]
    paths = {path.name: str(path) for path in watching}
    sturdy = [paths.pop(name) for name in STURDY]
    living = [paths.pop(name) for name in LIVING]
    waiting = {title: [paths.pop(name) for name in names] for title, names in WAITING.items()}
    alone = list(paths.values())
    others = [f"--ignore={path}" for path in watching]

    def group(*words: str) -> list[str]:
        """The command of one group, whose results have a file of their own."""
        file = results / f"{len(list(results.iterdir()))}.xml"
        file.touch()
        return [sys.executable, "-m", "pytest", *words, *arguments, f"--junit-xml={file}"]

    with contextlib.ExitStack() as stack:
        rest = stack.enter_context(_aside(group(*others, *SIDE_BY_SIDE), "Everything else", lowest=True))
        with contextlib.ExitStack() as waits:
            beside = [waits.enter_context(_aside(group(*files), title)) for title, files in waiting.items()]
            codes = [subprocess.run(group(*sturdy), check=False).returncode]
            codes += [process.wait() for process in beside]
        codes += [subprocess.run(group(file), check=False).returncode for file in living]
        codes += [subprocess.run(group(*alone), check=False).returncode, rest.wait()]
    return next((code for code in codes if code), 0)


def failures(results: Path) -> Iterator[str]:
    """What failed in any group: its test, and why."""
    for file in sorted(results.glob("*.xml")):
        try:
            cases = list(ET.parse(file).iter("testcase"))  # noqa: S314 - pytest wrote it just now
        except ET.ParseError:
            yield f"\nA group of tests ended without a result ({file.name})."
            continue
        for case in cases:
            for failed in (*case.iter("failure"), *case.iter("error")):
                yield f"\nFailed: {case.get('classname')}::{case.get('name')}\n{failed.get('message', '')[:_LONGEST]}"


@contextlib.contextmanager
def _aside(command: Sequence[str], title: str, *, lowest: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """A command beside the block, ended with it; what it printed comes afterwards. `lowest`: at the lowest priority."""
    nice = ["nice", "-n", "19"] if lowest and shutil.which("nice") else []
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([*nice, *command], stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        if lowest:
            # Where Linux shares the processors among sessions, priorities count within one only: sched(7), "autogroup".
            with contextlib.suppress(OSError):
                Path(f"/proc/{process.pid}/autogroup").write_text("19", encoding="ascii")
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)
            output.seek(0)
            print(f"\n{title}:\n", flush=True)
            shutil.copyfileobj(output, sys.stdout.buffer)
            sys.stdout.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.terminate()
    process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
