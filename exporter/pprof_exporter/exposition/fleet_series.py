"""The series of all targets, rendered block by block and cached compressed until a target changes.

A thousand targets have half a million series: 40 MB of text that changes nearly completely within a minute. So a
large page is not rendered per request. Targets are in blocks by a hash of their names. While requests come, one block
after the other is rendered in short steps that do not block the event loop, and cached as one deflated piece for each
family; a reply joins the pieces. With few targets, changed ones are rendered on request.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.exposition.lines import TextLines
from pprof_exporter.exposition.pieces import PAGE_THREADS, DeflatedPiece, Deflater
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.scrape import Pool, TargetState
from pprof_exporter.time_slices import TimeSlices

# Rendering this number of targets takes less time than sending their page: they are one block.
_ON_REQUEST = 64
# More are in blocks of up to this number. A page has as many pieces as there are families and blocks.
_PER_BLOCK = 128
# Seconds between two refreshes of a block in a large pool, as between scrapes. Replies are at most two of these old.
_REFRESH_INTERVAL = 15.0
# Seconds after the latest request when rendering ahead stops.
_IDLE_TIMEOUT = 300.0


@dataclass(slots=True)
class _Block:
    """`shown` has the rendered targets with their revisions; the block expires at `expires` (Unix time)."""

    pieces: dict[str, DeflatedPiece] = field(default_factory=dict)
    shown: list[tuple[TargetState, int]] = field(default_factory=list)
    expires: float = 0.0
    checked_at: float = 0.0

    def holds(self, members: list[TargetState], now: float) -> bool:
        """Whether the block is up to date; `now` is Unix time."""
        return now < self.expires and self.shown == [(state, state.revision) for state in members]


class FleetSeries:
    """All series of all targets of a pool. Needs a running event loop; `close` stops rendering ahead."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._clock = pool.clock
        self._blocks: list[_Block] = []
        self._divided: tuple[tuple[TargetState, ...], list[list[TargetState]]] = ((), [[]])
        self._lock = asyncio.Lock()
        self._requested_at = 0.0
        self._ahead: asyncio.Task[None] | None = None

    async def pieces(self) -> list[dict[str, DeflatedPiece]]:
        """Pieces by family name, for each block. Those of a large pool may be some seconds old."""
        now = self._requested_at = self._clock.steady()
        members = self._members()
        # The render task may replace `_blocks` meanwhile.
        blocks = self._blocks
        timeout = 2 * _REFRESH_INTERVAL if len(blocks) > 1 else 0.0
        for block, states in zip(blocks, members, strict=True):
            if now - block.checked_at >= timeout:
                await self._refresh(block, states)
        if timeout and (self._ahead is None or self._ahead.done()):
            supervisor = self._pool.supervisor
            self._ahead = supervisor.start(BackgroundTask.RENDERING, self._render_ahead, endless=False)
        return [block.pieces for block in blocks]

    async def close(self) -> None:
        """Stop rendering ahead."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    def _members(self) -> list[list[TargetState]]:
        """The targets of each block."""
        states = self._pool.states
        known, members = self._divided
        if states is not known:
            members = _divide(states)
            self._divided = states, members
        if len(members) != len(self._blocks):
            self._blocks = [_Block() for _ in members]
        return members

    async def _render_ahead(self) -> None:
        number = 0
        while self._clock.steady() - self._requested_at < _IDLE_TIMEOUT:
            members = self._members()
            number = (number + 1) % len(members)
            await self._refresh(self._blocks[number], members[number])
            await self._clock.sleep(_REFRESH_INTERVAL / len(members))
        self._blocks, self._divided = [], ((), [[]])

    async def _refresh(self, block: _Block, members: list[TargetState]) -> None:
        """Render a block if a target in it has changed."""
        async with self._lock:
            block.checked_at = self._clock.steady()
            now = self._clock.now()
            if block.holds(members, now):
                return
            lines, shown, expires, slices = TextLines(), [], [], TimeSlices()
            for state in members:
                shown.append((state, state.revision))
                try:
                    expires.append(TargetSeries(lines, state, now).add())
                except Exception as error:  # noqa: BLE001 - the series of all others are shown
                    self._pool.supervisor.internal_error(error, target=state.target.name)
                await slices.pause()
            block.pieces = await PAGE_THREADS.run(partial(_deflated, lines))
            block.shown, block.expires = shown, min(expires, default=float("inf"))


def _divide(states: Sequence[TargetState]) -> list[list[TargetState]]:
    """The targets of each block. The number of blocks is a power of two, so that it rarely changes."""
    count = 1 if len(states) <= _ON_REQUEST else 2
    while count * _PER_BLOCK < len(states):
        count *= 2
    members: list[list[TargetState]] = [[] for _ in range(count)]
    for state in states:
        members[zlib.crc32(state.target.name.encode(errors="replace")) % count].append(state)
    return members


def _deflated(lines: TextLines) -> dict[str, DeflatedPiece]:
    deflater = Deflater()
    return {name: deflater.deflate(text) for name, text in lines.texts().items()}
