"""The units: systemd takes them, finds little to expose, and their files make what they name."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pprof_exporter.cli.options import Parser, add_serve_flags, variable_of
from tests.lab import PATIENCE, PROJECT, Missing, run
from tests.lab.debian import installed

FOLDER = PROJECT / "deploy" / "systemd"
SERVICE = FOLDER / "pprof-exporter.service"
LIMIT = 1.5
"""More exposure than this, and something was opened without need; systemd 252 and later say 1.2."""


def tool(name: str) -> str:
    return str(installed(name, "systemd"))


def settings(file: Path) -> list[tuple[str, str]]:
    """What a unit sets, in order; names may come twice."""
    return re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they are installed, with a program that there is."""
    program = tmp_path / "pprof-exporter"
    program.write_text(f"#!{sys.executable}\n")
    program.chmod(0o755)
    folder = tmp_path / "units"
    folder.mkdir()
    service = SERVICE.read_text().replace("/opt/pprof-exporter/bin/pprof-exporter", str(program))
    (folder / "pprof-exporter.service").write_text(service)
    shutil.copy(FOLDER / "pprof-exporter.socket", folder)
    return folder


def analyze(folder: Path, *words: str) -> str:
    """What `systemd-analyze` says of units that are looked for in this folder first; it must not complain."""
    environ = {"PATH": os.defpath, "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_COLORS": "0"}
    command = [tool("systemd-analyze"), *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def exposure(folder: Path) -> float:
    said = analyze(folder, "security", "--offline=true", "--no-pager", "pprof-exporter.service")
    found = re.search(r"Overall exposure level for pprof-exporter.service: ([\d.]+)", said)
    assert found, said
    return float(found[1])


def test_systemd_has_nothing_to_say_of_the_units(units: Path) -> None:
    assert analyze(units, "verify", "--man=no", "pprof-exporter.service", "pprof-exporter.socket") == ""


def test_a_setting_that_systemd_does_not_know_is_found(units: Path) -> None:
    service = units / "pprof-exporter.service"
    service.write_text(service.read_text().replace("[Service]", "[Service]\nProtectEverything=yes"))
    assert "ProtectEverything" in analyze(units, "verify", "--man=no", "pprof-exporter.service")


def test_little_is_exposed_and_the_readme_says_how_little(units: Path) -> None:
    alone = exposure(units)
    assert alone <= LIMIT
    extra = units / "pprof-exporter.service.d"
    extra.mkdir()
    shutil.copy(FOLDER / "processes.conf", extra)
    assert analyze(units, "verify", "--man=no", "pprof-exporter.service") == ""
    more = exposure(units)
    assert more > alone
    text = (FOLDER / "README.md").read_text()
    assert f"exposure {alone}" in text
    assert f"to {more}" in text


def test_the_service_is_started_with_variables_that_the_program_has() -> None:
    parser = Parser(environ={})
    add_serve_flags(parser)
    known = {variable_of(flag[2:]) for action in parser._actions for flag in action.option_strings}
    named = set(re.findall(r"PPROF_EXPORTER_\w+", SERVICE.read_text() + (FOLDER / "pprof-exporter.env").read_text()))
    assert named
    assert named <= known
    (start,) = [value for name, value in settings(SERVICE) if name == "ExecStart"]
    assert shlex.split(start)[1:] == ["$TARGETS"]
    assert "TARGETS=" in (FOLDER / "pprof-exporter.env").read_text()


def test_stopping_and_wrong_settings_are_as_the_program_has_them() -> None:
    found = dict(settings(SERVICE))
    from pprof_exporter.cli.serve import STOP_WITHIN  # noqa: PLC0415

    assert int(found["TimeoutStopSec"]) > STOP_WITHIN
    wrong = [sys.executable, "-m", "pprof_exporter", "ftp://x"]
    assert str(subprocess.run(wrong, capture_output=True, check=False).returncode) == found["RestartPreventExitStatus"]


def test_user_and_folders_are_made(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        raise Missing("users of another root: only root makes them")
    (tmp_path / "etc").mkdir()
    run([tool("systemd-sysusers"), f"--root={tmp_path}", FOLDER / "pprof-exporter.sysusers"])
    user = (tmp_path / "etc" / "passwd").read_text().split(":")
    assert user[0] == dict(settings(SERVICE))["User"]
    assert user[6].strip().endswith("nologin")
    for _ in range(2):
        run([tool("systemd-tmpfiles"), "--create", f"--root={tmp_path}", FOLDER / "pprof-exporter.tmpfiles"])
    config, state = tmp_path / "etc" / "pprof-exporter", tmp_path / "var" / "lib" / "pprof-exporter"
    assert (config.stat().st_mode & 0o777, config.stat().st_uid) == (0o750, 0)
    assert (state.stat().st_mode & 0o777, state.stat().st_uid) == (0o750, int(user[2]))


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.conf")), ids=lambda file: file.name)
def test_additions_are_units_that_change_only_sections_of_the_service(file: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read(file)
    assert set(parser.sections()) <= {"Unit", "Service"}
    assert f"pprof-exporter.service.d/{file.name}" in file.read_text()
