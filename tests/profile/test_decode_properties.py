"""Whatever comes from outside, reading raises `DecodeError` and nothing else, and sums are sums."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pprof_exporter.health import FetchedProfile, run_checks
from pprof_exporter.profile import (
    Attribution,
    DecodeError,
    Profile,
    attribute,
    decode,
    function_weights,
    modules,
    read_index,
    totals,
)
from pprof_exporter.profile.function_names.names import entry_name
from pprof_exporter.profile.inflate import inflate
from pprof_exporter.profile.reader.wire import to_signed
from tests.proto import profile_pb2
from tests.recorded import RECORDINGS

LIMIT = 1 << 20
SEEDS = [
    RECORDINGS / "linux-go1.27.3" / "cpu_burn1.pb.gz",
    RECORDINGS / "windows-go1.21.13" / "goroutine_agent.pb.gz",
    RECORDINGS / "foreign" / "made-num-labels.pb.gz",
    RECORDINGS / "foreign" / "python-pyroscope.pb",
]
COMPRESSED = [path.read_bytes() for path in SEEDS]
PLAIN = [inflate(data, LIMIT) for data in COMPRESSED]
PAGES = [path.read_bytes() for path in sorted(RECORDINGS.glob("linux-*/index*.html"))]

bounded = settings(max_examples=300)


def read(data: bytes) -> Profile | None:
    try:
        return decode(data, max_bytes=LIMIT)
    except DecodeError:
        return None


def check(profile: Profile | None) -> None:
    """What must hold for the sums of every profile that decodes."""
    if profile is None:
        return
    assert profile.size <= LIMIT
    assert len(modules(profile.mapped_files)) == len(profile.mappings)
    ratios = [
        reading.value for reading in run_checks(FetchedProfile(profile)) if reading.family.name.endswith("_ratio")
    ]
    assert all(ratio is None or 0 <= ratio <= 1 for ratio in ratios)
    plain = [to_signed(sum(sample.values[i] for sample in profile.samples)) for i in range(len(profile.sample_types))]
    assert list(totals(profile)) == plain
    for i, total in enumerate(plain):
        for attribution in Attribution:
            assert to_signed(sum(attribute(profile, i, attribution).values())) == total
        weights = function_weights(profile, i)
        with_stack = [sample.values[i] for sample in profile.samples if sample.stack]
        assert to_signed(sum(weight.flat for weight in weights.values())) == to_signed(sum(with_stack))
        if all(value >= 0 for value in with_stack) and sum(with_stack) < 2**63:
            assert all(0 <= weight.flat <= weight.cum <= sum(with_stack) for weight in weights.values())


@st.composite
def mutated(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """A real body with a few bytes flipped, cut out, put in, doubled, or taken from another body."""
    body = bytearray(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        length = draw(st.integers(1, 40))
        match draw(st.sampled_from(["flip", "cut", "insert", "double", "splice"])):
            case "flip" if body:
                body[at] ^= draw(st.integers(1, 255))
            case "cut":
                del body[at : at + length]
            case "insert":
                body[at:at] = draw(st.binary(max_size=20))
            case "double":
                body[at:at] = body[at : at + length]
            case _:
                other = draw(st.sampled_from(bodies))
                start = draw(st.integers(0, len(other) - 1))
                body[at : at + length] = other[start : start + length]
    return bytes(body)


index = st.one_of(st.integers(0, 6), st.sampled_from([-1, -(2**63), 2**31, 2**63 - 1]))
identity = st.one_of(st.integers(0, 4), st.sampled_from([2**32, 2**64 - 1]))
number = st.one_of(st.integers(-5, 100), st.sampled_from([2**63 - 1, -(2**63)]))
Message = profile_pb2.Profile


def wild(draw: st.DrawFn) -> Message:
    """A message of which nothing fits together, unless by chance."""

    def many(strategy: st.SearchStrategy[int], most: int = 4) -> list[int]:
        return draw(st.lists(strategy, max_size=most))

    made = Message(
        string_table=draw(st.lists(st.binary(max_size=12), max_size=7)),
        time_nanos=draw(number),
        period=draw(number),
        default_sample_type=draw(index),
        comment=many(index, 2),
    )
    for kind in many(index, 3):
        made.sample_type.add(type=kind, unit=draw(index))
    for known in many(identity):
        made.mapping.add(id=known, filename=draw(index), build_id=draw(index))
    for known in many(identity):
        made.function.add(id=known, name=draw(index), system_name=draw(index))
    for known in many(identity):
        location = made.location.add(id=known, mapping_id=draw(identity))
        for function in many(identity, 2):
            location.line.add(function_id=function, line=draw(number))
    for _ in range(draw(st.integers(0, 4))):
        sample = made.sample.add(location_id=many(identity), value=many(number, 3))
        for key in many(index, 2):
            sample.label.add(key=key, str=draw(index), num=draw(number))
    return made


NAMES = [
    b"runtime.goexit",
    b"runtime.gopark",
    b"sync.(*Mutex).Lock",
    b"main.serve.func1.2",
    b"main.work",
    b"\xff\xfe",
    b"C:\\windows\\system32\\ntdll.dll",
]


def sound(draw: st.DrawFn) -> Message:
    """A message that is valid, with every odd shape that is allowed."""
    width = draw(st.integers(1, 3))
    values = draw(st.sampled_from([number, st.integers(0, 1000)]))
    string = st.integers(0, len(NAMES))
    made = Message(string_table=[b"", *NAMES])
    for _ in range(width):
        made.sample_type.add(type=draw(string), unit=draw(string))
    made.mapping.add(id=1, filename=draw(string), build_id=draw(string))
    functions = draw(st.integers(1, 5))
    for known in range(1, functions + 1):
        made.function.add(id=known, name=draw(string), system_name=draw(string))
    locations = draw(st.integers(1, 5))
    for known in range(1, locations + 1):
        location = made.location.add(id=known, mapping_id=draw(st.integers(0, 2)))
        for function in draw(st.lists(st.integers(1, functions), max_size=3)):
            location.line.add(function_id=function)
    for _ in range(draw(st.integers(0, 8))):
        stack = draw(st.lists(st.integers(1, locations), max_size=6))
        made.sample.add(location_id=stack, value=draw(st.lists(values, min_size=width, max_size=width)))
    return made


@bounded
@given(st.binary(max_size=2000))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    for body in (data, gzip.compress(data), b"\x1f\x8b\x08" + data):
        check(read(body))


@bounded
@given(mutated(COMPRESSED))
def test_a_changed_stream_is_read_or_refused(data: bytes) -> None:
    check(read(data))


@bounded
@given(mutated(PLAIN))
def test_a_changed_message_is_read_or_refused(data: bytes) -> None:
    check(read(data))


@bounded
@given(st.composite(wild)())
def test_wild_ids_and_indexes_are_read_or_refused(made: Message) -> None:
    check(read(made.SerializeToString()))


@bounded
@given(st.composite(sound)())
def test_sums_of_every_valid_message_are_exact(made: Message) -> None:
    profile = read(made.SerializeToString())
    assert profile is not None
    check(profile)


@bounded
@given(st.binary(max_size=500), st.integers(0, 600), st.integers(0, 2))
def test_nothing_larger_than_the_limit_comes_out(data: bytes, limit: int, layers: int) -> None:
    body = data
    for _ in range(layers):
        body = gzip.compress(body)
    with contextlib.suppress(DecodeError):
        assert len(inflate(body, limit)) <= limit


@bounded
@given(st.one_of(st.binary(max_size=500), mutated(PAGES)))
def test_any_page_is_an_index_or_refused(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        counts = read_index(body).counts
        assert counts
        assert all(count >= 0 for count in counts.values())


@bounded
@given(st.text(alphabet=".-0123456789abfuncmgowrpdert", max_size=60))
def test_an_entry_name_is_a_beginning_that_stays(name: str) -> None:
    kept = entry_name(name)
    assert name.startswith(kept)
    assert bool(kept) == bool(name)
    assert entry_name(kept) == kept


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.name)
def test_sums_of_the_seeds_are_exact(path: Path) -> None:
    profile = read(path.read_bytes())
    assert profile is not None
    check(profile)
