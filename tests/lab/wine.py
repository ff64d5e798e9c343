"""Wine, which runs the Windows build of the test target: Go's Windows runtime without Windows."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import LAB, Missing, debian, exclusive, run

PREFIX = LAB / "wine"
_LOADER = Path("/usr/lib/wine/wine64")
_COMPILER = "x86_64-w64-mingw32-gcc"
_PACKAGES = ("wine64", "gcc-mingw-w64-x86-64-win32")

# Go takes its random numbers from here since 1.21 (runtime/os_windows.go); Wine has the library since 9.
_PRNG = """\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
"""


def loader() -> Path:
    """The Wine loader with a prefix ready for Go programs; raise `Missing` where that cannot be had."""
    with exclusive("wine"):
        # What compiles libraries for Windows is on the path, the loader is not.
        debian.installed(_COMPILER, *_PACKAGES)
        if not _LOADER.exists():
            raise Missing(f"Wine: no {_LOADER} beside {_COMPILER}: install {' and '.join(_PACKAGES)}")
        if not (PREFIX / "ready").exists():
            _prepare()
    return _LOADER


def version() -> str:
    """The version of Wine in words, such as `Wine 8.0`."""
    printed = run([loader(), "--version"], env=environment()).split()[0]
    return printed.replace("wine-", "Wine ")


def environment() -> dict[str, str]:
    """What every Wine process needs: the project's own prefix, no messages, no desktop."""
    run_folder = PREFIX / "run"
    run_folder.mkdir(parents=True, exist_ok=True)
    run_folder.chmod(0o700)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(PREFIX / "home"),
        "USER": "target",
        "WINEPREFIX": str(PREFIX),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
        "XDG_RUNTIME_DIR": str(run_folder),
    }


def place(program: Path) -> str:
    r"""Copy a Windows build to `C:\target\NAME\target.exe`, NAME its folder; return that Windows path."""
    name = program.parent.name.removeprefix("windows-")
    path = drive() / "target" / name / "target.exe"
    with exclusive("wine-place"):
        content = program.read_bytes()
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(path)
    return rf"C:\target\{name}\target.exe"


def drive() -> Path:
    """The folder that is drive C of the prefix."""
    return PREFIX / "drive_c"


@contextlib.contextmanager
def updated(seconds: float = 86400.0) -> Iterator[None]:
    """Make the system libraries look replaced: Go writes their modification times into profiles (runtime/pprof/pe.go).

    Every program of the prefix sees it while the context lasts.
    """
    loader()
    system = drive() / "windows" / "system32"
    libraries = [system / name for name in ("ntdll.dll", "kernel32.dll", "kernelbase.dll")]
    before = {library: library.stat() for library in libraries}
    try:
        for library, stat in before.items():
            os.utime(library, (stat.st_atime, stat.st_mtime + seconds))
        yield
    finally:
        for library, stat in before.items():
            os.utime(library, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def agent() -> str:
    """A library outside Windows and outside the program's folder, as security products have; its Windows path."""
    loader()
    library = drive() / "Program Files" / "Endpoint Agent" / "agent64.dll"
    if not library.exists():
        with exclusive("wine-agent"):
            library.parent.mkdir(parents=True, exist_ok=True)
            _compile("int endpoint_agent(void) { return 1; }\n", library)
    return r"C:\Program Files\Endpoint Agent\agent64.dll"


def stop() -> None:
    """End whatever still runs in the prefix: Wine's own services outlive the program by seconds."""
    server = _LOADER.with_name("wineserver64")
    if PREFIX.exists() and server.exists():
        subprocess.run([server, "-k"], env=environment(), check=False, capture_output=True, timeout=60)


def _prepare() -> None:
    (PREFIX / "home").mkdir(parents=True, exist_ok=True)
    run([_LOADER, "wineboot", "-i"], env=environment(), timeout=120)
    system = drive() / "windows" / "system32"
    library = system / "bcryptprimitives.dll"
    if not library.exists():
        _compile(_PRNG, library)
    (PREFIX / "ready").touch()


def _compile(source: str, library: Path) -> None:
    text = PREFIX / f"{library.stem}.c"
    text.write_text(source)
    run([_COMPILER, "-O2", "-shared", "-o", library, text, "-ladvapi32"])
