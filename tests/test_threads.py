"""Threads that compute: their results reach the event loop, which has the processor first."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from pprof_exporter.threads import Threads


async def test_a_result_comes_back_and_so_does_an_error() -> None:
    threads = Threads("test", 1)
    assert await threads.run(lambda: threading.current_thread().name) == "test_0"
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux has a thread a priority of its own")
async def test_on_linux_they_have_less_priority_than_the_event_loop() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    mine = priority()
    assert await Threads("test", 1).run(priority) == min(mine + 5, 19)
    assert priority() == mine
