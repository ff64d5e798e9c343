"""What is built is what users get: everything that the program needs, and nothing that it does not."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.lab import PROJECT

PACKAGE = PROJECT / "exporter" / "pprof_exporter"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An sdist of the checkout, and a wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run([*build, "-t", "sdist"], cwd=PROJECT, check=True, capture_output=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "source", filter="data")
    source = next((folder / "source").iterdir())
    subprocess.run([*build, "-t", "wheel"], cwd=source, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_the_whole_package_with_its_data(dist: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    wanted = {
        f"pprof_exporter/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= packed
    assert "pprof_exporter/demo/target/main.go" in packed
    assert "pprof_exporter/rules/runbooks/PprofCpuCoverageLow.md" in packed
    assert not [name for name in packed if name.startswith("tests")]


def test_the_unpacked_wheel_runs_without_the_checkout(dist: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    profile = next(tmp_path.glob("pprof_exporter/demo/recordings/*/busy/heap.pb.gz"))
    ran = subprocess.run(
        [sys.executable, "-m", "pprof_exporter", "inspect", str(profile), "--format", "json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert '"inuse_space"' in ran.stdout
