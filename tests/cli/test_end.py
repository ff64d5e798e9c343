"""How the program ends: with its exit code and all of its output, and without freeing memory object by object."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorded import RECORDINGS

PROFILE = str(RECORDINGS / "linux-go1.27.3" / "heap.pb.gz")
# Something that is in memory until the end, and shows when it is freed.
KEPT = """
import sys

class Kept:
    def __del__(self):
        print("freed", flush=True)

kept = Kept()
from pprof_exporter.__main__ import main
sys.exit(main())
"""


def end(*argv: str, program: str = KEPT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("argv", "code"), [(("inspect", "--format=json", PROFILE), 0), (("inspect", str(Path("no such file"))), 2)]
)
def test_what_is_in_memory_is_left_to_the_system(argv: tuple[str, ...], code: int) -> None:
    ended = end(*argv)

    assert ended.returncode == code
    assert ended.stdout.endswith("}\n") == (code == 0)
    assert "freed" not in ended.stdout
    assert "freed" in end("--url=http://127.0.0.1:1", program=KEPT.replace("main())", "0)")).stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_that_is_lost_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "pprof_exporter", "inspect", "--format=json", PROFILE]
        assert subprocess.run(command, stdout=full, stderr=subprocess.DEVNULL, check=False).returncode != 0
