"""The series of all targets, rendered block by block and kept compressed until something changes.

A thousand targets have half a million series: 40 MB of text in which, within a minute, nearly everything changes. So
the page is not made when it is asked for. Targets are in blocks by a hash of their names. While somebody asks, one
block after the other is rendered, in steps that hold up the event loop for a moment only, and kept as one deflated
piece for each family; a reply joins them. Of a few targets, what changed is rendered when it is asked for.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import dataclass, field

from pprof_exporter.exposition.lines import Lines
from pprof_exporter.exposition.pieces import Piece, Press
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape import Pool, TargetState

# So many targets are rendered in less time than their page takes to be sent.
_PER_BLOCK = 64
# In a large pool, every block is looked at so often, in seconds; what is shown is at most three of these old.
_ROUND = 10.0
# The event loop is held up for about so long at a time, in seconds.
_SLICE = 0.002
# Nobody has asked for so long, in seconds: nothing more is rendered ahead.
_FORGOTTEN = 300.0


@dataclass(slots=True)
class _Block:
    """`shown` is which targets it shows, each as it was at which of its revisions, until `expires` at the latest."""

    pieces: dict[str, Piece] = field(default_factory=dict)
    shown: list[tuple[TargetState, int]] = field(default_factory=list)
    expires: float = 0.0
    looked_at: float = 0.0

    def holds(self, members: list[TargetState], now: float) -> bool:
        """Whether nothing has changed since it was rendered; `now` is Unix time."""
        return now < self.expires and self.shown == [(state, state.revision) for state in members]


class FleetSeries:
    """All series of all targets of a pool. Use inside a running event loop; `close` ends it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._clock = pool.clock
        self._blocks: list[_Block] = []
        self._lock = asyncio.Lock()
        self._asked_at = 0.0
        self._ahead: asyncio.Task[None] | None = None

    async def pieces(self) -> list[dict[str, Piece]]:
        """The piece of each family by its name, of every block; those of a large pool may be some seconds old."""
        now = self._asked_at = self._clock.steady()
        members = self._members()
        # What goes on meanwhile may divide the targets anew.
        blocks = self._blocks
        timeout = 3 * _ROUND if len(blocks) > 1 else 0.0
        for block, states in zip(blocks, members, strict=True):
            if now - block.looked_at >= timeout:
                await self._refresh(block, states)
        if timeout and (self._ahead is None or self._ahead.done()):
            self._ahead = asyncio.create_task(self._keep_ahead(), name="exposition")
        return [block.pieces for block in blocks]

    async def close(self) -> None:
        """End what goes on."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    def _members(self) -> list[list[TargetState]]:
        """The targets of each block; their number is a power of two, so that it seldom changes with that of targets."""
        states = self._pool.states
        count = 1
        while count * _PER_BLOCK < len(states):
            count *= 2
        if count != len(self._blocks):
            self._blocks = [_Block() for _ in range(count)]
        members: list[list[TargetState]] = [[] for _ in range(count)]
        for state in states:
            members[zlib.crc32(state.target.name.encode(errors="replace")) % count].append(state)
        return members

    async def _keep_ahead(self) -> None:
        number = 0
        while self._clock.steady() - self._asked_at < _FORGOTTEN:
            members = self._members()
            number = (number + 1) % len(members)
            await self._refresh(self._blocks[number], members[number])
            await self._clock.sleep(_ROUND / len(members))
        self._blocks = []

    async def _refresh(self, block: _Block, members: list[TargetState]) -> None:
        """Render a block anew if anything in it has changed."""
        async with self._lock:
            block.looked_at = self._clock.steady()
            now = self._clock.now()
            if block.holds(members, now):
                return
            lines, shown, expires, began = Lines(), [], [], time.perf_counter()
            for state in members:
                shown.append((state, state.revision))
                expires.append(TargetSeries(lines, state, now).add())
                if time.perf_counter() - began > _SLICE:
                    await asyncio.sleep(0)
                    began = time.perf_counter()
            block.pieces = await asyncio.to_thread(_pressed, lines)
            block.shown, block.expires = shown, min(expires, default=float("inf"))


def _pressed(lines: Lines) -> dict[str, Piece]:
    press = Press()
    return {name: press.piece(text) for name, text in lines.texts().items()}
