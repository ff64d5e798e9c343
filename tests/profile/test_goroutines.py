"""States by leaf frames are those that the programs were put in, on every system and Go version; growth is steady."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pprof_exporter.profile import Function, Line, Location, Mapping, Profile, Sample, ValueType
from pprof_exporter.profile.aggregate import totals
from pprof_exporter.profile.goroutines import GoroutineState, goroutines_by_state, proven_leaks
from tests.health.readings import with_sample
from tests.profile.changed import Parts, changed
from tests.recorded import PROGRAMS, WITH_LEAK_DETECTION, replies, reply
from tests.recorded import profile as recorded

# How tests/target/leak.go parks its goroutines.
PARKED = {
    "chan": GoroutineState.CHAN_RECEIVE,
    "lost": GoroutineState.CHAN_RECEIVE,
    "send": GoroutineState.CHAN_SEND,
    "select": GoroutineState.SELECT,
    "io": GoroutineState.IO_WAIT,
    "sleep": GoroutineState.SLEEP,
    "mutex": GoroutineState.MUTEX,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_leaks_are_told_by_what_they_wait_for(program: str) -> None:
    expected: dict[GoroutineState, int] = {}
    for how, count in reply(program, "goroutine_leaks.pb.gz").leaks.items():
        expected[PARKED[how]] = expected.get(PARKED[how], 0) + count
    profile = recorded(program, "goroutine_leaks.pb.gz")
    leaks = [sample for sample in profile.samples if any("main.leakOn" in name for name in names(profile, sample))]
    assert goroutines_by_state(changed(profile, samples=tuple(leaks))) == expected


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_no_leak_is_the_server_at_work(program: str) -> None:
    counts = goroutines_by_state(recorded(program, "goroutine_leaks.pb.gz"))
    assert sum(counts.values()) == 71
    assert GoroutineState.OTHER not in counts
    assert GoroutineState.RUNTIME not in counts
    assert counts[GoroutineState.CHAN_RECEIVE] == 32
    assert counts[GoroutineState.MUTEX] == 5
    # The accept loop, the connection that is read in the background, and the handler that takes the profile.
    assert 8 <= counts[GoroutineState.IO_WAIT] <= 10
    assert 1 <= counts[GoroutineState.RUNNING] <= 2


@pytest.mark.parametrize("program", PROGRAMS)
def test_threads_in_a_system_call_are_told(program: str) -> None:
    profile = recorded(program, "goroutine_syscall4.pb.gz")
    sleepers = tuple(
        sample for sample in profile.samples if any("sleepInSystemCall" in name for name in names(profile, sample))
    )
    assert goroutines_by_state(changed(profile, samples=sleepers)) == {GoroutineState.SYSCALL: 4}


@pytest.mark.parametrize("program", PROGRAMS)
def test_contending_workers_wait_for_locks_channels_and_time(program: str) -> None:
    profile = recorded(program, "goroutine_contended.pb.gz")
    counts = goroutines_by_state(profile)
    assert sum(counts.values()) == sum(sample.values[0] for sample in profile.samples) == 9
    assert counts[GoroutineState.MUTEX] >= 1
    assert counts[GoroutineState.SLEEP] >= 1
    assert GoroutineState.OTHER not in counts


@pytest.mark.parametrize("program", PROGRAMS)
def test_deep_stacks_are_told_by_their_leaves(program: str) -> None:
    counts = goroutines_by_state(recorded(program, "goroutine_deep.pb.gz"))
    assert counts[GoroutineState.CHAN_RECEIVE] == 5
    assert counts[GoroutineState.RUNNING] >= 2, "the busy one, and the one that takes the profile"


@pytest.mark.parametrize("program", WITH_LEAK_DETECTION)
def test_goroutines_that_go_1_27_finds_lost_wait_for_a_channel(program: str) -> None:
    assert goroutines_by_state(recorded(program, "goroutineleak_leaks.pb.gz")) == {GoroutineState.CHAN_RECEIVE: 20}
    assert goroutines_by_state(recorded(program, "goroutineleak.pb.gz")) == {}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_difference_counts_down_what_ended(program: str) -> None:
    counts = goroutines_by_state(recorded(program, "goroutine_delta_negative.pb.gz"))
    assert sum(counts.values()) == -30
    assert counts[GoroutineState.SELECT] == -30


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_recorded_goroutine_has_a_state(program: str) -> None:
    for name in replies(program):
        if not (name.startswith("goroutine") and name.endswith(".pb.gz")):
            continue
        profile = recorded(program, name)
        counts = goroutines_by_state(profile)
        assert GoroutineState.OTHER not in counts, name
        assert sum(counts.values()) == sum(sample.values[0] for sample in profile.samples)


# Stacks of one program, built with Go 1.21, 1.24 and 1.27.
@pytest.mark.parametrize(
    ("stack", "state"),
    [
        ("runtime.gopark runtime.chanrecv runtime.chanrecv2 main.rangechan", GoroutineState.CHAN_RECEIVE),
        ("runtime.gopark runtime.block main.never", GoroutineState.SELECT),
        ("runtime.gopark runtime.selectgo reflect.rselect reflect.select0 reflect.Select", GoroutineState.SELECT),
        (
            "runtime.goparkunlock runtime.semacquire1 sync.runtime_Semacquire sync.(*WaitGroup).Wait",
            GoroutineState.WAIT_GROUP,
        ),
        (
            "runtime.goparkunlock runtime.semacquire1 sync.runtime_SemacquireWaitGroup sync.(*WaitGroup).Wait",
            GoroutineState.WAIT_GROUP,
        ),
        (
            "runtime.goparkunlock runtime.semacquire1 sync.runtime_SemacquireRWMutexR sync.(*RWMutex).RLock",
            GoroutineState.MUTEX,
        ),
        (
            "runtime.goparkunlock runtime.semacquire1 sync.runtime_SemacquireMutex sync.(*Mutex).lockSlow",
            GoroutineState.MUTEX,
        ),
        ("runtime.goparkunlock runtime.semacquire1 internal/sync.runtime_SemacquireMutex", GoroutineState.MUTEX),
        ("runtime.goparkunlock runtime.semacquire1 internal/poll.runtime_Semacquire", GoroutineState.MUTEX),
        ("runtime.goparkunlock runtime.semacquire1 runtime.semacquire runtime.stopTheWorld", GoroutineState.RUNTIME),
        ("runtime.goparkunlock sync.runtime_notifyListWait sync.(*Cond).Wait main.cond", GoroutineState.COND),
        ("runtime.goparkunlock runtime.gcParkAssist runtime.gcAssistAlloc", GoroutineState.RUNTIME),
        ("runtime.goparkunlock", GoroutineState.OTHER),
        ("runtime.gopark example.com/scheduler.wait", GoroutineState.OTHER),
        ("runtime.notetsleepg os/signal.signal_recv os/signal.loop", GoroutineState.SYSCALL),
        ("runtime.cgocall main._Cfunc_sleep", GoroutineState.SYSCALL),
        ("syscall.RawSyscall6 syscall.Syscall6", GoroutineState.SYSCALL),
        ("syscall.syscall syscall.read", GoroutineState.SYSCALL),
        ("internal/runtime/syscall.Syscall6 syscall.RawSyscall6", GoroutineState.SYSCALL),
        ("syscall.ParseDirent os.(*File).readdir", GoroutineState.RUNNING),
        ("runtime.coroswitch iter.Pull[go.shape.int].func1.1", GoroutineState.OTHER),
        ("runtime.asyncPreempt2 runtime.asyncPreempt main.spin", GoroutineState.RUNNING),
        ("main.waiting", GoroutineState.RUNNING),
    ],
)
def test_stacks_of_other_waits(stack: str, state: GoroutineState) -> None:
    words = stack.split(" ")
    if words[0] == "runtime.goparkunlock":
        words.insert(0, "runtime.gopark")
    assert state_of(*(location(name) for name in words)) is state
    assert state_of(location(*words)) is state, "inlined into one location"


def test_neither_main_nor_a_record_without_a_frame_is_a_leak() -> None:
    found = recorded(WITH_LEAK_DETECTION[0], "goroutineleak_leaks.pb.gz")
    assert proven_leaks(found) is found
    more = with_sample(found, (), (1,))
    for waits in ("runtime.block", "runtime.chanrecv", "sync.(*WaitGroup).Wait"):
        more = with_sample(more, ("runtime.gopark", waits, "main.run", "main.main", "runtime.main"), (1,))
    assert proven_leaks(more).samples == found.samples
    # A package may have a function of the same name, and main.main may be started as a goroutine.
    real = with_sample(more, ("runtime.gopark", "runtime.block", "main.main"), (3,))
    assert totals(proven_leaks(real)) == (totals(found)[0] + 3,)


def test_an_empty_stack_is_ready_to_run_and_one_without_symbols_is_unknown() -> None:
    assert state_of() is GoroutineState.RUNNING
    bare = Location(1, Mapping("a.exe", "", 0, 0, 0, has_functions=False), ())
    assert state_of(bare, location("runtime.gopark")) is GoroutineState.OTHER
    waits = location("runtime.gopark"), bare, location("runtime.chanrecv")
    assert state_of(*waits) is GoroutineState.CHAN_RECEIVE


def state_of(*stack: Location) -> GoroutineState:
    """The state of a goroutine with a stack, leaf first."""
    places = dict(enumerate(stack, 1))
    kinds = (ValueType("goroutine", "count"),)
    (state,) = goroutines_by_state(Parts(kinds, (Sample(tuple(places), (1,), ()),), places).profile())
    return state


def names(profile: Profile, sample: Sample) -> Iterator[str]:
    return (line.function.name for location in profile.stack_of(sample) for line in location.lines)


def location(*functions: str) -> Location:
    return Location(1, None, tuple(Line(Function(name, name, "", 0), 1) for name in functions))
