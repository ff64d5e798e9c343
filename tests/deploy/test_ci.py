"""The examples for pipelines: as their services want them, and their commands do what they say on a real program."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.lab import PATIENCE, PROJECT, free_port, go
from tests.lab.debian import installed

CI = PROJECT / "deploy" / "ci"
FILES = {"github.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    return loaded


def github_script() -> str:
    steps = document("github.yml")["jobs"]["check"]["steps"]
    script: str = next(step["run"] for step in steps if step.get("name") == "Check")
    return script


def gitlab_script() -> str:
    return "\n".join(document("gitlab-ci.yml")["pprof"]["script"])


SCRIPTS = {"github": github_script, "gitlab": gitlab_script}


@pytest.mark.parametrize("name", FILES)
def test_it_fits_the_published_schema(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", FILES[name], str(CI / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def workplace(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder with the service that the examples build, and the environment of a job."""
    installed("curl", "curl")
    shutil.copy(go.build(go.VERSIONS[-1]), tmp_path / "service.exe")
    commands = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{commands}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TARGET": f"127.0.0.1:{free_port()}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        # A busy machine is not what these tests are about.
        "PPROF_EXPORTER_FAIL_ON": "never",
        "PPROF_EXPORTER_SCRAPE_CPU_WINDOW": "1s",
        "PPROF_EXPORTER_SCRAPE_TIMEOUT": "60s",
    }
    return tmp_path, environment


def ran(script: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run as the runner does: one shell, the first failure ends it. What is left of it is ended."""
    shorter = script.replace("--rounds 6 --every 10s", "--rounds 1")
    assert shorter != script
    shell = subprocess.Popen(
        ["bash", "-e", "-o", "pipefail", "-c", shorter],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # In a new session it would not have the low priority of this one: Linux has an autogroup for each (sched(7)).
        process_group=0,
    )
    try:
        # The service holds the pipe of a GitLab job until the job's container ends.
        shell.wait(timeout=PATIENCE)
    finally:
        _end(shell.pid)
    said, _ = shell.communicate()
    return subprocess.CompletedProcess(shorter, shell.returncode, said)


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_commands_check_a_real_program(name: str, workplace: tuple[Path, dict[str, str]]) -> None:
    folder, environment = workplace
    done = ran(SCRIPTS[name](), folder, environment)
    assert done.returncode == 0, done.stdout
    report = ET.parse(folder / "pprof.xml").getroot()  # noqa: S314 - our own
    assert (report.get("tests"), report.get("errors")) == ("20", "0")
    assert (folder / "capture" / "manifest.json").exists()
    markdown = folder / ("summary.md" if name == "github" else "pprof.md")
    assert markdown.read_text().startswith("## pprof-exporter check")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_finding_fails_the_job(name: str, workplace: tuple[Path, dict[str, str]]) -> None:
    folder, environment = workplace
    # Nobody allows the profilers of Go as little as this.
    script = SCRIPTS[name]().replace("check capture", "check capture --set profiler_memory=1 --fail-on warning")
    done = ran(script, folder, environment)
    assert done.returncode == 1, done.stdout
    assert "profilers inside Go hold" in (folder / "pprof.xml").read_text()


def test_the_documented_one_liner_is_a_check(workplace: tuple[Path, dict[str, str]]) -> None:
    folder, environment = workplace
    page = (PROJECT / "docs" / "ci.md").read_text(encoding="utf-8")
    (line,) = [line.removeprefix("$ ") for line in page.splitlines() if "service.exe" in line]
    shell = subprocess.run(
        ["bash", "-c", line.replace("127.0.0.1:6060", environment["TARGET"])],
        cwd=folder,
        env={**environment, "PPROF_EXPORTER_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert shell.returncode == 0, shell.stderr
    assert json.loads(shell.stdout)["targets"][0]["problem"] is None
