"""`pprof-exporter dashboards`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pprof_exporter.cli.dashboards import run
from pprof_exporter.dashboards import DASHBOARDS


def test_it_writes_each_dashboard_to_a_file_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--output", str(tmp_path / "new")], {}) == 0
    files = [tmp_path / "new" / f"{dashboard.uid}.json" for dashboard in DASHBOARDS]
    assert capsys.readouterr().out.split() == [str(file) for file in files]
    assert [json.loads(file.read_text())["title"] for file in files] == [one.title for one in DASHBOARDS]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    assert run(["--output", str(file)], {}) == 2
    assert str(file) in capsys.readouterr().err
