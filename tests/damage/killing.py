"""Kill -9 while something is written, again and again."""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from tests.damage.kept import Kept

_LONGEST = 0.08
"""Seconds that a program may live after its first step, at most."""


@dataclass(slots=True)
class Killed:
    """What became of the runs."""

    times: int = 0
    steps: int = 0
    """Steps that were on disk, as the programs said before they were killed."""
    wrong: list[str] = field(default_factory=list)
    """Runs after which something false was shown, something was missing, or trouble was counted."""


def kill(kept: Kept, root: Path, times: int, seed: int = 0) -> Killed:
    """Kill a program that writes, so many times. After each, a start on a copy of the folder reads everything."""
    chance = random.Random(seed)
    found = Killed()
    written: dict[int, int] = {}
    copy = root.with_name("copy")
    for run in range(times):
        with _writing(kept, root, run) as said:
            time.sleep(chance.uniform(0, _LONGEST))
        steps = int.from_bytes(said[-4:], "big")
        found.times += 1
        found.steps += steps
        written[run] = steps
        shutil.copytree(root, copy)
        reading = kept.read(copy, written)
        shutil.rmtree(copy)
        if reading.false or reading.missing or reading.counted:
            found.wrong.append(f"run {run} after {steps} steps: {reading}")
    return found


@contextlib.contextmanager
def _writing(kept: Kept, root: Path, run: int) -> Iterator[bytearray]:
    """A program that writes, from its first step to the end of the block; what it said is there after it."""
    said, says = os.pipe()
    process = os.fork()
    if not process:
        _write(kept, root, run, says)
    os.close(says)
    heard = bytearray()
    try:
        heard += os.read(said, 4)
        yield heard
    finally:
        os.kill(process, signal.SIGKILL)
        while more := os.read(said, 2**16):
            heard += more
        os.waitpid(process, 0)
        os.close(said)
        # A write of four bytes to a pipe is whole or not there (POSIX, PIPE_BUF).
        del heard[len(heard) // 4 * 4 :]


def _write(kept: Kept, root: Path, run: int, says: int) -> NoReturn:
    os.set_blocking(says, False)

    def done(steps: int) -> None:
        # More than a full pipe holds is not waited for: the program is killed while it writes, not while it speaks.
        if select.select([], [says], [], 0)[1]:
            os.write(says, steps.to_bytes(4, "big"))

    try:
        kept.write(root, run, None, done)
    finally:
        os._exit(1)
