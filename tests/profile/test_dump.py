"""`goroutine?debug=2` of real programs is read goroutine by goroutine."""

from __future__ import annotations

from collections import Counter

import pytest

from pprof_exporter.profile.dump import DumpedGoroutine, GoroutineDump, goroutines_by_creator, longest_waits, read_dump
from tests.profile.dumps import DUMPS, WAITING
from tests.recorded import LEAKS, PROGRAMS, RECORDINGS, WITH_LEAK_DETECTION, reply

PLAIN = DumpedGoroutine("chan receive", (), None, locked=False, leaked=False, creator=None, entry="", elided=False)


# Programs as they were recorded.


@pytest.mark.parametrize("program", PROGRAMS)
def test_leaks_are_counted_by_what_created_them(program: str) -> None:
    recorded = reply(program, "goroutine_leaks_debug2.txt")
    counts = goroutines_by_creator(read_dump(recorded.body))
    started_by = {
        "chan": "main.leakChannels",
        "send": "main.leakSends",
        "select": "main.leakSelects",
        "mutex": "main.leakLocks",
        "io": "main.leakReads",
        "sleep": "main.leakSleeps",
        "lost": "main.leakLost",
    }
    leaks = {started_by[how]: count for how, count in recorded.leaks.items()}
    assert counts == leaks | {
        "main.main": 1,
        "net/http.(*Server).Serve": 1,
        "net/http.(*connReader).startBackgroundRead": 1,
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_leaks_are_told_by_what_they_wait_for_and_run(program: str) -> None:
    recorded = reply(program, "goroutine_leaks_debug2.txt")
    dump = read_dump(recorded.body)
    leaks = Counter(goroutine.entry for goroutine in dump.goroutines if goroutine.entry.startswith("main.leakOn"))
    assert leaks == {LEAKS[how]: count for how, count in recorded.leaks.items()}
    states = Counter(goroutine.state for goroutine in dump.goroutines)
    assert len(dump.goroutines) == states.total() == 71
    assert states["chan receive"] == 32
    assert states["chan send"] == 6
    assert states["select"] == 10
    assert states["sync.Mutex.Lock"] == 5
    assert states["sleep"] == 7


@pytest.mark.parametrize("program", PROGRAMS)
def test_goroutines_that_leak_detection_found_are_leaked(program: str) -> None:
    # The goroutineleak profile was fetched just before, and the runtime keeps what it found.
    recorded = reply(program, "goroutine_leaks_debug2.txt")
    leaked = Counter(goroutine.entry for goroutine in read_dump(recorded.body).goroutines if goroutine.leaked)
    assert leaked == ({LEAKS["lost"]: recorded.leaks["lost"]} if program in WITH_LEAK_DETECTION else {})


@pytest.mark.parametrize("program", PROGRAMS)
def test_deep_stacks_are_elided_in_the_middle_and_keep_their_entry(program: str) -> None:
    dump = read_dump(reply(program, "goroutine_deep_debug2.txt").body)
    deep = [goroutine for goroutine in dump.goroutines if goroutine.elided]
    assert len(deep) == 6
    assert {goroutine.creator for goroutine in deep} == {"main.(*group).run"}
    assert all(goroutine.entry.startswith("main.") for goroutine in deep)
    assert "main.descend" not in {goroutine.entry for goroutine in deep}


@pytest.mark.parametrize("dump", DUMPS)
def test_every_recorded_goroutine_is_read(dump: str) -> None:
    body = (RECORDINGS / dump).read_bytes()
    read = read_dump(body)
    assert read.complete
    assert len(read.goroutines) == body.count(b"\ngoroutine ") + 1
    assert all(goroutine.entry not in {"", "runtime.goexit"} for goroutine in read.goroutines)
    assert [goroutine.entry for goroutine in read.goroutines if goroutine.creator is None] == ["main.main"]


# One goroutine at a time.


def test_a_real_text_says_all_about_waits() -> None:
    expected = [
        ("running", (), None, False, False, None, "main.main"),
        ("chan receive", (), 1, False, False, None, "runtime.runFinalizers"),
        ("chan send", (), None, False, True, "main.main", "main.generic[...]"),
        ("chan receive", (), None, False, True, "main.main", "main.(*T[...]).Wait"),
        ("chan receive", ("nil chan",), None, False, True, "main.main", "main.main"),
        ("select", ("no cases",), None, False, True, "main.main", "main.main"),
        ("chan receive", (), 1, True, False, "main.main", "main.main"),
        ("syscall", (), 1, False, False, "main.main", "main.main"),
        ("chan receive", (), 1, False, False, "main.main", "main.main"),
        ("chan receive", (), 1, False, False, "iter.Pull[...]", "iter.Pull[...]"),
    ]
    dump = read_dump(WAITING)
    assert dump.complete
    assert [
        (one.state, one.qualifiers, one.minutes, one.locked, one.leaked, one.creator, one.entry)
        for one in dump.goroutines
    ] == expected


# Statuses and waits that runtime/traceback.go goroutineheader may print, of any version.
@pytest.mark.parametrize(
    ("header", "state", "qualifiers", "minutes"),
    [
        ("[runnable]", "runnable", (), None),
        ("[IO wait, 153722867 minutes]", "IO wait", (), 153722867),
        ("[chan receive (scan), 2 minutes]", "chan receive", ("scan",), 2),
        ("[chan receive (nil chan) (durable), 2 minutes]", "chan receive", ("nil chan", "durable"), 2),
        (
            "[sync.WaitGroup.Wait (durable), synctest bubble 7]",
            "sync.WaitGroup.Wait",
            ("durable", "synctest bubble 7"),
            None,
        ),
        ("[select, locked to thread, synctest group 7]", "select", ("synctest group 7",), None),
        ("[force gc (idle), 5 minutes]", "force gc", ("idle",), 5),
        ("gp=0xc000002380 m=nil [GC sweep wait]", "GC sweep wait", (), None),
        ("gp=0x22e26b4381e0 m=0 mp=0x600840 [syscall, 3 minutes]", "syscall", (), 3),
        ('[sleep] {"a b": "]:\\n[x, 9 minutes]:", k: v}', "sleep", (), None),
        ("[???]", "???", (), None),
    ],
)
def test_headers_are_taken_apart(header: str, state: str, qualifiers: tuple[str, ...], minutes: int | None) -> None:
    goroutine = _one(
        f"goroutine 9 {header}:\nmain.f()\n\tm.go:1 +0x1\ncreated by main.g in goroutine 1\n\tm.go:2 +0x1\n"
    )
    assert (goroutine.state, goroutine.qualifiers, goroutine.minutes) == (state, qualifiers, minutes)
    assert goroutine.locked == ("locked" in header)
    assert not goroutine.leaked


@pytest.mark.parametrize(
    ("stack", "entry"),
    [
        ("main.(*T).Method(0x1, {0x2, 0x3}, {{0x4, ...}, _})\n\tm.go:1 +0x1\n", "main.(*T).Method"),
        ("main.F[...](...)\n\tm.go:1\n", "main.F[...]"),
        ("main.serve.func1.2({0xc000012345?, 0x1})\n\tC:/a b/m.go:1 +0x1\n", "main.serve"),
        ("gopkg.in/yaml%2ev3.(*Decoder).Decode-fm(0x1)\n\tm.go:1 +0x1\n", "gopkg.in/yaml%2ev3.(*Decoder).Decode"),
        ("main.f()\n\tm.go:1 +0x1 fp=0xc00008 sp=0xc00004 pc=0x45d8ae\n", "main.f"),
        ("main.f.gowrap2()\n\tm.go:1\nruntime.goexit({})\n\truntime/asm_amd64.s:1700 +0x1\n", "main.f"),
        ("runtime.goexit()\n\truntime/asm_amd64.s:1650 +0x1\n", "runtime.goexit"),
        ("main.cb()\n\tm.go:1 +0x1\nnon-Go function at pc=4711\n", "main.cb"),
        ("main.cb()\n\tm.go:1 +0x1\nnon-Go function\n\tpc=0x4711\n", "main.cb"),
        ("main.cb()\n\tm.go:1 +0x1\nns::run(int, char*)\n\trun.cc:12 pc=0x4711\n", "main.cb"),
        ("\tgoroutine running on other thread; stack unavailable\n", ""),
        ("", ""),
    ],
)
def test_the_entry_is_the_outermost_function_of_go(stack: str, entry: str) -> None:
    goroutine = _one(f"goroutine 9 [syscall]:\n{stack}created by main.start.func3 in goroutine 1\n\tm.go:2 +0x1\n")
    assert goroutine.entry == entry
    assert goroutine.creator == "main.start"
    assert not goroutine.elided


def test_creators_of_go_before_1_21_stand_without_their_goroutine() -> None:
    goroutine = _one("goroutine 9 [select]:\nmain.f(0x1)\n\tm.go:1 +0x1\ncreated by main.(*S).Run\n\tm.go:2 +0x1\n")
    assert goroutine.creator == "main.(*S).Run"


def test_the_entry_of_a_deep_stack_is_unknown_before_go_1_21() -> None:
    stack = "main.f(0x1)\n\tm.go:1 +0x1\n...additional frames elided...\n"
    goroutine = _one(f"goroutine 9 [select]:\n{stack}created by main.g\n\tm.go:2 +0x1\n")
    assert (goroutine.entry, goroutine.creator, goroutine.elided) == ("", "main.g", True)


def test_ancestors_are_no_part_of_a_goroutine() -> None:
    # GODEBUG=tracebackancestors=N (runtime/traceback.go printAncestorTraceback).
    ancestor = "[originating from goroutine 1]:\nmain.outer(...)\n\tm.go:3 +0x1\ncreated by main.far\n\tm.go:4 +0x1\n"
    start = "goroutine 9 [select]:\nmain.f()\n\tm.go:1 +0x1\n"
    with_creator = _one(f"{start}created by main.near in goroutine 1\n\tm.go:2 +0x1\n{ancestor}")
    without = _one(f"{start}{ancestor}")
    assert (with_creator.creator, with_creator.entry) == ("main.near", "main.f")
    assert (without.creator, without.entry) == (None, "main.f")


def test_names_that_are_not_utf8_are_escaped() -> None:
    text = b"goroutine 9 [select]:\nmain.\xff()\n\tm.go:1 +0x1\ncreated by main.\xfe in goroutine 1\n\tm.go:2 +0x1\n"
    (goroutine,) = read_dump(text).goroutines
    assert (goroutine.entry, goroutine.creator) == (r"main.\xff", r"main.\xfe")


@pytest.mark.parametrize("body", [WAITING, *((RECORDINGS / dump).read_bytes() for dump in DUMPS[:2])])
def test_lines_may_end_as_on_windows(body: bytes) -> None:
    assert read_dump(body.replace(b"\n", b"\r\n")) == read_dump(body)


# Sums.


def test_without_a_creator_the_entry_counts() -> None:
    assert goroutines_by_creator(read_dump(WAITING)) == {
        "main.main": 8,
        "runtime.runFinalizers": 1,
        "iter.Pull[...]": 1,
    }
    assert goroutines_by_creator(GoroutineDump((PLAIN,), complete=True)) == {}


@pytest.mark.parametrize("dump", DUMPS)
def test_young_waits_are_0_and_what_runs_does_not_wait(dump: str) -> None:
    read = read_dump((RECORDINGS / dump).read_bytes())
    waits = longest_waits(read)
    assert set(waits.values()) == {0.0}
    assert waits.keys() == {one.state for one in read.goroutines} - {"running", "runnable"}


def test_the_longest_wait_of_a_state_counts_in_seconds() -> None:
    text = WAITING.replace(b"syscall, 1 minutes", b"syscall, 90 minutes").replace(b"receive, 1 m", b"receive, 3 m", 1)
    # Of those in `chan send` and `select`, all are leaked: Go does not tell how long they wait.
    assert longest_waits(read_dump(text)) == {"chan receive": 180.0, "syscall": 5400.0}


def _one(text: str) -> DumpedGoroutine:
    dump = read_dump(text.encode())
    assert dump.complete
    (goroutine,) = dump.goroutines
    return goroutine
