"""The bytes of a connection."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pprof_exporter.scrape.client.stream import PlainStream


async def test_a_server_that_is_faster_than_we_are_does_not_stop_everything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def at_once(self: object, connection: socket.socket, size: int) -> bytes:
        return bytes(size)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_recv", at_once)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    stream = PlainStream(socket.socket())
    received = 0
    while received < 20 * 2**20:
        received += len(await stream.receive())
    stream.close()
    beside.cancel()
    assert 19 <= turns <= 30
