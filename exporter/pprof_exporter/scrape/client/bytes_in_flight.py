"""A bound on the memory of all replies that are being received or read, over all targets.

Small replies always fit. Larger ones share an area. When it is full, or one of them is larger than its share, it takes
a place, which has room for the largest reply. A reply without room waits for a place, first come, first served. It is
not read meanwhile, so the system of the target holds it back. A reply with a place does not wait for another one, so
places become free within the timeout of a fetch. What inflates to much does so one at a time, within the same bound.

Who waits for too long is told so: that many large replies at a time are more than the exporter may take.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

FREE_BYTES = 256 * 1024
"""What each reply may take without being counted. Nearly all take less."""
GIVE_UP_AFTER = 20.0
"""Seconds: twice the default timeout of a fetch, after which each place has become free."""
# The part of the whole that replies share, and what one of them may take of it.
_AREA = 1 / 8
_SHARE = 2 * 1024 * 1024


@dataclass(eq=False, slots=True)
class _Account:
    """What one reply takes."""

    size: int = 0
    charged: int = 0
    """Bytes that count: those beyond `FREE_BYTES`."""
    placed: bool = False


_Queue = deque[tuple[_Account, "asyncio.Future[bool]"]]


class BytesInFlight:
    """At most `most` bytes, and never less than one reply of `wire` bytes and the `inflated` bytes of one.

    Everything here runs in the event loop.
    """

    def __init__(self, most: int, *, wire: int, inflated: int) -> None:
        self.waited = 0.0
        """Seconds that all replies have waited, added up."""
        self.given_up = 0
        """How many have waited in vain."""
        self._shared = 0
        self._placed: set[_Account] = set()
        self._inflating: _Account | None = None
        self._for_place: _Queue = deque()
        self._to_inflate: _Queue = deque()
        self.apply(most, wire=wire, inflated=inflated)

    def apply(self, most: int, *, wire: int, inflated: int) -> None:
        """Apply other bounds. Replies in flight keep what they have."""
        self.most = max(most, wire + inflated)
        self._wire, self._inflated = wire, inflated
        self._area = min(int(self.most * _AREA), self.most - wire - inflated)

    @property
    def held(self) -> int:
        """Bytes that replies take now, without the first `FREE_BYTES` of each."""
        inflating = self._inflated if self._inflating is not None else 0
        return self._shared + sum(account.charged for account in self._placed) + inflating

    @property
    def waiting(self) -> int:
        """How many replies wait."""
        return len(self._for_place) + len(self._to_inflate)

    def fits(self, account: _Account, more: int) -> bool:
        """Count more bytes of a reply if there is room for them now, with or without a place."""
        if not account.placed:
            if account.charged + more <= _SHARE and self._shared + more <= self._area:
                self._shared += more
            elif not self._for_place and self._has_place():
                self._place(account)
            else:
                return False
        account.charged += more
        return True

    async def wait_for_place(self, account: _Account) -> bool:
        """Wait for a place. Returns whether there was one in time."""
        return await self._wait(self._for_place, account)

    @contextlib.asynccontextmanager
    async def inflating(self, account: _Account) -> AsyncIterator[bool]:
        """Wait for room to inflate a reply, and have it within the block. The value is whether there is."""
        found = (not self._to_inflate and self._may_inflate(account)) or await self._wait(self._to_inflate, account)
        if found:
            self._inflating = account
        try:
            yield found
        finally:
            if found:
                self._inflating = None
                self._serve()

    def release(self, account: _Account) -> None:
        """Take back what a reply has, and give it to those that wait."""
        if account.placed:
            self._placed.discard(account)
            account.placed = False
        else:
            self._shared -= account.charged
        account.size = account.charged = 0
        self._serve()

    def _has_place(self) -> bool:
        """Whether another reply may have a place. One always may, unless one that inflates takes all."""
        inflated = self._inflated if self._inflating is not None or self._to_inflate else 0
        return self._area + (len(self._placed) + 1) * self._wire + inflated <= self.most or not self._placed

    def _may_inflate(self, account: _Account) -> bool:
        others = len(self._placed) - account.placed
        fits = self._area + len(self._placed) * self._wire + self._inflated <= self.most
        return self._inflating is None and (fits or not others)

    def _place(self, account: _Account) -> None:
        self._shared -= account.charged
        self._placed.add(account)
        account.placed = True

    def _serve(self) -> None:
        while self._to_inflate and self._may_inflate(self._to_inflate[0][0]):
            account, woken = self._to_inflate.popleft()
            if not woken.done():
                # Until it runs, nobody else may.
                self._inflating = account
                woken.set_result(True)
        while self._for_place and self._has_place():
            account, woken = self._for_place.popleft()
            # A wait that has ended otherwise is only still here.
            if not woken.done():
                self._place(account)
                woken.set_result(True)

    async def _wait(self, queue: _Queue, account: _Account) -> bool:
        began, loop = time.perf_counter(), asyncio.get_running_loop()
        entry = (account, loop.create_future())
        queue.append(entry)
        timer = loop.call_later(GIVE_UP_AFTER, _give_up, entry[1])
        try:
            found: bool = await entry[1]
        except asyncio.CancelledError:
            if self._inflating is account:
                self._inflating = None
            raise
        finally:
            timer.cancel()
            with contextlib.suppress(ValueError):
                queue.remove(entry)
            self.waited += time.perf_counter() - began
            # One that has left the queue may have stood before one that fits.
            self._serve()
        self.given_up += not found
        return found


def _give_up(waiting: asyncio.Future[bool]) -> None:
    if not waiting.done():
        waiting.set_result(False)


class Lease:
    """The bytes that one reply takes. It ends with `release`, and with the last reference to it in any thread."""

    __slots__ = ("_account", "_budget", "_loop", "waited")

    def __init__(self, budget: BytesInFlight) -> None:
        self._budget = budget
        self._account = _Account()
        self._loop = asyncio.get_running_loop()
        self.waited = 0.0
        """Seconds that it waited for a place."""

    def grows(self, more: int) -> bool:
        """Count more bytes. False if there is no room yet: nothing is counted, and `wait` comes first."""
        account = self._account
        counted = max(0, account.size + more - FREE_BYTES) - max(0, account.size - FREE_BYTES)
        if counted and not self._budget.fits(account, counted):
            return False
        account.size += more
        return True

    async def wait(self) -> bool:
        """Wait for a place, with which it grows without waiting. Returns whether there was one in time."""
        began = time.perf_counter()
        found = await self._budget.wait_for_place(self._account)
        self.waited += time.perf_counter() - began
        return found

    def inflating(self) -> contextlib.AbstractAsyncContextManager[bool]:
        """See `BytesInFlight.inflating`."""
        return self._budget.inflating(self._account)

    def release(self) -> None:
        """Take nothing any more."""
        if self._account.charged or self._account.placed:
            self._budget.release(self._account)

    def __del__(self) -> None:
        if self._account.charged or self._account.placed:
            with contextlib.suppress(RuntimeError):  # The loop has ended.
                self._loop.call_soon_threadsafe(self._budget.release, self._account)
