"""Mappings of recorded programs have the roles and times that their systems gave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pprof_exporter.profile import Module, ModuleRole, modules
from tests.recorded import LINUX, WINDOWS, profile

NTDLL = r"C:\windows\system32\ntdll.dll"
PROGRAM = r"C:\app\app.exe"
on_windows = pytest.mark.parametrize("program", WINDOWS)


def recorded(program: str, file: str = "goroutine.pb.gz") -> dict[str, Module]:
    return {module.file: module for module in modules(profile(program, file).mapped_files)}


def role_of(file: str, program: str) -> ModuleRole:
    return modules(((program, ""), (file, "")))[1].role


def modified(stamp: str) -> datetime | None:
    return modules(((PROGRAM, PROGRAM + stamp),))[0].modified


@on_windows
def test_windows_programs_list_their_modules(program: str) -> None:
    found = recorded(program)
    assert len(found) > 10
    assert [module.file.rsplit("\\", 1)[-1] for module in found.values() if module.role is ModuleRole.MAIN] == [
        "target.exe"
    ]
    assert found[NTDLL].role is ModuleRole.SYSTEM
    assert {module.role for module in found.values()} == {ModuleRole.MAIN, ModuleRole.SYSTEM}
    assert all(module.modified is not None and module.modified.tzinfo is UTC for module in found.values())


@on_windows
def test_a_security_product_is_foreign(program: str) -> None:
    foreign = [
        module for module in recorded(program, "goroutine_agent.pb.gz").values() if module.role is ModuleRole.FOREIGN
    ]
    assert [module.file.rsplit("\\", 1)[-1] for module in foreign] == ["agent64.dll"]
    assert foreign[0].modified is not None


@on_windows
def test_an_update_shows_as_a_later_time(program: str) -> None:
    before, after = recorded(program)[NTDLL].modified, recorded(program, "goroutine_updated.pb.gz")[NTDLL].modified
    assert before is not None
    assert after is not None
    assert after - before == timedelta(days=1)


@pytest.mark.parametrize("program", LINUX)
def test_linux_programs_list_themselves_and_the_kernel(program: str) -> None:
    roles = {module.file.rsplit("/", 1)[-1]: module.role for module in recorded(program).values()}
    assert roles == {"target": ModuleRole.MAIN, "[vdso]": ModuleRole.SYSTEM, "[vsyscall]": ModuleRole.SYSTEM}


@pytest.mark.parametrize(
    ("file", "program", "role"),
    [
        ("c:/WINDOWS/SysWOW64/x.dll", PROGRAM, ModuleRole.SYSTEM),
        (r"c:\APP\helper.dll", PROGRAM, ModuleRole.OWN),
        (r"C:\app\plugins\x.dll", PROGRAM, ModuleRole.FOREIGN),
        (r"\\share\tools\hook.dll", PROGRAM, ModuleRole.FOREIGN),
        (r"\\?\C:\Windows\System32\ntdll.dll", PROGRAM, ModuleRole.SYSTEM),
        (r"\??\C:\Windows\System32\ntdll.dll", PROGRAM, ModuleRole.SYSTEM),
        (r"\Device\HarddiskVolume3\Windows\System32\ntdll.dll", PROGRAM, ModuleRole.SYSTEM),
        (r"D:\WINNT\System32\ntdll.dll", PROGRAM, ModuleRole.SYSTEM),
        (r"\\?\UNC\share\tools\hook.dll", PROGRAM, ModuleRole.FOREIGN),
        (r"C:\app\helper.dll", r"\\?\c:\App\shop.exe", ModuleRole.OWN),
        (r"\\?\UNC\share\app\helper.dll", r"\\Share\app\shop.exe", ModuleRole.OWN),
        ("/usr/lib/libc.so.6", "/srv/app", ModuleRole.SYSTEM),
        ("/lib64/ld.so", "/srv/app", ModuleRole.SYSTEM),
        ("/srv/plugin.so", "/srv/app", ModuleRole.OWN),
        ("/opt/agent/hook.so", "/srv/app", ModuleRole.FOREIGN),
        ("[vdso]", "/srv/app", ModuleRole.SYSTEM),
        ("", "/srv/app", ModuleRole.UNNAMED),
    ],
)
def test_a_role_follows_from_the_path(file: str, program: str, role: ModuleRole) -> None:
    assert role_of(file, program) is role


def test_the_first_named_mapping_is_the_program() -> None:
    assert [module.role for module in modules((("", ""), ("/srv/app", "")))] == [
        ModuleRole.UNNAMED,
        ModuleRole.MAIN,
    ]
    assert modules(()) == ()


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-11-23 19:07:25.5571461 +0000 GMT", datetime(2026, 11, 23, 19, 7, 25, 557146, UTC)),
        ("2026-11-23 19:07:25 +0200 CEST", datetime(2026, 11, 23, 17, 7, 25, tzinfo=UTC)),
        ("2026-11-23 19:07:25.5 -0330 NST", datetime(2026, 11, 23, 22, 37, 25, 500000, UTC)),
    ],
)
def test_the_time_of_a_file_is_read_from_its_build_id(stamp: str, expected: datetime) -> None:
    assert modified(stamp) == expected


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "abcdef0123",
        "2026-13-45 19:07:25 +0000 GMT",
        "2026-11-23 19:07:25 +9900 X",
        "0001-01-01 00:00:00 +0100 CET",
        "9999-12-31 23:59:59 -0100 X",
        "0000-01-01 00:00:00 +0000 UTC",
    ],
)
def test_what_is_no_time_is_none(stamp: str) -> None:
    assert modified(stamp) is None
