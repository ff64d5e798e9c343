"""Sums and weights of recorded profiles are those that the programs were made to have."""

from __future__ import annotations

import pytest

from pprof_exporter.profile import (
    Attribution,
    Function,
    FunctionWeight,
    Line,
    Location,
    Mapping,
    Profile,
    Sample,
    ValueType,
    attribute,
    decode,
    function_weights,
    totals,
)
from tests.profile.changed import Parts, changed
from tests.recorded import LEAKS, PROGRAMS, WITH_LEAK_DETECTION, replies, reply
from tests.recorded import profile as recorded

every_program = pytest.mark.parametrize("program", PROGRAMS)


def index_of(profile: Profile, sample_type: str) -> int:
    index = profile.index_of(sample_type)
    assert index is not None
    return index


@every_program
def test_goroutines_by_entry_are_the_planted_ones(program: str) -> None:
    booked = attribute(recorded(program, "goroutine_leaks.pb.gz"), 0, Attribution.ENTRY)
    expected = {LEAKS[how]: count for how, count in reply(program, "goroutine_leaks.pb.gz").leaks.items()}
    assert len(expected) == len(LEAKS)
    assert {name: count for name, count in booked.items() if name.startswith("main.leak")} == expected


@pytest.mark.parametrize("program", WITH_LEAK_DETECTION)
def test_leaked_goroutines_by_entry_are_the_lost_ones(program: str) -> None:
    booked = attribute(recorded(program, "goroutineleak_leaks.pb.gz"), 0, Attribution.ENTRY)
    assert booked == {"main.leakOnLostChannel": 20}


@every_program
def test_burning_functions_lead_the_cpu_profile(program: str) -> None:
    profile = recorded(program, "cpu_burn1.pb.gz")
    index = index_of(profile, "cpu")
    weights = function_weights(profile, index)
    flat = sorted(weights, key=lambda name: -weights[name].flat)
    burning = {"main.burnPlain", "main.mixHash", "main.burnLabelled", "main.burnInlined"}
    assert set(flat[:3]) <= burning
    assert sum(weights[name].flat for name in burning if name in weights) > 0.9 * totals(profile)[index]
    assert weights["main.burn"].cum == max(weight.cum for weight in weights.values())
    assert weights["main.burn"].flat <= 20_000_000


@every_program
def test_contention_is_booked_on_who_waited(program: str) -> None:
    mutex, block = recorded(program, "mutex_contended.pb.gz"), recorded(program, "block_contended.pb.gz")
    waited = attribute(mutex, index_of(mutex, "delay"), Attribution.CALLER)
    assert max(waited, key=waited.__getitem__) == "main.(*contention).contendOnMutex"
    blocked = attribute(block, index_of(block, "delay"), Attribution.CALLER)
    first, second = sorted(blocked, key=blocked.__getitem__, reverse=True)[:2]
    assert first == "main.(*contention).contendOnMutex"
    assert second == "main.(*contention).contendOnChannel"


@every_program
def test_retained_memory_is_booked_on_who_allocated_it(program: str) -> None:
    profile = recorded(program, "heap_retained.pb.gz")
    booked = attribute(profile, index_of(profile, "inuse_space"), Attribution.LEAF)
    kept = booked["main.fillCache"] + booked["main.fillIndex"]
    assert 16 << 20 < kept < 36 << 20
    assert kept > 0.8 * sum(booked.values())


@every_program
def test_every_attribution_of_every_recording_sums_to_the_total(program: str) -> None:
    for name, recording in replies(program).items():
        if not name.endswith(".pb.gz"):
            continue
        profile = decode(recording.body)
        for index, total in enumerate(totals(profile)):
            sums = {sum(attribute(profile, index, attribution).values()) for attribution in Attribution}
            assert sums == {total}, name


