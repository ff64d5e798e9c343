"""Compiles the reader of profiles into the wheel where there is a compiler; elsewhere the wheel is pure Python.

`PPROF_EXPORTER_BUILD` chooses: `auto`, the default, tries; `native` makes a failure an error; `pure` does not try.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "PPROF_EXPORTER_BUILD"
READER = Path("pprof_exporter", "profile", "reader")
BUILT = Path("built")
LIMITED_API = [("Py_LIMITED_API", "0x030B0000")]
"""Python 3.11: one wheel for each platform serves it and every later version."""


class NotCompiled(Exception):
    """There are no compiled modules; the text says why."""


class CompiledReader(BuildHookInterface[BuilderConfig]):
    """Adds the compiled modules to a wheel, or puts them beside their sources for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the wheel are collected."""
        wanted = os.environ.get(SWITCH) or "auto"
        if wanted not in ("auto", "native", "pure"):
            self.app.abort(f"{SWITCH}={wanted}: it takes auto, native or pure.")
        sources = Path(self.root, "exporter", READER)
        # Each build has its own folder, so that two at a time do not disturb each other, and no path is in the modules.
        self._folder = TemporaryDirectory(prefix="pprof-exporter-")
        modules: list[Path] = []
        try:
            if wanted != "pure":
                build_data["tag"] = compiled(sources, Path(self._folder.name))
                modules = sorted((self._folder.name / BUILT / READER).iterdir())
        except NotCompiled as error:
            if wanted == "native":
                self.app.abort(f"{SWITCH}=native, but the reader of profiles cannot be compiled: {error}")
            self.app.display_warning(f"The reader of profiles is not compiled, and runs in Python, slower: {error}")
        build_data["pure_python"] = not modules
        if version == "editable":
            put_beside(sources, modules)
        else:
            build_data["force_include"] |= {str(module): str(READER / module.name) for module in modules}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled: the wheel has it."""
        self._folder.cleanup()


def compiled(sources: Path, folder: Path) -> str:
    """Compile copies of the sources in a folder; returns the tag of the wheel. Raises `NotCompiled`."""
    if sys.implementation.name != "cpython":
        raise NotCompiled(f"{sys.implementation.name} has no limited API")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        # Compiled for this version alone, the modules would turn the lock on again for the whole process.
        raise NotCompiled("free-threaded Python has no limited API before 3.15")
    (folder / READER).mkdir(parents=True)
    for file in (*sources.glob("*.pyx"), *sources.glob("*.pxd")):
        shutil.copy(file, folder / READER)
    for package in (READER, *READER.parents[:-1]):
        (folder / package / "__init__.py").touch()
    # In a process of its own: setuptools changes the one that it is imported in, and compilers print at will.
    done = subprocess.run(
        [sys.executable, __file__], cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).splitlines()
        raise NotCompiled(next((line for line in said if "error:" in line.lower()), f"exit code {done.returncode}"))
    return done.stdout.splitlines()[-1]


def put_beside(sources: Path, modules: list[Path]) -> None:
    """Make these the compiled modules of a checkout: older ones would read profiles as their sources did then."""
    for module in modules:
        # Renamed into place, so that nothing imports half of it.
        half = sources / f".{module.name}.{os.getpid()}"
        shutil.copy(module, half)
        half.replace(sources / module.name)
    names = {module.name for module in modules}
    for old in {file for suffix in EXTENSION_SUFFIXES for file in sources.glob(f"*{suffix}")}:
        if old.name not in names:
            old.unlink(missing_ok=True)


def compile_here() -> str:
    """Compile the modules below the current folder; returns the tag of a wheel that has them."""
    # They may be missing where the build is not isolated.
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    def build(extensions: list[Any], to: Path) -> Any:
        settings = {
            "build_ext": {"build_lib": str(to), "build_temp": "objects", "parallel": os.cpu_count()},
            # It knows how platforms are named; on macOS that depends on what was linked.
            "bdist_wheel": {"py_limited_api": "cp311", "bdist_dir": str(to)},
        }
        built = Distribution({"name": "pprof-exporter", "ext_modules": extensions, "options": settings})
        built.parse_config_files()  # A cross compilation for Windows on ARM says there what it compiles for.
        built.run_command("build_ext")
        return built

    # Translating takes ten seconds, which are lost where not even an empty module can be compiled.
    Path("trial.c").write_text(
        "#include <Python.h>\nPyMODINIT_FUNC PyInit_trial(void) { return NULL; }\n", encoding="ascii"
    )
    build([Extension("trial", ["trial.c"])], Path("trial"))
    flags, strip = {"win32": ([], []), "darwin": (["-O2", "-g0"], ["-Wl,-S,-x"])}.get(
        sys.platform, (["-O2", "-g0"], ["-s"])
    )
    modules = [
        Extension(
            ".".join(file.with_suffix("").parts),
            [str(file)],
            define_macros=LIMITED_API,
            py_limited_api=True,
            extra_compile_args=flags,
            extra_link_args=strip,
        )
        for file in sorted(READER.glob("*.pyx"))
    ]
    wheel = build(cythonize(modules, language_level=3), BUILT).get_command_obj("bdist_wheel")
    wheel.ensure_finalized()
    return "-".join(wheel.get_tag())


if __name__ == "__main__":
    print(compile_here())
