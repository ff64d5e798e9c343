"""What is built is what users get: everything that the program needs, and nothing that it does not.

Wheels are pure here; `test_readers_in_wheels.py` has those with compiled modules.
"""

from __future__ import annotations

import configparser
import email
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hatch_build import SWITCH
from pprof_exporter import __version__
from tests.lab import PROJECT

PACKAGE = PROJECT / "exporter" / "pprof_exporter"
BUILT = {".so", ".pyd", ".c"}
"""What an editable installation compiles in the checkout; a wheel has its own."""


def build(kind: str, source: Path, to: Path) -> Path:
    """Build a `wheel` or `sdist` of a source tree."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(to), "-t", kind]
    subprocess.run(command, cwd=source, env=os.environ | {SWITCH: "pure"}, check=True, capture_output=True)
    return next(to.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of the checkout, a wheel that was built from that sdist, and the sdist unpacked in `source`."""
    folder = tmp_path_factory.mktemp("dist")
    # Python 3.11 got filters of tarfile as late as 3.11.4; Debian 12 has 3.11.2.
    unpack = [
        sys.executable,
        "-m",
        "tarfile",
        "--extract",
        str(build("sdist", PROJECT, folder)),
        str(folder / "unpacked"),
    ]
    subprocess.run(unpack, check=True, capture_output=True)
    next((folder / "unpacked").iterdir()).rename(folder / "source")
    build("wheel", folder / "source", folder)
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path) -> Path:
    """The wheel unpacked, as an installation has it."""
    folder = dist / "installed"
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder


def ran(installed: Path, *words: str, cwd: Path) -> str:
    """What the program says when it is run from the unpacked wheel, far from the checkout."""
    environ = {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "pprof_exporter", *words]
    return subprocess.run(command, cwd=cwd, env=environ, check=True, capture_output=True, text=True).stdout


def test_the_wheel_holds_the_whole_package_with_its_data(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    wanted = {
        f"pprof_exporter/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in BUILT
    }
    assert wanted <= packed
    assert "pprof_exporter/demo/target/main.go" in packed
    assert "pprof_exporter/rules/runbooks/PprofCpuCoverageLow.md" in packed
    assert not [name for name in packed if name.startswith("tests")]


def test_the_sdist_holds_what_is_deployed_and_read(dist: Path) -> None:
    for folder in ("rules", "grafana", "deploy", "docs"):
        wanted = {path.relative_to(PROJECT) for path in (PROJECT / folder).rglob("*") if path.is_file()}
        wanted = {path for path in wanted if "__pycache__" not in path.parts}
        assert {path for path in wanted if not (dist / "source" / path).exists()} == set()
    assert not (dist / "source" / "tests" / "recordings").exists()


def test_the_version_is_written_in_one_place(dist: Path) -> None:
    assert sorted(path.name for path in dist.iterdir() if path.is_file()) == [
        f"pprof_exporter-{__version__}-py3-none-any.whl",
        f"pprof_exporter-{__version__}.tar.gz",
    ]
    assert (PROJECT / "CHANGELOG.md").read_text().split("## ")[1].startswith(__version__)


def test_pipx_run_finds_a_command_of_the_name_of_the_package(installed: Path) -> None:
    facts = next(installed.glob("*.dist-info"))
    entries = configparser.ConfigParser()
    entries.read(facts / "entry_points.txt")
    name = email.message_from_string((facts / "METADATA").read_text())["Name"]
    module, _, function = entries["console_scripts"][name].partition(":")
    code = f"import sys; from {module} import {function}; sys.argv = [{name!r}, '--version']; {function}()"
    environ = {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    said = subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True).stdout
    assert said == f"pprof-exporter {__version__} (python reader)\n"


def test_the_unpacked_wheel_runs_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    profile = next(installed.glob("pprof_exporter/demo/recordings/*/busy/heap.pb.gz"))
    assert '"inuse_space"' in ran(installed, "inspect", str(profile), "--format", "json", cwd=tmp_path)


def test_rules_and_dashboards_come_out_of_the_wheel_as_in_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert ran(installed, "rules", cwd=tmp_path) == (PROJECT / "rules" / "pprof.rules.yaml").read_text()
    ran(installed, "dashboards", "--output=here", cwd=tmp_path)
    shipped = {path.name: path.read_text() for path in (PROJECT / "grafana" / "dashboards").glob("*.json")}
    assert {path.name: path.read_text() for path in (tmp_path / "here").iterdir()} == shipped


def test_the_same_source_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """Another folder, other times and other rights: what is built is the same."""
    source = tmp_path / "elsewhere"
    shutil.copytree(dist / "source", source)
    for path in source.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o600)
    for kind, pattern in (("wheel", "*.whl"), ("sdist", "*.tar.gz")):
        again = build(kind, source, tmp_path / kind)
        assert again.read_bytes() == next(dist.glob(pattern)).read_bytes()
