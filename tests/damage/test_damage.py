"""Whatever happens to what is kept: the exporter starts, shows nothing false, and counts what is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.damage.__main__ import KEPT
from tests.damage.changing import change
from tests.damage.kept import Kept
from tests.damage.killing import kill

DAMAGES = 30
KILLS = 10

each = pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT.keys())


@pytest.mark.skipif(os.name == "nt", reason="the sample is read while it is open, and Windows locks such files")
@each
def test_a_damaged_file_costs_what_is_in_it_and_is_counted(kept: Kept, tmp_path: Path) -> None:
    found = change(kept, tmp_path, range(DAMAGES))

    assert [case for kind in found.values() for case in kind.wrong] == []
    assert {kind.cases for kind in found.values()} == {DAMAGES}
    assert sum(kind.counted for kind in found.values()) > DAMAGES / 5, "the files were hardly damaged"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the exporter is killed as a fork, for the sake of speed")
@each
def test_a_kill_at_any_moment_costs_what_was_not_written_and_nothing_else(kept: Kept, tmp_path: Path) -> None:
    found = kill(kept, tmp_path / "kept", KILLS)

    assert found.wrong == []
    assert found.steps > KILLS, "it was killed before it wrote"
