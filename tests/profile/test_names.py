"""Names keep what outlives a rebuild, whatever the compiler numbers."""

from __future__ import annotations

import re
import time

import pytest

from pprof_exporter.profile.function_names.names import entry_name, is_plumbing
from tests.recorded import PROGRAMS, profile, replies


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("main.serve", "main.serve"),
        ("main.serve.func1", "main.serve"),
        ("main.serve.func1.2", "main.serve"),
        ("main.serve.func2.1.3", "main.serve"),
        ("main.serve.gowrap1", "main.serve"),
        ("main.serve.func1.gowrap2", "main.serve"),
        ("main.serve.func1.deferwrap1", "main.serve"),
        ("main.serve.func12-range3", "main.serve"),
        ("main.serve-range1", "main.serve"),
        ("main.(*Server).Close-fm", "main.(*Server).Close"),
        ("main.(*Server).run.func1", "main.(*Server).run"),
        ("net/http.(*conn).serve", "net/http.(*conn).serve"),
        ("main.Map[...].func1", "main.Map[...]"),
        ("example.com/v2.func", "example.com/v2"),
        ("main.function1", "main.function1"),
        ("main.f2", "main.f2"),
        (".func1", ".func1"),
        ("", ""),
    ],
)
def test_numbers_of_closures_are_dropped(name: str, kept: str) -> None:
    assert entry_name(name) == kept


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_recorded_name_ends_in_a_number_of_the_compiler(program: str) -> None:
    files = [name for name in replies(program) if name.startswith("goroutine") and name.endswith(".pb.gz")]
    kept = {entry_name(function.name) for name in files for function in profile(program, name).functions}
    assert kept
    assert not [name for name in kept if re.search(r"\.(func|gowrap|deferwrap)?\d+$|-fm$", name)]


def test_a_name_made_to_be_slow_is_not() -> None:
    begin = time.process_time()
    assert entry_name("main.f" + ".1" * 5000 + "x").endswith("x")
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    "name", ["runtime.gopark", "sync.(*Mutex).Lock", "internal/sync.(*Mutex).lockSlow", "_.goready.func1"]
)
def test_waiting_is_plumbing(name: str) -> None:
    assert is_plumbing(name)


@pytest.mark.parametrize("name", ["main.main", "runtimes.Go", "net/http.(*conn).serve", "runtime/pprof.Do", "synced.f"])
def test_what_waits_is_not_plumbing(name: str) -> None:
    assert not is_plumbing(name)