@every_program
def test_a_delta_may_be_negative(program: str) -> None:
    profile = recorded(program, "goroutine_delta_negative.pb.gz")
    booked = attribute(profile, 0, Attribution.ENTRY)
    assert booked["main.leakOnSelect"] < 0
    assert sum(booked.values()) == totals(profile)[0]


def made(*stacks: tuple[Location, ...], value: int = 1) -> Profile:
    """A profile with one sample for each stack."""
    places = list(dict.fromkeys(location for stack in stacks for location in stack))
    samples = tuple(Sample(tuple(places.index(place) + 1 for place in stack), (value,), ()) for stack in stacks)
    return Parts((ValueType("samples", "count"),), samples, dict(enumerate(places, 1))).profile()


def place(*names: str, file: str = "") -> Location:
    mapping = Mapping(file, "", 0, 0, 0, has_functions=False) if file else None
    return Location(0, mapping, tuple(Line(Function(name, "", "", 0), 1) for name in names))


def test_samples_of_one_stack_add_up_and_may_cancel_out() -> None:
    stack = (place("f"), place("main"))
    assert function_weights(made(stack, stack, value=2), 0) == {"f": FunctionWeight(4, 4), "main": FunctionWeight(0, 4)}
    gone = made(stack, stack)
    first, second = gone.samples
    gone = changed(gone, samples=(first, second._replace(values=(-1,))))
    assert function_weights(gone, 0) == {}
    assert attribute(gone, 0, Attribution.LEAF) == {}


def test_two_places_of_one_function_are_one_function() -> None:
    leaf, caller = place("f"), Location(9, None, place("f").lines)
    assert function_weights(made((leaf, caller), (caller,)), 0) == {"f": FunctionWeight(2, 2)}


def test_a_recursive_function_counts_once() -> None:
    again = place("f")
    profile = made((again, place("g"), again), value=5)
    assert function_weights(profile, 0) == {"f": FunctionWeight(5, 5), "g": FunctionWeight(0, 5)}


def test_inlined_calls_count_from_the_innermost() -> None:
    profile = made((place("inlined", "outer"), place("main")), value=2)
    weights = {"inlined": FunctionWeight(2, 2), "outer": FunctionWeight(0, 2), "main": FunctionWeight(0, 2)}
    assert function_weights(profile, 0) == weights
    assert attribute(profile, 0, Attribution.ENTRY) == {"main": 2}


@pytest.mark.parametrize(
    ("file", "name"),
    [("/lib/libc.so.6", "[libc.so.6]"), ("C:\\windows\\ntdll.dll", "[ntdll.dll]"), ("", "<unknown>")],
)
def test_a_place_without_symbols_is_named_after_its_file(file: str, name: str) -> None:
    profile = made((place(file=file),))
    assert function_weights(profile, 0) == {name: FunctionWeight(1, 1)}


def test_a_function_without_a_name_goes_by_its_system_name() -> None:
    location = Location(0, None, (Line(Function("", "_ZN1f", "", 0), 1),))
    assert attribute(made((location,)), 0, Attribution.LEAF) == {"_ZN1f": 1}


def test_a_function_without_any_name_goes_by_the_file_of_its_place() -> None:
    bare = Location(0, Mapping("/srv/program", "", 0, 0, 0, has_functions=False), (Line(Function("", "", "", 0), 0),))
    assert function_weights(made((bare,)), 0) == {"[program]": FunctionWeight(1, 1)}


def test_a_sample_without_a_stack_is_unknown() -> None:
    profile = made((), value=4)
    assert function_weights(profile, 0) == {}
    assert all(attribute(profile, 0, attribution) == {"<unknown>": 4} for attribution in Attribution)


def test_a_stack_of_plumbing_alone_is_booked_on_its_leaf() -> None:
    profile = made((place("runtime.gopark"), place("runtime.main")))
    assert attribute(profile, 0, Attribution.CALLER) == {"runtime.gopark": 1}


def test_no_samples_sum_to_zero() -> None:
    assert totals(made()) == (0,)
    assert attribute(made(), 0, Attribution.LEAF) == {}
