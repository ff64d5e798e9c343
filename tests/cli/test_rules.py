"""`pprof-exporter rules`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pprof_exporter.catalog.thresholds import THRESHOLDS
from pprof_exporter.cli.rules import run
from pprof_exporter.rules import GROUPS, render_rules


def test_without_options_it_writes_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([], {}) == 0
    assert capsys.readouterr().out == render_rules(GROUPS)


def test_a_threshold_is_changed_without_editing_a_rule(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    assert run(["--set", "cpu_coverage_low=0.666", "--output", str(file)], {}) == 0
    groups = yaml.safe_load(file.read_text())["groups"]
    low = [rule for group in groups for rule in group["rules"] if rule.get("alert") == "PprofCpuCoverageLow"]
    assert "< 0.666" in low[0]["expr"]


def test_it_lists_what_can_be_set_with_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--list-thresholds"], {}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("=")[0] for line in lines] == [threshold.name for threshold in THRESHOLDS]
    assert all(threshold.reason in line for threshold, line in zip(THRESHOLDS, lines, strict=True))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "cpu_coverage=1"], "unknown threshold 'cpu_coverage'; see `pprof-exporter rules --list-thresholds`"),
        (["--set", "cpu_coverage_low=much"], "'cpu_coverage_low=much': write NAME=NUMBER"),
        (["--time-scale", "0"], "'0': write a number above 0 and up to 100"),
        (["--time-scale", "fast"], "'fast': write a number above 0 and up to 100"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(arguments, {})
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--output", str(tmp_path / "none" / "rules.yaml")], {}) == 2
    assert "No such file or directory" in capsys.readouterr().err
