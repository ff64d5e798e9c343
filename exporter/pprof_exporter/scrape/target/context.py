"""The context of all collectors of one target: settings, client, limits, clock, state, and its intake."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.exhaustion import exhausted_resource
from pprof_exporter.inputs.urls import below
from pprof_exporter.profile import DecodeError
from pprof_exporter.profile.inflate import GZIP_MAGIC, declared_size
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.errors import ExporterExhausted, NoRoom
from pprof_exporter.scrape.client.fetcher import Getter, Reply
from pprof_exporter.scrape.intake import Intake
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.process_source import ProcessReading, ProcessSource
from pprof_exporter.threads import Threads

if TYPE_CHECKING:
    from pprof_exporter.scrape.state.raw_profiles import RawProfiles

# Below this size, decoding takes about a millisecond: less than passing it to a thread and back costs under load.
_INLINE_BYTES = 16 * 1024

# Large bodies wait for each other, and leave the event loop a processor. One that takes long holds up no other alone.
_DECODING = Threads("decoding", max(2, min(4, (os.cpu_count() or 1) - 1)))

# A few profiles at a time may inflate to so much without being counted as in flight. Those of large programs have less.
_INFLATED_FREELY = 8 * 1024 * 1024

T = TypeVar("T")


class _InflatesToMore(Exception):
    """A profile inflates to more than it says at its end, or has become too large otherwise."""


def _freely(decode: Callable[[int], T]) -> T:
    try:
        return decode(_INFLATED_FREELY)
    except DecodeError as error:
        if error.reason is not Reason.TOO_LARGE:
            raise
    raise _InflatesToMore


@dataclass(frozen=True, slots=True)
class TargetContext:
    """One target with everything that is bound to it; `fetcher` applies the target's client settings."""

    target: Target
    settings: Settings
    fetcher: Getter
    limiter: FetchLimiter
    clock: Clock
    state: TargetState
    raw_profiles: RawProfiles | None = None
    """The latest raw profiles in memory; None: they are not held."""
    intake: Intake = field(init=False, repr=False)
    process: ProcessSource = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intake", Intake(self.state, self.clock))
        source = ProcessSource(self.target, self.settings, self.fetcher, self.clock)
        object.__setattr__(self, "process", source)

    async def get(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        window: float = 0,
        extra: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        """GET a path below the index page, "" for the page itself, within the target's timeout. Raises `FetchError`.

        `extra` is added to the timeout for one longer try. `excerpt`: only these parts of the body are needed.
        """
        url = below(self.target.url, path) if path else self.target.url
        timeout = self.settings.timeout + extra
        return await self.fetcher.get(
            url, query=dict(query) if query else None, timeout=timeout, window=window, excerpt=excerpt
        )

    async def read_process(self, *, since: float | None = None, page: bool = True) -> ProcessReading:
        """Read which process answers, and the CPU time that it has used, and hand that to the intake.

        `since` is the Unix time from which on a new process counts; None: now. Without `page`, the target is not asked.
        """
        at = self.clock.now() if since is None else since
        reading = await self.process.read(page=page)
        if reading.page is not None:
            self.intake.metrics_page(reading.page, at, reading.figures)
        if reading.process is not None:
            found = reading.process
            self.intake.local_process(
                found.executable,
                found.started,
                found.go,
                at,
                cgroup=found.cgroup,
                bounds=found.bounds,
            )
        return reading

    def hold_raw(self, kind: str, reply: Reply) -> None:
        """Hold the body of a reply that could be decoded."""
        if self.raw_profiles is not None:
            self.raw_profiles.add(self.target.name, kind, reply.asked_at, reply.body)

    async def decode_reply(self, reply: Reply, decode: Callable[[int], T]) -> T:
        """Decode the body of a reply, by a function that takes the bytes to which it may inflate. See `run_in_thread`.

        What inflates to much waits until there is room in memory. Raises `NoRoom` if there is none for long.
        """
        size, limit = len(reply.body), self.settings.limits.inflated_bytes
        if size > _INLINE_BYTES and limit > _INFLATED_FREELY and reply.body.startswith(GZIP_MAGIC):
            if declared_size(reply.body) <= _INFLATED_FREELY:
                with contextlib.suppress(_InflatesToMore):
                    return await run_in_thread(partial(_freely, decode), size)
            if reply.lease is not None:
                async with reply.lease.inflating() as found:
                    if not found:
                        raise NoRoom(self.settings.limits.bytes_in_flight)
                    return await run_in_thread(partial(decode, limit), size)
        return await run_in_thread(partial(decode, limit), size)

    def slot(self, *, window: bool = False, heavy: bool = False) -> AbstractAsyncContextManager[None]:
        """Wait for a free slot; a heavy fetch spends the target's budget while it runs."""
        slot = self.limiter.slot(self.target, window=window)
        return self._heavy(slot) if heavy else slot

    @contextlib.asynccontextmanager
    async def _heavy(self, slot: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
        async with slot:
            with self.state.budget.profiling():
                yield


async def run_in_thread(work: Callable[[], T], size: int) -> T:
    """Run work on a body of `size` bytes off the event loop; a small body is worked on in place.

    Raises what the work raises, and `ExporterExhausted` if there is no memory or no thread for it.
    """
    try:
        return work() if size <= _INLINE_BYTES else await _DECODING.run(work)
    except (MemoryError, RuntimeError) as error:
        resource = exhausted_resource(error)
        if resource is None:
            raise
    raise ExporterExhausted(resource, f"a reply of {size} bytes was not read")
