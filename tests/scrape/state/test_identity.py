"""What a target is, learnt from real replies, and the upgrades that it goes through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pprof_exporter.config import Target, parse_target
from pprof_exporter.profile import (
    KnownGoVersion,
    ModuleRole,
    System,
    go_version_from_metrics,
    go_version_from_profile,
    modules,
    system_of,
)
from pprof_exporter.scrape.state.identity import Identity
from pprof_exporter.scrape.state.observation import ProcessFacts
from pprof_exporter.store import Change, Store
from tests.recorded import LINUX, PROGRAMS, RECORDINGS, WINDOWS, named, profile

RECORDED = sorted(RECORDINGS.glob("*-go1.*/*.pb.gz"))
NOW = 1_000_000.0
CORE = {"ntdll.dll", "kernel32.dll", "kernelbase.dll"}


def facts(program: str, file: str = "goroutine") -> ProcessFacts:
    found = profile(program, file)
    return ProcessFacts(system_of(found), modules(found.mappings), go_version_from_profile(found))


def version(program: str) -> str:
    return program.partition("-")[2]


def target(name: str = "shop:6060", service: str = "") -> Target:
    return parse_target(name, labels={"service": service} if service else {})


def identity(store: Store | None = None, *, name: str = "shop:6060", service: str = "") -> Identity:
    return Identity(target(name, service), store or Store.open(None, NOW))


def learnt(program: str, file: str = "goroutine") -> Identity:
    made = identity()
    made.learn(facts(program, file))
    return made


def see(seen: Identity, program: str, file: str = "goroutine", *, at: float = NOW) -> bool:
    """Fetch one profile of a program whose page tells its version."""
    seen.learn(facts(program, file))
    seen.learn_version("metrics", go_version_from_metrics(version(program)))
    return seen.enter(at)


def stay(seen: Identity, program: str, file: str = "goroutine", *, since: float, until: float) -> None:
    """Fetch the same profile once a minute."""
    for minute in range(int((until - since) / 60) + 1):
        see(seen, program, file, at=since + 60 * minute)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_profile_tells_system_and_program(program: str) -> None:
    known = learnt(program)
    assert known.system is (System.WINDOWS if program in WINDOWS else System.LINUX)
    assert known.program == ("target.exe" if program in WINDOWS else "target")


def test_before_any_profile_nothing_is_known() -> None:
    unknown = identity()
    assert (unknown.system, unknown.program, unknown.build, unknown.go_version) == (None, *["unknown"] * 3)
    assert unknown.foreign_modules == []
    assert unknown.core_modules == {}
    assert unknown.known_bugs == ()


def test_every_build_has_a_digest_of_its_own_and_keeps_it() -> None:
    # Go writes no build id on Linux before 1.24.
    named_builds = [program for program in PROGRAMS if program != "linux-go1.21.13"]
    builds = {learnt(program).build for program in named_builds}
    assert len(builds) == len(named_builds)
    assert "unknown" not in builds
    assert learnt("linux-go1.21.13").build == "unknown"
    for program in named_builds:
        files = [path.name for path in RECORDED if path.parent.name == program]
        assert {learnt(program, file).build for file in files} == {learnt(program).build}


@pytest.mark.parametrize("program", WINDOWS)
def test_core_modules_have_the_times_of_their_files(program: str) -> None:
    before, after = learnt(program).core_modules, learnt(program, "goroutine_updated").core_modules
    assert set(before) == set(after) == CORE
    recorded = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
    for name in CORE:
        assert recorded - 86400 * 400 < before[name] < recorded
        assert after[name] > before[name]


@pytest.mark.parametrize("program", LINUX)
def test_linux_tells_neither_core_nor_foreign_modules(program: str) -> None:
    assert learnt(program).core_modules == {}
    assert learnt(program).foreign_modules == []


@pytest.mark.parametrize("program", WINDOWS)
def test_a_module_of_security_software_is_told_by_its_base_name(program: str) -> None:
    assert learnt(program).foreign_modules == []
    assert learnt(program, "goroutine_agent").foreign_modules == ["agent64.dll"]


@pytest.mark.parametrize("path", RECORDED, ids=named)
def test_no_name_is_a_path(path: Path) -> None:
    known = learnt(path.parent.name, path.name)
    names = [known.program, known.build, *known.foreign_modules, *known.core_modules]
    assert not any(mark in name for name in names for mark in "/\\:")


def test_the_version_is_unknown_then_a_lower_bound_then_exact() -> None:
    known = learnt("linux-go1.21.13", "heap")
    assert known.go_version == "unknown"
    known.learn(facts("linux-go1.27.3"))
    assert known.go_version == "1.20+"
    known.learn_version("metrics", go_version_from_metrics("go1.27.3"))
    assert known.go_version == "1.27.3"
    known.learn_version("metrics", go_version_from_metrics("devel go1.28-abcdef"))
    assert known.go_version == "1.20+"


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_page_is_believed_over_lower_bounds(program: str) -> None:
    known = identity()
    see(known, program)
    assert f"go{known.go_version}" == version(program)


def test_first_sight_is_no_change() -> None:
    for program in PROGRAMS:
        known = identity()
        assert not see(known, program)
        assert not see(known, program, at=NOW + 60)
        assert not known.changes
        assert known.epoch is not None


@pytest.mark.parametrize(
    ("file", "change"), [("goroutine_updated", Change.OPERATING_SYSTEM), ("goroutine_agent", Change.MODULES)]
)
@pytest.mark.parametrize("program", WINDOWS)
def test_an_update_or_an_agent_is_exactly_that(program: str, file: str, change: Change) -> None:
    known = identity()
    see(known, program)
    assert see(known, program, file, at=NOW + 60)
    assert known.changes == {change: 1}
    assert known.last_change == {change: NOW + 60}
    assert not see(known, program, file, at=NOW + 120)
    assert known.changes == {change: 1}


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_version_on_the_page_is_a_change_of_go(program: str) -> None:
    known = identity()
    see(known, program)
    known.learn_version("metrics", go_version_from_metrics("go1.28.1"))
    assert known.enter(NOW + 60)
    assert known.changes == {Change.GO: 1}


def test_another_build_is_a_change_of_the_binary() -> None:
    known = identity()
    see(known, "linux-go1.24.11")
    assert see(known, "linux-go1.27.3", at=NOW + 60)
    assert known.changes == {Change.BINARY: 1, Change.GO: 1}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_profile_without_mappings_changes_nothing(program: str) -> None:
    known = identity()
    see(known, program)
    before = (known.system, known.program, known.build, known.go_version, known.core_modules)
    known.learn(ProcessFacts(None, (), KnownGoVersion()))
    assert not known.enter(NOW + 60)
    unnamed = replace(profile(program, "goroutine").mappings[0], file="", build_id="")
    known.learn(ProcessFacts(None, modules((unnamed,)), KnownGoVersion()))
    assert not known.enter(NOW + 120)
    assert (known.system, known.program, known.build, known.go_version, known.core_modules) == before
    assert not known.changes


def test_replicas_share_an_epoch_and_each_counts_its_own_upgrade_once() -> None:
    store, program = Store.open(None, NOW), WINDOWS[-1]
    one, other = (identity(store, name=name, service="shop") for name in ("a:1", "b:1"))
    see(one, program)
    see(other, program)
    assert one.epoch is not None
    assert other.epoch is not None
    assert one.epoch.id == other.epoch.id
    for step in range(1, 4):
        see(one, program, "goroutine_updated", at=NOW + 60 * step)
        see(other, program, at=NOW + 60 * step + 1)
    assert (one.changes, other.changes) == ({Change.OPERATING_SYSTEM: 1}, {})
    for step in range(4, 8):
        see(one, program, "goroutine_updated", at=NOW + 60 * step)
        see(other, program, "goroutine_updated", at=NOW + 60 * step + 1)
    assert one.changes == other.changes == {Change.OPERATING_SYSTEM: 1}
    assert one.epoch.id == other.epoch.id


def test_targets_without_a_service_have_epochs_of_their_own() -> None:
    store = Store.open(None, NOW)
    one, other = identity(store, name="a:1"), identity(store, name="b:1")
    see(one, LINUX[-1])
    assert not see(other, LINUX[-2])
    assert one.epoch is not None
    assert other.epoch is not None
    assert one.epoch.id != other.epoch.id


def test_a_rollback_counts_as_what_it_takes_back() -> None:
    known, program = identity(), WINDOWS[-1]
    see(known, program)
    first = known.epoch
    stay(known, program, "goroutine_updated", since=NOW + 60, until=NOW + 600)
    assert see(known, program, at=NOW + 660)
    assert known.changes == {Change.OPERATING_SYSTEM: 2}
    assert first is not None
    assert known.epoch is not None
    assert known.epoch.id == first.id


def test_a_quick_rollback_counts_once_the_other_epoch_has_ended() -> None:
    known, program = identity(), WINDOWS[-1]
    see(known, program)
    see(known, program, "goroutine_updated", at=NOW + 60)
    stay(known, program, since=NOW + 120, until=NOW + 360)
    assert known.changes == {Change.OPERATING_SYSTEM: 1}
    stay(known, program, since=NOW + 420, until=NOW + 1200)
    assert known.changes == {Change.OPERATING_SYSTEM: 2}


def test_a_quick_rollback_is_not_taken_for_the_upgrade_before_it() -> None:
    known, program = identity(), WINDOWS[-1]
    see(known, program)
    stay(known, program, "goroutine_updated", since=NOW + 60, until=NOW + 600)
    known.learn_version("metrics", go_version_from_metrics("go1.28.1"))
    known.enter(NOW + 660)
    assert known.changes == {Change.OPERATING_SYSTEM: 1, Change.GO: 1}
    stay(known, program, "goroutine_updated", since=NOW + 720, until=NOW + 1500)
    assert known.changes == {Change.OPERATING_SYSTEM: 1, Change.GO: 2}


def test_a_replica_that_is_still_little_known_has_changed_nothing() -> None:
    store = Store.open(None, NOW)
    one, other = (identity(store, name=name, service="shop") for name in ("a:1", "b:1"))
    see(one, "linux-go1.24.11")
    see(one, "linux-go1.27.3", at=NOW + 60)
    see(one, "linux-go1.24.11", at=NOW + 120)
    assert not other.enter(NOW + 130)
    assert not see(other, "linux-go1.27.3", at=NOW + 140)
    assert not other.changes


def test_a_signal_has_values_before_and_now() -> None:
    known, program = identity(), WINDOWS[-1]
    known.observe("latency", 9.0)
    see(known, program)
    known.compare()
    assert known.comparison is None
    for value in (0.1, 0.2, 0.3):
        known.observe("latency", value)
    see(known, program, "goroutine_updated", at=NOW + 60)
    known.observe("latency", 0.4)
    known.observe("new", 1.0)
    known.compare()
    assert known.comparison is not None
    assert set(known.comparison.signals) == {"latency"}
    before, now = known.comparison.signals["latency"]
    assert (before.count, now.count) == (3, 1)
    assert before.p50 == pytest.approx(0.2, rel=0.01)
    assert now.p50 == pytest.approx(0.4, rel=0.01)


def test_known_bugs_follow_system_and_version() -> None:
    old, new, unknown = identity(), identity(), learnt("windows-go1.21.13")
    see(old, "windows-go1.21.13")
    see(new, "linux-go1.27.3")
    assert {"golang/go#61665", "golang/go#44343"} <= {bug.id for bug in old.known_bugs}
    assert new.known_bugs == unknown.known_bugs == ()


def test_roles_of_the_recorded_modules() -> None:
    roles = {module.role for module in learnt(WINDOWS[-1], "goroutine_agent").modules}
    assert roles == {ModuleRole.MAIN, ModuleRole.SYSTEM, ModuleRole.FOREIGN}
