"""Threads for work that must not wait behind other work: asyncio has one small pool for everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Up to `most` threads, started when there is work; Python waits for them when it ends."""

    def __init__(self, name: str, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        """Run work in one of them. Raises what the work raises; if the caller is cancelled, work that began goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
