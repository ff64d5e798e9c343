"""A wheel has the compiled reader of profiles or is pure Python, as `PPROF_EXPORTER_BUILD` says; both read the same."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import hatch_build
from pprof_exporter import __version__
from pprof_exporter.profile import READER, ReaderName
from tests.lab import PROJECT, Missing, exclusive, run
from tests.lab.pypi import environment

SOURCES = PROJECT / "exporter" / hatch_build.READER
SCRIPT = PROJECT / "tests" / "wheel" / "read_recordings.py"
NO_COMPILER = {"CC": "/nonexistent"}


def built(
    to: Path, environ: Mapping[str, str], *, kind: str = "wheel", source: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Build a wheel or an sdist; what this session is told about building does not count."""
    surroundings = {name: value for name, value in os.environ.items() if name != hatch_build.SWITCH}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(to), "-t", kind]
    return subprocess.run(
        command, cwd=source, env={**surroundings, **environ}, check=False, capture_output=True, text=True
    )


@dataclass(frozen=True, slots=True)
class Installed:
    """A wheel, what was said when it was built, and the programs of an environment that has it."""

    wheel: Path
    said: str
    programs: Path

    def ran(self, program: str, *words: str | Path) -> str:
        """What a program prints, far from the checkout."""
        return run([self.programs / program, *words], cwd=self.wheel.parent)


def installed(folder: Path, name: str, environ: Mapping[str, str]) -> Installed:
    """Build a wheel, once for all processes of a test run, and install it."""
    run_of_tests = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    with exclusive(f"wheel-{name}"):
        shared = folder.parents[1] / f"{name}-{run_of_tests}"
        said = shared / "said"
        if not said.exists():
            done = built(shared, environ)
            assert done.returncode == 0, done.stderr
            said.write_text(done.stdout + done.stderr)
    (wheel,) = shared.glob("*.whl")
    run([sys.executable, "-m", "venv", "--without-pip", folder / "environment"])
    programs = folder / "environment" / "bin"
    # pip refuses a wheel whose tag does not fit.
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--no-index", "--no-deps"]
    run([*pip, wheel])
    # The libraries of this session, without what its own `.pth` files name.
    (site,) = programs.parent.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(wheel, said.read_text(), programs)


