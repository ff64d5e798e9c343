"""A process that has to share its processor waits for it; one that sleeps does not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.zoo.processor_waits import counted

SECONDS = 2.0
OTHERS = 3
"""Programs that compute on the same processor."""
COMPUTE = "while True: pass"
SLEEP = "import time; time.sleep(60)"


@contextmanager
def on_one_processor(code: str) -> Iterator[int]:
    """The process id of a program that may use one processor only."""
    processor = min(os.sched_getaffinity(0))
    pinned = f"import os\nos.sched_setaffinity(0, [{processor}])\n{code}"
    with subprocess.Popen([sys.executable, "-c", pinned]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize(("code", "waits"), [(COMPUTE, True), (SLEEP, False)], ids=["computes", "sleeps"])
def test_long_waits_are_counted(code: str, *, waits: bool) -> None:
    with ExitStack() as programs:
        for _ in range(OTHERS):
            programs.enter_context(on_one_processor(COMPUTE))
        pid = programs.enter_context(on_one_processor(code))
        time.sleep(0.5)
        with counted(pid) as seen:
            time.sleep(SECONDS)
        assert (seen.long >= SECONDS) is waits
