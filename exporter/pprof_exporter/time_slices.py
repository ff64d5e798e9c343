"""Long work of the event loop in short steps, so that nothing else waits for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

_STEP = 0.001
_SHARE = 0.5


class TimeSlices:
    """Divides one piece of work: call `pause` again and again while it is done.

    A step takes a millisecond. Where everything else takes longer before it is the turn of this work again, the next
    step takes half of that time. A turn of an overloaded event loop takes seconds (benchmarks/fleet with 1,000 large
    targets and too few processors), and work of a thousand steps of a millisecond would never end.
    """

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        """`timer` returns seconds."""
        self._timer = timer
        self._step = _STEP
        self._began = timer()

    async def pause(self) -> None:
        """Let everything else run if the step is over; else go on at once."""
        ended = self._timer()
        if ended - self._began < self._step:
            return
        await asyncio.sleep(0)
        self._began = self._timer()
        self._step = max(_STEP, _SHARE * (self._began - ended))
