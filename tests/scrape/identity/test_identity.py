"""What a target is, learnt from real replies, and the upgrades that it goes through."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pprof_exporter.config import Target, parse_target
from pprof_exporter.profile import (
    GoVersion,
    KnownGoVersion,
    ModuleRole,
    System,
    VersionSource,
    go_version_from_metrics,
    go_version_from_profile,
    modules,
    system_of,
)
from pprof_exporter.scrape.identity.facts import ProcessFacts
from pprof_exporter.scrape.identity.identity import Identity
from pprof_exporter.scrape.identity.process import ProcessEvidence
from pprof_exporter.scrape.identity.program import build_of
from pprof_exporter.store import Change, Store
from tests.recorded import LINUX, PROGRAMS, RECORDINGS, WINDOWS, named, profile

RECORDED = sorted(RECORDINGS.glob("*-go1.*/*.pb.gz"))
NOW = 1_000_000.0
CORE = {"ntdll.dll", "kernel32.dll", "kernelbase.dll"}


def facts(program: str, file: str = "goroutine") -> ProcessFacts:
    found = profile(program, file)
    return ProcessFacts(system_of(found), modules(found.mapped_files), go_version_from_profile(found))


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


def see(seen: Identity, program: str, file: str = "goroutine", *, at: float = NOW, go: str = "") -> bool:
    """Fetch one profile of a program whose page tells its version. Returns whether a change was told."""
    found, page = facts(program, file), go_version_from_metrics(go or version(program))
    exact = {"page": page.exact} if page.exact else {}
    seen.take(ProcessEvidence(at, build=build_of(found.modules), go=exact), at)
    seen.learn(found)
    seen.learn_version(page)
    return seen.settle(at)


def stay(seen: Identity, program: str, file: str = "goroutine", *, since: float, until: float) -> int:
    """Fetch the same profile once a minute. Returns how often a change was told."""
    return sum(see(seen, program, file, at=since + 60 * minute) for minute in range(int((until - since) / 60) + 1))


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
    known.learn_version(go_version_from_metrics("go1.27.3"))
    assert known.go_version == "1.27.3"
    known.learn_version(go_version_from_metrics("devel go1.28-abcdef"))
    assert known.go_version == "1.27.3"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_profile_that_proves_nothing_overwrites_nothing(program: str) -> None:
    files = sorted(path.name for path in RECORDED if path.parent.name == program)
    known = identity()
    bounds = []
    for file in [*files, *reversed(files)]:
        known.learn(facts(program, file))
        bounds.append(known.go.at_least or GoVersion(1, 0))
    assert bounds == sorted(bounds)


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


def test_an_update_of_windows_has_the_times_of_the_modules_before_and_after() -> None:
    known = identity()
    see(known, WINDOWS[-1])
    see(known, WINDOWS[-1], "goroutine_updated", at=NOW + 60)
    assert known.last_event is not None
    before, after = known.last_event.values[Change.OPERATING_SYSTEM]
    for text in (before, after):
        assert {part.split()[0] for part in text.split(", ")} <= CORE
    assert before < after


def test_a_change_while_the_process_runs_has_a_control_group_at_once() -> None:
    store, signal = Store.open(None, NOW), "fetch_duration_seconds:heap"
    known = identity(store)
    see(known, WINDOWS[-1])
    for second in range(0, 400, 10):
        if second == 200:
            assert see(known, WINDOWS[-1], "goroutine_agent", at=NOW + second)
        slow = 3.0 if second >= 200 else 1.0
        known.observe(signal, slow, NOW + second)
        for other in "bcd":
            store.control.observe(other, signal, 0.1 * slow, NOW + second)
    known.compare()
    assert known.comparison is not None
    assert known.comparison.control == {signal: pytest.approx(3.0)}


def test_an_agent_has_its_name() -> None:
    known = identity()
    see(known, WINDOWS[-1])
    see(known, WINDOWS[-1], "goroutine_agent", at=NOW + 60)
    assert known.last_event is not None
    assert known.last_event.values == {Change.MODULES: ("none", "agent64.dll")}


@pytest.mark.parametrize("program", PROGRAMS)
def test_another_version_on_the_page_is_a_change_of_go(program: str) -> None:
    known = identity()
    see(known, program)
    assert not see(known, program, at=NOW + 60, go="go1.28.1")
    assert see(known, program, at=NOW + 90, go="go1.28.1")
    assert known.changes == {Change.GO: 1}
    assert known.last_event is not None
    assert known.last_event.values == {Change.GO: (version(program).removeprefix("go"), "1.28.1")}


def test_an_upgrade_is_told_once_and_whole() -> None:
    known = identity()
    see(known, "linux-go1.24.11")
    before = known.build
    told = [see(known, "linux-go1.27.3", at=NOW + 60 + step) for step in range(0, 600, 30)]
    assert told == [False, True, *[False] * 18]
    assert known.changes == {Change.BINARY: 1, Change.GO: 1}
    assert known.last_change == dict.fromkeys((Change.BINARY, Change.GO), NOW + 60)
    assert known.last_event is not None
    assert known.last_event.values == {
        Change.BINARY: (before, known.build),
        Change.GO: ("1.24.11", "1.27.3"),
    }


def test_a_program_without_build_id_differs_from_one_with() -> None:
    known = identity()
    see(known, "linux-go1.27.3")
    assert stay(known, "linux-go1.21.13", since=NOW + 60, until=NOW + 300) == 1
    assert known.changes == {Change.BINARY: 1, Change.GO: 1}
    assert known.last_event is not None
    assert known.last_event.values[Change.BINARY][1] == "without build id"


def test_a_version_that_comes_late_belongs_to_the_same_event() -> None:
    known = identity()
    see(known, "linux-go1.24.11")
    new = facts("linux-go1.27.3")
    told = []
    for step in range(0, 300, 30):
        at = NOW + 60 + step
        known.take(ProcessEvidence(at, build=build_of(new.modules)), at)
        known.learn(new)
        if step >= 180:
            known.learn_version(go_version_from_metrics("go1.27.3"))
        told.append(known.settle(at))
    assert told.index(True) == 3
    assert told.count(True) == 2
    assert known.changes == {Change.BINARY: 1, Change.GO: 1}
    assert known.last_change == dict.fromkeys((Change.BINARY, Change.GO), NOW + 60)
    assert known.last_event is not None
    assert set(known.last_event.values) == {Change.BINARY, Change.GO}
    assert known.epoch is not None
    assert [one.fingerprint.go for one in known._store.epochs("shop:6060")] == ["go1.24.11", "go1.27.3"]


def test_parts_that_stay_unknown_are_given_up_after_three_rounds() -> None:
    known = identity()
    known.learn(facts("linux-go1.21.13"))
    known.take(ProcessEvidence(NOW), NOW)
    assert [known.settle(NOW + step) or known.whole for step in (0, 60, 89, 90)] == [False, False, False, True]


def test_a_lower_bound_stays_while_the_process_runs() -> None:
    known = identity()
    known.take(ProcessEvidence(NOW), NOW)
    known.learn(facts("linux-go1.27.3"))
    known.settle(NOW + 90)
    assert known.go_version == "1.20+"
    known.learn_version(KnownGoVersion(None, GoVersion(1, 26), VersionSource.INDEX))
    assert known.go_version == "1.20+"
    assert known.go.at_least == GoVersion(1, 26)
    known.learn_version(go_version_from_metrics("go1.27.3"))
    assert known.go_version == "1.27.3"


def test_the_build_of_a_windows_program_is_an_instant_in_any_time_zone() -> None:
    path = r"C:\app\shop.exe"

    def build(stamp: str) -> str:
        return build_of(modules(((path, f"{path}{stamp}"),)))

    here = build("2026-11-20 08:00:00.5571461 +0000 GMT")
    assert build("2026-11-20 09:00:00.5571461 +0100 CET") == here
    assert build("2026-11-20 13:30:00.5571461 +0530 +0530") == here
    assert build("2026-11-20 09:00:00.5571461 +0000 GMT") != here
    assert build("") == ""


@pytest.mark.parametrize(
    ("path", "stamp"),
    [
        (r"C:\App\shop.exe", "2026-11-20 09:00:00.5571461 +0100 CET"),
        (r"C:\App\shop.exe", "2026-11-20 10:00:00.5571461 +0200 CEST"),
        (r"c:\app\SHOP.EXE", "2026-11-20 08:00:00.5571461 +0000 GMT"),
        ("C:/App/shop.exe", "2026-11-20 08:00:00.5571461 +0000 GMT"),
        (r"\\?\C:\App\shop.exe", "2026-11-20 05:00:00.5571461 -0300 -03"),
        (r"\??\C:\App\shop.exe", "2026-11-20 08:00:00.5571461 +0000 UTC"),
    ],
)
def test_a_restart_in_another_time_zone_or_by_another_spelling_of_its_path_is_no_upgrade(path: str, stamp: str) -> None:
    def facts(path: str, stamp: str) -> ProcessFacts:
        ntdll = path[: path.index(":") - 1] + r"C:\Windows\System32\ntdll.dll"
        files = ((path, f"{path}{stamp}"), (ntdll, f"{ntdll}{stamp}"))
        return ProcessFacts(System.WINDOWS, modules(files), go_version_from_metrics("go1.27.3"))

    store = Store.open(None, NOW)
    known = identity(store)
    known.learn(facts(r"C:\App\shop.exe", "2026-11-20 08:00:00.5571461 +0000 GMT"))
    assert not known.settle(NOW, complete=True)
    epoch = known.epoch
    known._forget()
    known.learn(facts(path, stamp))
    assert not known.settle(NOW + 600, complete=True)
    assert known.whole
    assert (known.epoch is not None and epoch is not None and known.epoch.id == epoch.id, known.changes) == (True, {})
    known._forget()
    known.learn(facts(path, stamp.replace("2026-11-20", "2026-11-21")))
    assert known.settle(NOW + 1200, complete=True)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_profile_without_mappings_changes_nothing(program: str) -> None:
    known = identity()
    see(known, program)
    before = (known.system, known.program, known.build, known.go_version, known.core_modules)
    known.learn(ProcessFacts(None, (), KnownGoVersion()))
    assert not known.settle(NOW + 60)
    known.learn(ProcessFacts(None, modules((("", ""),)), KnownGoVersion()))
    assert not known.settle(NOW + 120)
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


def test_a_replica_that_was_not_upgraded_is_not_compared() -> None:
    store = Store.open(None, NOW)
    one, other = (identity(store, name=name, service="shop") for name in ("a:1", "b:1"))
    for known in (one, other):
        see(known, "linux-go1.24.11")
        known.observe("latency", 0.1, NOW)
    stay(one, "linux-go1.27.3", since=NOW + 60, until=NOW + 300)
    one.observe("latency", 0.2, NOW + 300)
    stay(other, "linux-go1.24.11", since=NOW + 60, until=NOW + 300)
    one.compare()
    other.compare()
    assert one.comparison is not None
    assert other.comparison is None
    assert not other.changes


def test_old_and_new_at_first_sight_are_two_epochs_and_no_change() -> None:
    store = Store.open(None, NOW)
    canary, stable = (identity(store, name=name, service="shop") for name in ("a:1", "b:1"))
    stay(canary, "linux-go1.27.3", since=NOW, until=NOW + 300)
    stay(stable, "linux-go1.24.11", since=NOW + 1, until=NOW + 301)
    stay(canary, "linux-go1.27.3", since=NOW + 360, until=NOW + 600)
    assert not canary.changes
    assert not stable.changes
    assert len(store.epochs("shop")) == 2
    for known in (canary, stable):
        known.compare()
        assert known.comparison is None


def test_a_rollback_counts_as_what_it_takes_back_and_begins_anew() -> None:
    known, program = identity(), WINDOWS[-1]
    see(known, program)
    first = known.epoch
    for _ in range(20):
        known.observe("latency", 9.0, NOW)
    stay(known, program, "goroutine_updated", since=NOW + 60, until=NOW + 600)
    for _ in range(20):
        known.observe("latency", 0.1, NOW + 600)
    assert see(known, program, at=NOW + 660)
    known.observe("latency", 0.2, NOW + 660)
    assert known.changes == {Change.OPERATING_SYSTEM: 2}
    assert first is not None
    assert known.epoch is not None
    assert known.epoch.id != first.id
    known.compare()
    assert known.comparison is not None
    before, now = known.comparison.signals["latency"]
    assert [before.p50, now.p50] == pytest.approx([0.1, 0.2], rel=0.01)
    assert now.count == 1


def test_after_a_quick_rollback_the_older_stay_is_before() -> None:
    known, program = identity(), WINDOWS[-1]
    see(known, program)
    for _ in range(20):
        known.observe("latency", 9.0, NOW)
    see(known, program, "goroutine_updated", at=NOW + 60)
    known.observe("latency", 0.1, NOW + 60)
    see(known, program, at=NOW + 120)
    known.observe("latency", 9.0, NOW + 120)
    known.compare()
    assert known.comparison is not None
    assert known.comparison.signals["latency"][0].count == 20


def test_a_replica_that_is_still_little_known_has_changed_nothing() -> None:
    store = Store.open(None, NOW)
    one, other = (identity(store, name=name, service="shop") for name in ("a:1", "b:1"))
    stay(one, "linux-go1.24.11", since=NOW, until=NOW + 60)
    stay(one, "linux-go1.27.3", since=NOW + 120, until=NOW + 240)
    assert not other.settle(NOW + 130)
    assert stay(other, "linux-go1.27.3", since=NOW + 140, until=NOW + 300) == 0
    assert not other.changes


def test_a_replica_whose_version_contradicts_that_of_a_sibling_is_no_upgrade() -> None:
    store = Store.open(None, NOW)
    one, other = (identity(store, name=name, service="shop") for name in ("a:1", "b:1"))
    for known in (one, other):
        known.take(ProcessEvidence(NOW), NOW)
        known.learn(facts("linux-go1.21.13"))
        known.settle(NOW + 90)
    one.learn_version(go_version_from_metrics("go1.21.13"))
    other.learn_version(go_version_from_metrics("go1.22.10"))
    assert not one.settle(NOW + 120)
    assert not other.settle(NOW + 121)
    assert len(store.epochs("shop")) == 2


def test_an_upgrade_while_the_exporter_was_away_is_told(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "history.db", NOW)
    stay(identity(store), "linux-go1.24.11", since=NOW, until=NOW + 300)
    store.close(NOW + 300)
    store = Store.open(tmp_path / "history.db", NOW + 900)
    known = identity(store)
    assert stay(known, "linux-go1.27.3", since=NOW + 900, until=NOW + 1200) == 1
    assert known.changes == {Change.BINARY: 1, Change.GO: 1}
    store.close(NOW + 1200)
    again = identity(Store.open(tmp_path / "history.db", NOW + 1300))
    assert stay(again, "linux-go1.27.3", since=NOW + 1300, until=NOW + 1500) == 0
    assert again.last_change == dict.fromkeys((Change.BINARY, Change.GO), NOW + 900)
    assert again.last_event is not None
    assert again.last_event.values[Change.GO] == ("1.24.11", "1.27.3")


def test_a_signal_has_values_before_and_now() -> None:
    known, program = identity(), WINDOWS[-1]
    see(known, program)
    known.compare()
    assert known.comparison is None
    for value in (0.1, 0.2, 0.3):
        known.observe("latency", value, NOW)
    see(known, program, "goroutine_updated", at=NOW + 60)
    known.observe("latency", 0.4, NOW + 60)
    known.observe("new", 1.0, NOW + 60)
    known.compare()
    assert known.comparison is not None
    assert set(known.comparison.signals) == {"latency"}
    before, now = known.comparison.signals["latency"]
    assert (before.count, now.count) == (3, 1)
    assert before.p50 == pytest.approx(0.2, rel=0.01)
    assert now.p50 == pytest.approx(0.4, rel=0.01)


def test_values_that_come_before_the_identity_go_to_the_right_epoch() -> None:
    known = identity()
    known.observe("latency", 9.0, NOW)
    see(known, "linux-go1.24.11")
    see(known, "linux-go1.27.3", at=NOW + 60)
    known.observe("latency", 0.1, NOW + 61)
    assert see(known, "linux-go1.27.3", at=NOW + 90)
    known.compare()
    assert known.comparison is not None
    before, now = known.comparison.signals["latency"]
    assert [before.p50, now.p50] == pytest.approx([9, 0.1], rel=0.01)


def test_known_bugs_follow_system_and_version() -> None:
    old, new, unknown = identity(), identity(), learnt("windows-go1.21.13")
    see(old, "windows-go1.21.13")
    see(new, "linux-go1.27.3")
    assert {"golang/go#61665", "golang/go#44343"} <= {bug.id for bug in old.known_bugs}
    assert new.known_bugs == unknown.known_bugs == ()


def test_roles_of_the_recorded_modules() -> None:
    roles = {module.role for module in learnt(WINDOWS[-1], "goroutine_agent").modules}
    assert roles == {ModuleRole.MAIN, ModuleRole.SYSTEM, ModuleRole.FOREIGN}
