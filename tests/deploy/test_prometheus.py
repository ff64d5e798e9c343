"""The shipped configuration of Prometheus, as both generations read it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import PATIENCE, PROJECT
from tests.lab.debian import Suite
from tests.lab.prometheus import promtool, running

SUITES: tuple[Suite, ...] = ("stable", "sid")
FOLDER = PROJECT / "deploy" / "prometheus"
FILE = FOLDER / "prometheus.yml"
FILES = (FILE, FOLDER / "probe.yml")


def checked(suite: Suite, file: Path) -> tuple[int, str]:
    command = [str(promtool(suite)), "check", "config", "--lint-fatal", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_promtool_accepts_it_as_it_lies_in_a_checkout(suite: Suite, file: Path) -> None:
    code, said = checked(suite, file)
    assert code == 0, said
    assert "1 rule files found" in said
    assert not any(word in said.lower() for word in ("warn", "failed", "deprecated")), said


@pytest.mark.parametrize("suite", SUITES)
def test_rules_that_are_not_there_are_an_error(suite: Suite, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "deploy" / "prometheus")
    code, said = checked(suite, tmp_path / "deploy" / "prometheus" / "prometheus.yml")
    assert code == 1
    assert "pprof.rules.yaml" in said


@pytest.mark.parametrize("suite", SUITES)
def test_prometheus_scrapes_what_the_file_of_targets_names_and_has_the_rules(suite: Suite) -> None:
    with running(absolute(), suite) as server:
        server.wait_for(lambda asked: asked.targets())
        assert [target["labels"] for target in server.targets()] == [
            {"instance": "localhost:9717", "job": "pprof-exporter", "region": "example"}
        ]
        groups = [group["name"] for group in server.api("rules")["groups"]]
        assert set(groups) == {group["name"] for group in rules()["groups"]}


def absolute() -> dict[str, Any]:
    """The configuration with absolute paths, so that it can lie elsewhere."""
    config: dict[str, Any] = yaml.safe_load(FILE.read_text())
    config["rule_files"] = [str((FOLDER / path).resolve()) for path in config["rule_files"]]
    for discovery in config["scrape_configs"][0]["file_sd_configs"]:
        discovery["files"] = [str(FOLDER / path) for path in discovery["files"]]
    config["alerting"] = {}
    return config


def rules() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((PROJECT / "rules" / "pprof.rules.yaml").read_text())
    return read
