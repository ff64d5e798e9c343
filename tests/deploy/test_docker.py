"""The image, as far as it can be had without a container engine: its steps run, in order, in a plain folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lab import PROJECT, free_port, run
from tests.lab.pypi import hadolint

FOLDER = PROJECT / "deploy" / "docker"
DOCKERFILE = FOLDER / "Dockerfile"
LOCKS = [FOLDER / "requirements.txt", FOLDER / "build.txt"]


def steps() -> list[tuple[str, str]]:
    """Instructions and their words, in order, comments and line ends taken away."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", "")
    return [(name, words) for name, _, words in (line.partition(" ") for line in text.splitlines()) if name]


def stages() -> list[list[tuple[str, str]]]:
    """The steps of each stage."""
    found: list[list[tuple[str, str]]] = []
    for step in steps():
        if step[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_the_linter_has_nothing_to_say() -> None:
    said = run([hadolint(), "--config", FOLDER / ".hadolint.yaml", "--format", "json", DOCKERFILE])
    assert json.loads(said) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_library_is_pinned_with_hashes_and_no_index_is_named(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for requirement in re.split(r"\n(?=[a-z])", text.split("\n", 2)[2]):
        assert re.match(r"[\w.-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", requirement), requirement
    unpinned = [line for line in text.splitlines() if not re.match(r"#|    #|    --hash=sha256:|[\w.-]+==", line)]
    assert unpinned == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_the_lock_satisfies_the_project(lock: Path) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = (
        project["project"]["dependencies"] if lock.name == "requirements.txt" else project["build-system"]["requires"]
    )
    versions = pinned(lock)
    for requirement in map(Requirement, wanted):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked: run `make lock`"
        assert requirement.specifier.contains(version), f"{requirement}, but {version} is locked: run `make lock`"


def test_the_build_sees_every_file_that_it_copies() -> None:
    lines = [
        line for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] not in ("#", "")
    ]
    assert lines[0] == "*"
    kept = [line[1:] for line in lines if line.startswith("!")]
    copied = [source for _, words in stages()[0] if _ == "COPY" for source in words.split()[:-1]]
    assert sorted(copied) == sorted(kept)


def test_both_stages_have_the_same_python_on_the_same_debian() -> None:
    bases = dict(words.split("=", 1) for name, words in steps() if name == "ARG")
    assert bases["COMPILER"] == bases["BASE"].replace("-slim", "")


def test_the_image_is_not_root_and_asks_itself() -> None:
    final = dict(stages()[-1])
    user = final["USER"].split(":")[0]
    assert user.isdigit()
    assert int(user) > 0
    assert "curl" not in DOCKERFILE.read_text().lower()
    command = json.loads(final["HEALTHCHECK"].partition("CMD ")[2])
    assert command == ["pprof-exporter", "healthcheck"]
    assert json.loads(final["ENTRYPOINT"]) == command[:1]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first stage done below a folder; the programs are in `opt/pprof-exporter/bin` of it."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    for name, words in stages()[0]:
        if name == "COPY":
            *sources, to = words.split()
            for path in sources:
                _copy(PROJECT / path, source / to, into=len(sources) > 1 or to.endswith("/"))
        elif name == "RUN":
            # A cache is left out of an image for its size, and what is compiled is in it to start sooner.
            command = words.replace("/opt/", f"{root}/opt/").replace("--no-cache-dir ", "")
            command = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", command)
            run(["sh", "-ec", command], cwd=source, env=os.environ | {"PIP_NO_COMPILE": "1"}, timeout=1200)
        else:
            assert name in ("FROM", "WORKDIR"), f"{name} is not simulated here"
    return root / "opt" / "pprof-exporter" / "bin"


def _copy(path: Path, to: Path, *, into: bool) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    target = to / path.name if into else to
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target, ignore=ignored)
    else:
        shutil.copy2(path, target)


def test_what_the_steps_install_is_the_lock_and_the_program(image: Path) -> None:
    site = next(image.parent.glob("lib/python*/site-packages"))
    found = {path.name.split("-")[0].lower().replace("_", "-") for path in site.glob("*.dist-info")}
    wanted = {name.replace("_", "-").lower() for name in pinned(LOCKS[0])}
    # Locked for all systems and versions of Python: some are not for this one.
    assert found - {"pprof-exporter"} <= wanted
    assert {canonicalize_name(Requirement(one).name) for one in _dependencies()} <= found
    assert "pip" not in found


def test_the_image_has_the_compiled_reader_and_nothing_to_compile_it(image: Path) -> None:
    assert run([image / "pprof-exporter", "--version"]).endswith("(native reader)\n")
    site = next(image.parent.glob("lib/python*/site-packages"))
    assert not [name for name in ("Cython", "setuptools") if (site / name).exists()]


def _dependencies() -> list[str]:
    return list(tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"])


@pytest.fixture
def serving(image: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The program of the image at work; yields its environment."""
    environ = {"PATH": f"{image}:/usr/bin:/bin", "PPROF_EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{free_port()}"}
    command = [str(image / "pprof-exporter"), "127.0.0.1:9"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert b"listening" in process.stderr.readline()
            yield environ
        finally:
            process.terminate()
            process.communicate(timeout=300)
    assert process.returncode == 0


def test_the_health_check_of_the_image_tells_a_live_program_from_a_dead_one(
    serving: dict[str, str], tmp_path: Path
) -> None:
    command = json.loads(dict(stages()[-1])["HEALTHCHECK"].partition("CMD ")[2])
    program = shutil.which(command[0], path=serving["PATH"])
    assert program is not None
    patient = [program, *command[1:], "--timeout=120"]
    assert run(patient, env=serving, cwd=tmp_path) == "healthy\n"
    dead = serving | {"PPROF_EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{free_port()}"}
    assert subprocess.run(patient, env=dead, check=False, capture_output=True).returncode == 1


def test_nothing_of_the_checkout_is_left_out_that_the_wheel_wants(image: Path) -> None:
    package = next(image.parent.glob("lib/python*/site-packages/pprof_exporter"))
    ours = PROJECT / "exporter" / "pprof_exporter"
    files = {path.relative_to(ours) for path in ours.rglob("*") if path.is_file()}
    missing = [
        path
        for path in files
        if "__pycache__" not in path.parts and not fnmatch(path.name, "*.pyc") and not (package / path).exists()
    ]
    assert missing == []
    assert (package / "rules" / "runbooks" / "PprofTargetDown.md").exists()
