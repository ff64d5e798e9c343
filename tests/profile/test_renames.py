"""Functions that Go moved between packages have one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.profile import current_name, under_current_names
from pprof_exporter.profile.function_names.moved_functions import MOVES
from pprof_exporter.profile.function_names.package_move import PackageMove
from tests.record_renames import table

NAMES = sorted({name for move in MOVES for names in move.names() for name in names})
SUFFIXES = st.lists(st.sampled_from([".func1", ".2", "-range1", "-fm", ".gowrap1", ".deferwrap2", ".abi0"]), max_size=3)


def called(move: PackageMove) -> str:
    return f"1.{move.minor} {move.old} {move.new}"


@pytest.mark.parametrize("move", MOVES, ids=called)
def test_the_old_and_the_new_name_of_each_row_are_one(move: PackageMove) -> None:
    for old, new in move.names():
        assert old != new
        assert current_name(old) == current_name(new)


def test_no_two_functions_of_one_version_become_one() -> None:
    for move in MOVES:
        assert move.moved <= move.had - move.left
        assert len({new for _, new in move.names()}) == move.moved
    by_minor = [(move.minor, new) for move in MOVES for _, new in move.names()]
    assert len(by_minor) == len(set(by_minor))


@given(st.sampled_from(NAMES) | st.text(max_size=40), SUFFIXES)
def test_a_current_name_stays(name: str, suffixes: list[str]) -> None:
    whole = name + "".join(suffixes)
    assert current_name(current_name(whole)) == current_name(whole)


@given(st.sampled_from(NAMES), SUFFIXES)
def test_closures_move_with_their_function(name: str, suffixes: list[str]) -> None:
    suffix = "".join(suffixes)
    assert current_name(name + suffix) == current_name(name) + suffix


@pytest.mark.parametrize(
    ("old", "current"),
    [
        ("runtime/internal/syscall.Syscall6", "internal/runtime/syscall/linux.Syscall6"),
        ("internal/runtime/syscall.Syscall6", "internal/runtime/syscall/linux.Syscall6"),
        ("runtime/internal/syscall.EpollWait", "internal/runtime/syscall/linux.EpollWait"),
        ("runtime/internal/atomic.(*Uint32).CompareAndSwap", "internal/runtime/atomic.(*Uint32).CompareAndSwap"),
        ("runtime/internal/sys.OnesCount64", "internal/runtime/sys.OnesCount64"),
        ("runtime/internal/math.MulUintptr", "internal/runtime/math.MulUintptr"),
        ("sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).lockSlow"),
        ("internal/concurrent.(*HashTrieMap[...]).Load", "internal/sync.(*HashTrieMap[...]).Load"),
        (
            "internal/concurrent.(*HashTrieMap[go.shape.string,go.shape.[]uint8]).Load.func1",
            "internal/sync.(*HashTrieMap[go.shape.string,go.shape.[]uint8]).Load.func1",
        ),
        ("internal/weak.Make[go.shape.int]", "weak.Make[go.shape.int]"),
        ("crypto/sha256.block", "crypto/internal/fips140/sha256.block"),
        ("crypto/sha512.block", "crypto/internal/fips140/sha512.block"),
        ("net/http.(*http2serverConn).serve", "net/http/internal/http2.(*serverConn).serve"),
        ("net/http.(*http2ClientConn).RoundTrip.func2", "net/http/internal/http2.(*ClientConn).RoundTrip.func2"),
        ("runtime.asmstdcall.abi0", "internal/runtime/syscall/windows.asmstdcall.abi0"),
    ],
)
def test_what_busy_programs_show(old: str, current: str) -> None:
    assert current_name(old) == current


@pytest.mark.parametrize(
    "name",
    [
        # It is still there, and calls internal/sync.
        "sync.(*Mutex).Lock",
        # Linked under this name, wherever its source is.
        "runtime.mapaccess1_faststr",
        "runtime.mallocgc",
        "net/http.(*conn).serve",
        "main.serve.func1",
        "golang.org/x/net/http2.(*serverConn).serve",
        "sync.OnceValue[...].func1",
        "strconv.][",
        "",
    ],
)
def test_other_names_stay(name: str) -> None:
    assert current_name(name) == name


def test_weights_of_one_function_are_added() -> None:
    weights = {"internal/runtime/syscall.Syscall6": 1.0, "internal/runtime/syscall/linux.Syscall6": 2.0, "main.a": 4.0}
    assert under_current_names(weights) == {"internal/runtime/syscall/linux.Syscall6": 3.0, "main.a": 4.0}


@pytest.mark.lab
def test_the_table_is_what_the_sources_of_go_show() -> None:
    found = table.libraries()
    assert table.FILE.read_text(encoding="utf-8") == table.rendered(table.derived(found), found)
