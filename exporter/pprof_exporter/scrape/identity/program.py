"""What a list of modules says about the program and the system, as a fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

from pprof_exporter.profile import KnownGoVersion, Module, ModuleRole, System, same_path
from pprof_exporter.store import NO_BUILD_ID, NO_MODULES, PARTS, Fingerprint

# Every Windows update of the kernel's user side replaces these, and every process has them.
_CORE_MODULES = ("ntdll.dll", "kernel32.dll", "kernelbase.dll")


def software(system: System | None, modules: Sequence[Module], go: KnownGoVersion) -> Fingerprint:
    """The fingerprint of a process with these modules and this Go version."""
    windows = system is System.WINDOWS
    core = sorted(core_modules(modules).items())
    return Fingerprint(
        system=PARTS.join(f"{name} {_utc(modified)}" for name, modified in core) if windows else "",
        binary=_binary(modules, windows=windows),
        go=str(go.exact) if go.exact is not None else f"{go.at_least}+" if go.at_least is not None else "",
        modules=(PARTS.join(foreign_modules(modules)) or NO_MODULES) if windows and core else "",
    )


def main_module(modules: Sequence[Module]) -> Module | None:
    """The program itself, or None."""
    return next((module for module in modules if module.role is ModuleRole.MAIN), None)


def program_of(modules: Sequence[Module]) -> str:
    """Base name of the program, or ""."""
    main = main_module(modules)
    return base_name(main.file) if main is not None else ""


def build_of(modules: Sequence[Module]) -> str:
    """A digest of the build of the program, or "".

    On Windows the build id is the path with the time of the file, in the time zone of the process
    (runtime/pprof/pe.go): the same instant in another zone, or the same path in another spelling, is the same build.
    Without a time, the file could not be read.
    """
    main = main_module(modules)
    if main is None or not main.build_id or main.build_id == main.file:
        return ""
    text = f"{same_path(main.file)}{_utc(main.modified)}" if main.modified is not None else main.build_id
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def foreign_modules(modules: Sequence[Module]) -> list[str]:
    """Base names of modules that belong to neither the system nor the program, sorted."""
    return sorted({base_name(module.file).lower() for module in modules if module.role is ModuleRole.FOREIGN})


def core_modules(modules: Sequence[Module]) -> dict[str, datetime]:
    """Base name of each core module of Windows, and when its file was changed."""
    return {
        base_name(module.file).lower(): module.modified
        for module in modules
        if module.role is ModuleRole.SYSTEM and module.modified and base_name(module.file).lower() in _CORE_MODULES
    }


def base_name(path: str) -> str:
    """The file name without its folders, for Windows and POSIX paths."""
    return path.replace("\\", "/").rpartition("/")[2]


def _binary(modules: Sequence[Module], *, windows: bool) -> str:
    program, build = program_of(modules), build_of(modules)
    if not program or (windows and not build):
        return ""
    if windows:
        program = program.lower()
    return f"{program} {build or NO_BUILD_ID}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z"
