"""Time as an argument: tests and replays set it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time, steady time and sleep; all in seconds."""

    def now(self) -> float:
        """Unix time, as the machine has it now."""

    def steady(self) -> float:
        """Unix time at the start of the program and the seconds since: never jumps, may drift from `now`."""

    async def sleep(self, seconds: float) -> None:
        """Return not before `seconds` have passed."""


class SystemClock:
    """The clock of this machine.

    Up to Python 3.12, `time.monotonic` of Windows steps by 15.6 ms (GetTickCount64): more than a window and the two
    readings that enclose it are apart. `time.perf_counter` is as steady everywhere, and fine.
    """

    def __init__(self) -> None:
        self._origin = time.time() - time.perf_counter()

    def now(self) -> float:
        """Unix time, as the machine has it now."""
        return time.time()

    def steady(self) -> float:
        """Unix time that never jumps."""
        return self._origin + time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """Stands at `at` (Unix time) until that is set: the time of what was recorded."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        """Unix time."""
        return self.at

    def steady(self) -> float:
        """The same."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Move on by `seconds` at once."""
        self.at += seconds