def modules(wheel: Path) -> list[str]:
    """Where the compiled modules of a wheel are, without what the platform adds to their names."""
    with zipfile.ZipFile(wheel) as files:
        return sorted(name.partition(".")[0] for name in files.namelist() if name.endswith((".so", ".pyd")))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of a machine with a compiler."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        raise Missing(f"the compiler {compiler}")
    if not (header := Path(sysconfig.get_path("include"), "Python.h")).exists():
        raise Missing(f"{header}: install the headers of Python")
    return installed(tmp_path_factory.mktemp("native"), "native", {hatch_build.SWITCH: "native"})


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of a machine without a compiler."""
    return installed(tmp_path_factory.mktemp("pure"), "pure", NO_COMPILER)


def test_a_native_wheel_has_every_module_for_all_versions_of_python(native: Installed) -> None:
    assert native.wheel.name.startswith(f"pprof_exporter-{__version__}-cp311-abi3-")
    assert modules(native.wheel) == sorted(f"{hatch_build.READER}/{file.stem}" for file in SOURCES.glob("*.pyx"))
    assert native.ran("pprof-exporter", "--version") == f"pprof-exporter {__version__} (native reader)\n"


def test_the_sdist_in_another_folder_gives_the_same_native_wheel(native: Installed, tmp_path: Path) -> None:
    built(tmp_path, {}, kind="sdist")
    run([sys.executable, "-m", "tarfile", "--extract", next(tmp_path.glob("*.tar.gz")), tmp_path / "unpacked"])
    (source,) = (tmp_path / "unpacked").iterdir()
    done = built(tmp_path, {hatch_build.SWITCH: "native"}, source=source)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / native.wheel.name).read_bytes() == native.wheel.read_bytes()


def test_without_a_compiler_the_wheel_is_pure_and_says_why(pure: Installed) -> None:
    assert pure.wheel.name == f"pprof_exporter-{__version__}-py3-none-any.whl"
    assert modules(pure.wheel) == []
    assert pure.ran("pprof-exporter", "--version") == f"pprof-exporter {__version__} (python reader)\n"
    said, path = pure.said.splitlines()
    assert said.startswith("The reader of profiles is not compiled, and runs in Python, slower: ")
    assert said.endswith("'/nonexistent'")
    assert Path(path) == pure.wheel


def test_both_wheels_read_every_recording_the_same(native: Installed, pure: Installed) -> None:
    said = native.ran("python", "-P", SCRIPT, ReaderName.NATIVE)
    assert said.count('"sample_types"') > 50
    assert pure.ran("python", "-P", SCRIPT, ReaderName.PYTHON) == said


def test_the_check_of_a_native_wheel_refuses_a_pure_one(pure: Installed) -> None:
    with pytest.raises(Missing, match="the python reader serves"):
        pure.ran("python", "-P", SCRIPT, ReaderName.NATIVE)


def test_a_release_without_a_compiler_fails(tmp_path: Path) -> None:
    done = built(tmp_path, {hatch_build.SWITCH: "native", **NO_COMPILER})
    assert done.returncode != 0
    (said,) = (done.stdout + done.stderr).splitlines()
    assert said.startswith("PPROF_EXPORTER_BUILD=native, but the reader of profiles cannot be compiled: ")
    assert list(tmp_path.iterdir()) == []


def test_a_pure_wheel_can_be_asked_for(tmp_path: Path) -> None:
    done = built(tmp_path, {hatch_build.SWITCH: "pure"})
    (wheel,) = tmp_path.iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    assert (done.stdout + done.stderr).splitlines() == [str(wheel)]


def test_an_unknown_way_to_build_is_an_error(tmp_path: Path) -> None:
    done = built(tmp_path, {hatch_build.SWITCH: "fast"})
    assert done.returncode != 0
    assert "PPROF_EXPORTER_BUILD=fast: it takes auto, native or pure." in done.stdout + done.stderr


def test_this_checkout_has_both_readers() -> None:
    if READER.name is not ReaderName.NATIVE:
        raise Missing("the compiled reader: install a compiler, then `make clean setup`")


def test_an_editable_installation_leaves_no_older_module(tmp_path: Path) -> None:
    sources, made = tmp_path / "reader", tmp_path / "made"
    sources.mkdir()
    made.mkdir()
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for name in ("_gone.abi3.so", f"_gone{suffix}", "_kept.abi3.so", "_kept.pyx"):
        (sources / name).write_text("old")
    (made / "_kept.abi3.so").write_text("new")
    hatch_build.put_beside(sources, [made / "_kept.abi3.so"])
    assert {file.name: file.read_text() for file in sources.iterdir()} == {"_kept.abi3.so": "new", "_kept.pyx": "old"}
    hatch_build.put_beside(sources, [])
    assert [file.name for file in sources.iterdir()] == ["_kept.pyx"]


def test_a_python_without_the_limited_api_gets_the_reader_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sysconfig, "get_config_var", {"Py_GIL_DISABLED": 1}.get)
        with pytest.raises(hatch_build.NotCompiled, match="free-threaded"):
            hatch_build.compiled(SOURCES, tmp_path)
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    with pytest.raises(hatch_build.NotCompiled, match="pypy"):
        hatch_build.compiled(SOURCES, tmp_path)


@pytest.mark.lab
def test_nothing_beyond_the_limited_api_is_used(native: Installed) -> None:
    audit = environment("abi3audit", ["abi3audit==0.0.26"]) / "abi3audit"
    done = subprocess.run([audit, "--strict", native.wheel], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.lab
@pytest.mark.parametrize(
    ("platform", "wheels"),
    [
        ("linux", ["manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"]),
        ("macos", ["macosx_x86_64", "macosx_arm64"]),
        ("windows", ["win_amd64", "win_arm64"]),
    ],
)
def test_a_release_has_one_wheel_for_each_platform(platform: str, wheels: list[str]) -> None:
    command = environment("cibuildwheel", ["cibuildwheel==4.3.5"]) / "cibuildwheel"
    said = run([command, "--print-build-identifiers", "--platform", platform], cwd=PROJECT)
    assert said.split() == [f"cp311-{wheel}" for wheel in wheels]


def test_the_wheels_of_a_release_are_native_and_tried() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["cibuildwheel"]
    assert settings["environment"] == {hatch_build.SWITCH: "native"}
    assert settings["test-command"].split() == [
        *("python", "-P"),
        f"{{project}}/{SCRIPT.relative_to(PROJECT).as_posix()}",
        ReaderName.NATIVE,
    ]
