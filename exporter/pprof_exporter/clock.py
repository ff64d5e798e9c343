"""Time as an argument: tests and replays set it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time, steady time and sleep; all in seconds."""

    def now(self) -> float:
        """Unix time of the system clock."""

    def steady(self) -> float:
        """Unix time at the start plus the seconds since. It never jumps, and may drift from `now`."""

    async def sleep(self, seconds: float) -> None:
        """Return after at least `seconds`."""


class SystemClock:
    """The clock of this machine.

    Up to Python 3.12, `time.monotonic` on Windows steps by 15.6 ms (GetTickCount64), more than lies between a window
    and the readings around it. `time.perf_counter` is as steady on every system, and finer.
    """

    def __init__(self) -> None:
        self._origin = time.time() - time.perf_counter()

    def now(self) -> float:
        """Unix time of the system clock."""
        return time.time()

    def steady(self) -> float:
        """Unix time that never jumps."""
        return self._origin + time.perf_counter()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        await asyncio.sleep(max(0.0, seconds))


class ManualClock:
    """A clock that stands at `at` (Unix time) until `at` is set. A replay sets it to the recorded times."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        """Unix time."""
        return self.at

    def steady(self) -> float:
        """The same as `now`."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Advance by `seconds` and return at once."""
        self.at += seconds
