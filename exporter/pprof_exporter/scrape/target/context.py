"""What all collectors of one target work with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeVar

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import DecodeError
from pprof_exporter.scrape.client.fetcher import Getter, Reply
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.limiter import FetchLimiter

# Below this size decoding takes about a millisecond, less than handing it to a thread and back can cost under load.
_INLINE_BYTES = 16 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TargetContext:
    """What every errand for one target works with; `fetcher` asks with the target's client settings."""

    target: Target
    settings: Settings
    fetcher: Getter
    limiter: FetchLimiter
    clock: Clock
    state: TargetState
    bodies: RawProfiles | None = None
    """Where raw profiles are kept for a while; None: nowhere."""

    def keep(self, kind: str, reply: Reply) -> None:
        """Keep the body of a reply that could be read."""
        if self.bodies is not None:
            self.bodies.keep(self.target.name, kind, reply.asked_at, reply.body)

    @contextlib.asynccontextmanager
    async def place(self, *, window: bool = False, heavy: bool = False) -> AsyncIterator[None]:
        """Wait for a place for a fetch, and count the time that a heavy one takes towards the budget."""
        async with self.limiter.slot(self.target, window=window):
            with self.state.budget.profiling() if heavy else contextlib.nullcontext():
                yield


async def run_in_thread(work: Callable[[], T], size: int) -> T:
    """Run work on a body of this size: in a thread, unless it is so small that it takes no time.

    Raises what the work raises, and `DecodeError` where there is not enough memory for it.
    """
    try:
        return work() if size <= _INLINE_BYTES else await asyncio.to_thread(work)
    except MemoryError as error:
        raise DecodeError(Reason.TOO_LARGE, f"not enough memory to read {size} bytes") from error
