"""Threads for work that must not wait behind other work: asyncio has one small pool for everything."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
# Steps of nice(2): a third of the processor for these threads while the event loop wants it too.
_NICE = 5


class Threads:
    """Up to `most` threads, started when there is work; Python waits for them when it ends."""

    def __init__(self, name: str, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name, initializer=_step_back)

    async def run(self, work: Callable[[], T]) -> T:
        """Run work in one of them. Raises what the work raises; if the caller is cancelled, work that began goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _step_back() -> None:
    """Let the event loop have the processor first, where threads have priorities: on Linux (setpriority(2))."""
    if sys.platform == "linux":
        # An error here would end all work of these threads for good (`concurrent.futures.thread.BrokenThreadPool`).
        with contextlib.suppress(OSError, MemoryError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)
