"""Evidence survives kill -9 at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import PATIENCE, PROJECT

TIMES = 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the exporter is killed as a fork, for the sake of speed")
def test_whenever_the_exporter_is_killed_every_finding_is_whole_and_the_bound_holds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.evidence_store.killed", str(tmp_path / "evidence"), str(TIMES)]

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["leftovers"] > 0, "it was never killed while it wrote"
    assert told["kept"] > TIMES
    assert (told["half"], told["over"], told["bad"]) == (0, 0, 0)
