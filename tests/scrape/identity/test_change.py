"""An upgrade in words: what each part was, and is now."""

from __future__ import annotations

import pytest

from pprof_exporter.scrape.identity.change import change_event
from pprof_exporter.store import NO_BUILD_ID, Change, Fingerprint, changed_parts


def values(before: Fingerprint, after: Fingerprint) -> dict[Change, tuple[str, str]]:
    return dict(change_event(1.0, before, after, changed_parts(before, after), None).values)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("shop a1b2", "shop c3d4", ("a1b2", "c3d4")),
        ("my shop.exe a1b2", "my shop.exe c3d4", ("a1b2", "c3d4")),
        (f"shop {NO_BUILD_ID}", "shop c3d4", (NO_BUILD_ID, "c3d4")),
        ("shop a1b2", "till c3d4", ("shop a1b2", "till c3d4")),
    ],
)
def test_a_build_has_the_name_of_its_program_only_if_that_changed(
    before: str, after: str, said: tuple[str, str]
) -> None:
    assert values(Fingerprint(binary=before), Fingerprint(binary=after)) == {Change.BINARY: said}


def test_of_the_modules_of_the_system_those_that_changed_are_named() -> None:
    before = Fingerprint(system="kernel32.dll 1, ntdll.dll 1")
    after = Fingerprint(system="kernel32.dll 1, ntdll.dll 2")
    assert values(before, after) == {Change.OPERATING_SYSTEM: ("ntdll.dll 1", "ntdll.dll 2")}


def test_a_module_that_came_first_came_from_none() -> None:
    assert values(Fingerprint(modules="none"), Fingerprint(modules="guard.dll")) == {
        Change.MODULES: ("none", "guard.dll")
    }


def test_a_long_list_of_modules_is_cut() -> None:
    many = ", ".join(f"module-{number}.dll" for number in range(100))
    ((_, after),) = values(Fingerprint(modules="none"), Fingerprint(modules=many)).values()
    assert len(after) == 200
    assert after.endswith("…")
