"""Reading CPU samples and clocks out of execution traces that real Go programs wrote."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import DecodeError
from pprof_exporter.profile.trace import Trace, UnsupportedTrace, read_trace
from tests.profile.made import refusal

RECORDINGS = Path(__file__).parents[1] / "recordings"
NEWEST_FORMAT = RECORDINGS / "linux-go1.27.3" / "burn2.trace"
READ = (
    # folder, format, samples, ticks a second, clock snapshots
    ("linux-go1.24.11", "go 1.23", 202, 15_625_000, 0),
    ("linux-go1.27.3", "go 1.26", 203, 15_625_000, 2),
    ("windows-go1.24.11", "go 1.23", 200, 10_144_649, 0),
    ("windows-go1.27.3", "go 1.26", 204, 10_142_161, 2),
)


def number(value: int, width: int = 0) -> bytes:
    """As encoding/binary writes an unsigned number, and padded to `width` bytes as the runtime writes lengths."""
    digits: list[int] = []
    while value > 0x7F or len(digits) + 1 < width:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def header(minor: int) -> bytes:
    return b"go 1.%d trace\0\0\0" % minor


def batch(contents: bytes, generation: int = 1, at: int = 1000) -> bytes:
    return b"\x01" + number(generation) + number(2**64 - 1) + number(at) + number(len(contents), 10) + contents


def frequency(hertz: int) -> bytes:
    return b"\x08" + number(hertz)


def sync(hertz: int, *snapshot: int) -> bytes:
    return b"\x32" + frequency(hertz) + b"\x33" + b"".join(map(number, snapshot))


def samples(*times: int, thread: int = 7) -> bytes:
    return b"\x06" + b"".join(b"\x07" + number(at) + number(thread) + number(0) + number(5) + number(1) for at in times)


END = b"\x34"


def attempt(data: bytes) -> Trace | Reason | None:
    """Read what may be broken: nothing but the two documented exceptions may come out."""
    try:
        return read_trace(data)
    except DecodeError as error:
        return error.reason
    except UnsupportedTrace:
        return None


@pytest.mark.parametrize(("folder", "version", "count", "hertz", "snapshots"), READ)
def test_recorded_traces_hold_a_second_of_two_busy_threads(
    folder: str, version: str, count: int, hertz: int, snapshots: int
) -> None:
    trace = read_trace((RECORDINGS / folder / "burn2.trace").read_bytes())
    assert (trace.version, len(trace.times), trace.ticks_per_second) == (version, count, hertz)
    assert list(trace.times) == sorted(trace.times)
    assert 0.9 < trace.times[-1] - trace.times[0] < 1.1
    assert len(trace.threads) == count
    assert len(set(trace.threads)) == 2
    assert len(trace.clocks) == snapshots
    assert not trace.truncated


def test_clocks_of_a_generation_are_read_at_one_moment() -> None:
    before, after = read_trace(NEWEST_FORMAT.read_bytes()).clocks
    monotonic = (after.monotonic_nanos - before.monotonic_nanos) / 1e9
    assert after.trace - before.trace == pytest.approx(monotonic, abs=1e-6)
    assert (after.wall_nanos - before.wall_nanos) / 1e9 == pytest.approx(monotonic, abs=1e-6)
    assert before.trace == pytest.approx(before.monotonic_nanos / 1e9, abs=1e-3)  # On Linux one and the same clock.
    assert time.gmtime(before.wall_nanos // 10**9).tm_year == 2026


@pytest.mark.parametrize("folder", ["linux-go1.21.13", "windows-go1.21.13"])
def test_traces_of_go_1_21_are_unsupported_and_name_their_format(folder: str) -> None:
    with pytest.raises(UnsupportedTrace, match=r"of go 1\.21 is not supported") as caught:
        read_trace((RECORDINGS / folder / "burn2.trace").read_bytes())
    assert caught.value.version == "go 1.21"


@pytest.mark.parametrize("minor", [5, 7, 8, 9, 10, 11, 19, 21])
def test_every_format_before_go_1_22_is_unsupported(minor: int) -> None:
    with pytest.raises(UnsupportedTrace):
        read_trace(header(minor))


def test_samples_of_a_generation_use_its_own_frequency() -> None:
    first = batch(samples(1000, 1100)) + batch(sync(100, 0, 1, 2, 3)) + END
    second = batch(samples(4000), 2) + batch(sync(200, 500, 4, 5, 6), 2) + END
    trace = read_trace(header(26) + first + second)
    assert trace.times == (10.0, 11.0, 20.0)
    assert trace.ticks_per_second == 200
    assert [(clock.trace, clock.monotonic_nanos, clock.wall_nanos) for clock in trace.clocks] == [
        (10.0, 1, 2_000_000_003),
        (7.5, 4, 5_000_000_006),
    ]


def test_samples_are_sorted_with_their_threads() -> None:
    trace = read_trace(header(23) + batch(frequency(10)) + batch(samples(30, thread=1)) + batch(samples(20, thread=2)))
    assert (trace.times, trace.threads) == ((2.0, 3.0), (2, 1))


def test_other_batches_are_skipped_by_their_length() -> None:
    others = batch(b"\x02 whatever") + batch(b"") + b"\x31\x01" + batch(b"\x06 of an experiment")[1:]
    trace = read_trace(header(26) + batch(sync(10, 0, 0, 0, 0)) + others + batch(samples(20)) + END)
    assert trace.times == (2.0,)
    assert not trace.truncated


def test_a_lone_frequency_is_a_clock_batch_up_to_go_1_24_only() -> None:
    assert read_trace(header(23) + batch(frequency(10))).ticks_per_second == 10
    assert refusal(read_trace, header(25) + batch(frequency(10))).reason is Reason.TRUNCATED


def test_later_formats_are_read_as_the_newest_known() -> None:
    later = header(27) + batch(sync(10, 0, 0, 0, 0) + b"\x7e something new") + batch(samples(20)) + END
    trace = read_trace(later)
    assert (trace.version, trace.times, len(trace.clocks), trace.truncated) == ("go 1.27", (2.0,), 1, False)


def test_a_trace_without_a_cpu_profile_has_no_samples() -> None:
    trace = read_trace(header(26) + batch(sync(10, 0, 0, 0, 0)) + END)
    assert trace.times == ()
    assert not trace.truncated


@pytest.mark.parametrize("folder", [row[0] for row in READ])
def test_a_trace_cut_anywhere_gives_a_beginning_of_its_samples(folder: str) -> None:
    data = (RECORDINGS / folder / "burn2.trace").read_bytes()
    whole = read_trace(data)
    counts = []
    for length in range(0, len(data), 7):
        part = attempt(data[:length])
        if not isinstance(part, Trace):
            assert part in ({Reason.EMPTY, Reason.TEXT} if length < len(b"go 1.") else {Reason.TRUNCATED})
            continue
        assert part.truncated or whole.version == "go 1.23"  # There a cut between two batches cannot be seen.
        assert part.times == whole.times[: len(part.times)]
        counts.append(len(part.times))
    assert counts == sorted(counts)
    assert counts[-1] >= 200


def test_a_generation_cut_before_its_frequency_is_left_out() -> None:
    trace = read_trace(header(23) + batch(frequency(10)) + batch(samples(20)) + batch(samples(30), 2))
    assert trace.times == (2.0,)
    assert trace.truncated


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"<html><body>not here</body></html>", Reason.HTML),
        (b"Could not enable tracing: tracing is already enabled\n", Reason.TEXT),
        (b"\x00\x01\x02 anything", Reason.PROTO),
        (header(26)[:9], Reason.TRUNCATED),
        (header(26)[:15], Reason.TRUNCATED),
        (header(26), Reason.TRUNCATED),
        (header(26) + b"\x02", Reason.PROTO),
        (header(23) + END, Reason.PROTO),
        (header(26) + batch(b"\x02", generation=0), Reason.PROTO),
        (header(26) + batch(sync(10, 0, 0, 0, 0), 2) + batch(b"\x02", 1), Reason.PROTO),
        (header(26) + batch(samples(20)) + END + batch(sync(10, 0, 0, 0, 0), 2), Reason.PROTO),
        (header(26) + batch(sync(0, 0, 0, 0, 0)), Reason.PROTO),
        (header(26) + batch(sync(9, 0, 0, 0, 0)) * 2, Reason.PROTO),
        (header(26) + batch(sync(9, 0, 0, 0, 0) + b"\x7e"), Reason.PROTO),
        (header(26) + batch(samples(20)[:-1]), Reason.PROTO),
        (header(26) + batch(b"\x06\x05"), Reason.PROTO),
        (header(26) + b"\x01" + b"\xff" * 10, Reason.PROTO),
        (header(26) + b"\x01" + b"\xff" * 9, Reason.TRUNCATED),
        (header(26) + b"\x01\x01\x01\x01" + number(2**63), Reason.PROTO),
        (header(26) + b"\x01\x01\x01\x01" + number(2**16), Reason.TRUNCATED),
    ],
)
def test_what_is_no_trace_is_refused_with_its_reason(data: bytes, reason: Reason) -> None:
    assert refusal(read_trace, data).reason is reason


def holds(trace: Trace | Reason | None, data: bytes) -> None:
    """Whatever is read is bounded by the bytes, and in order."""
    if not isinstance(trace, Trace):
        return
    assert len(trace.times) == len(trace.threads) <= len(data) // 6
    assert len(trace.clocks) <= len(data) // 6
    assert all(before <= after for before, after in pairwise(trace.times))
    assert trace.ticks_per_second > 0


@given(st.binary(max_size=300), st.sampled_from([21, 22, 23, 25, 26, 27, 99]))
def test_random_bytes_raise_nothing_else(data: bytes, minor: int) -> None:
    holds(attempt(data), data)
    holds(attempt(header(minor) + data), data)


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.binary(max_size=20),
                st.builds(frequency, st.integers(0, 2**64 - 1)),
                st.builds(sync, *[st.integers(0, 2**64 - 1)] * 5),
                st.lists(st.integers(0, 2**64 - 1), max_size=5).map(lambda times: samples(*times)),
            ),
            st.integers(0, 4),
        ),
        max_size=8,
    ),
    st.sampled_from([22, 25, 26]),
)
def test_random_batches_raise_nothing_else(batches: list[tuple[bytes, int]], minor: int) -> None:
    data = header(minor) + b"".join(batch(contents, generation) for contents, generation in batches)
    holds(attempt(data), data)


@given(
    st.sampled_from([row[0] for row in READ]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0, 1),
)
def test_damaged_real_traces_raise_nothing_else(folder: str, changes: list[tuple[float, int]], keep: float) -> None:
    data = bytearray((RECORDINGS / folder / "burn2.trace").read_bytes())
    for where, value in changes:
        # Half of the changes hit the beginning, where the clocks are.
        data[int(where * (len(data) if value % 2 else 200))] = value
    damaged = bytes(data[: int(len(data) * max(keep, 0.5))])
    holds(attempt(damaged), damaged)


def test_megabytes_of_smallest_batches_are_read_in_reasonable_time() -> None:
    hostile = header(26) + batch(sync(10, 0, 0, 0, 0)) + b"\x01\x01\x01\x01\x00" * 200_000
    began = time.process_time()
    assert read_trace(hostile).truncated
    assert time.process_time() - began < 10
