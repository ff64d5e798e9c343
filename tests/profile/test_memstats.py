"""`heap?debug=1` of real programs is read whole; anything else raises `DecodeError` with a reason."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import DecodeError
from pprof_exporter.profile.memstats import (
    HEAD_BYTES,
    PAUSE_RING,
    TAIL_BYTES,
    HeapFigures,
    read_memstats,
    read_page_figures,
)
from tests.profile.made import refusal

MIB = 1024 * 1024
RECORDINGS = Path(__file__).parents[1] / "recordings"
PROGRAMS = sorted(folder.parent.name for folder in RECORDINGS.glob("*-go1.*/heap_debug1.txt"))
REPLY = (RECORDINGS / "linux-go1.27.3" / "heap_debug1.txt").read_bytes()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("file", ["heap_debug1.txt", "heap_retained_debug1.txt"])
def test_a_recorded_reply_is_read_whole(program: str, file: str) -> None:
    stats = read_memstats((RECORDINGS / program / file).read_bytes())
    assert 0 < stats.heap_alloc <= stats.heap_inuse <= stats.heap_sys
    assert stats.next_gc >= 4 * MIB
    assert stats.num_gc >= 1
    assert stats.num_forced_gc is not None
    assert stats.num_forced_gc <= stats.num_gc
    assert 0 < stats.gc_cpu_fraction < 1
    assert not stats.debug_gc
    assert MIB < stats.buck_hash_sys < 4 * MIB
    assert stats.max_rss is not None
    assert stats.max_rss > MIB
    assert stats.sampling_bytes == 512 * 1024
    assert len(stats.pause_ns) == len(stats.pause_end) == PAUSE_RING
    assert sum(end > 0 for end in stats.pause_end) == min(stats.num_gc, PAUSE_RING)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_last_collection_is_the_last_pause_of_the_ring(program: str) -> None:
    reply = RECORDINGS / program / "heap_retained_debug1.txt"
    stats = read_memstats(reply.read_bytes())
    latest = (stats.num_gc + PAUSE_RING - 1) % PAUSE_RING
    assert stats.last_gc == stats.pause_end[latest] / 10**9
    assert stats.last_gc == max(stats.pause_end) / 10**9
    manifest = json.loads((reply.parent / "MANIFEST.json").read_text())
    asked = manifest["files"][reply.name]["started_unix_nanos"] / 10**9
    assert 0 <= asked - stats.last_gc < timedelta(minutes=2).total_seconds()
    assert datetime.fromtimestamp(stats.last_gc, UTC).year >= 2026


@pytest.mark.parametrize("program", PROGRAMS)
def test_retained_memory_is_seen(program: str) -> None:
    idle = read_memstats((RECORDINGS / program / "heap_debug1.txt").read_bytes())
    retained = read_memstats((RECORDINGS / program / "heap_retained_debug1.txt").read_bytes())
    assert retained.heap_alloc - idle.heap_alloc > 20 * MIB


def test_before_the_first_collection_there_is_no_last_one() -> None:
    assert read_memstats(_with(REPLY, "LastGC", "0")).last_gc is None


@pytest.mark.parametrize("name", ["MaxRSS", "NumForcedGC"])
def test_lines_that_not_every_program_writes_may_be_absent(name: str) -> None:
    stats = read_memstats(_without(REPLY, name))
    assert (stats.max_rss is None) == (name == "MaxRSS")
    assert (stats.num_forced_gc is None) == (name == "NumForcedGC")


def test_heap_profiling_that_is_off_shows_as_rate_0() -> None:
    assert read_memstats(REPLY.replace(b"@ heap/1048576", b"@ heap/0", 1)).sampling_bytes == 0


def test_lines_may_end_as_on_windows() -> None:
    assert read_memstats(REPLY.replace(b"\n", b"\r\n")) == read_memstats(REPLY)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("index.html", Reason.HTML),
        ("goroutine_debug1.txt", Reason.TEXT),
        ("mutex_debug1.txt", Reason.TEXT),
        ("metrics.txt", Reason.TEXT),
        ("not_mounted.txt", Reason.TEXT),
        ("heap.pb.gz", Reason.PROTO),
        ("burn2.trace", Reason.PROTO),
    ],
)
def test_other_replies_are_refused_by_name(program: str, file: str, reason: Reason) -> None:
    assert refusal(read_memstats, (RECORDINGS / program / file).read_bytes()).reason is reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"\n \n", Reason.EMPTY),
        (b"heap profile: what", Reason.INVALID),
        (REPLY[:10_000], Reason.TRUNCATED),
    ],
)
def test_what_is_cut_or_empty_is_refused(body: bytes, reason: Reason) -> None:
    assert refusal(read_memstats, body).reason is reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NumGC", "-1"),
        ("NumGC", "1_0"),
        ("NumGC", "٣"),
        ("HeapAlloc", "1" * 30),
        ("LastGC", str(2**63)),
        ("GCCPUFraction", "NaN"),
        ("GCCPUFraction", "much"),
        ("DebugGC", "maybe"),
        ("PauseNs", "[1 2 3]"),
        ("PauseEnd", "[" + "x " * 255 + "x]"),
        ("PauseEnd", " ".join("0" * 256)),
    ],
)
def test_odd_numbers_are_refused(name: str, value: str) -> None:
    assert refusal(read_memstats, _with(REPLY, name, value)).reason is Reason.INVALID


@given(st.integers(0, len(REPLY)), st.binary(max_size=8), st.integers(0, 40))
def test_damage_raises_nothing_but_decode_errors(at: int, insert: bytes, drop: int) -> None:
    # Most of the reply is stacks; the end of it is what is read.
    at = len(REPLY) - at % 6000 if at % 2 else at
    _try(REPLY[:at] + insert + REPLY[at + drop :])


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: b"heap profile: " + text.encode()))
def test_noise_raises_nothing_but_decode_errors(body: bytes) -> None:
    _try(body)


def _try(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        read_memstats(body)


def _with(reply: bytes, name: str, value: str) -> bytes:
    lines = reply.decode().split("\n")
    changed = [f"# {name} = {value}" if line.startswith(f"# {name} = ") else line for line in lines]
    assert changed != lines
    return "\n".join(changed).encode()


def _without(reply: bytes, name: str) -> bytes:
    return b"\n".join(line for line in reply.split(b"\n") if not line.startswith(f"# {name} = ".encode()))


def test_what_is_between_head_and_tail_is_not_read() -> None:
    long = REPLY.replace(b"\n\n# runtime.MemStats", b"\n1: 2 [3: 4] @ 0x1\n" * 100_000 + b"\n# runtime.MemStats")
    assert len(long) > 10 * (HEAD_BYTES + TAIL_BYTES)
    excerpt = long[:HEAD_BYTES] + long[-TAIL_BYTES:]
    assert read_memstats(excerpt) == read_memstats(long) == read_memstats(REPLY)


PAGE = """\
# HELP go_gc_duration_seconds A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles.
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile="0"} 2.4826e-05
go_gc_duration_seconds_sum 0.003
go_gc_duration_seconds_count 27
# HELP go_memstats_buck_hash_sys_bytes Number of bytes used by the profiling bucket hash table.
go_memstats_buck_hash_sys_bytes 1.47298e+06
# HELP go_memstats_heap_alloc_bytes Number of heap bytes allocated and still in use.
go_memstats_heap_alloc_bytes{service="shop"} 1.8564312e+07
# HELP go_memstats_next_gc_bytes Number of heap bytes when next garbage collection will take place.
go_memstats_next_gc_bytes 2.6117152e+07 1800000000000
go_memstats_next_gc_bytes_total 3
"""


def test_a_page_has_the_same_figures() -> None:
    figures = read_page_figures(PAGE.encode())
    assert figures == HeapFigures(18564312, 26117152, 27, 1472980)
    assert read_page_figures(PAGE.replace("\n", "\r\n").encode()) == figures
    assert read_page_figures("\n".join(reversed(PAGE.splitlines())).encode()) == figures


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("go_gc_duration_seconds_count 27", ""),
        ("go_gc_duration_seconds_count 27", "go_gc_duration_seconds_count 27\ngo_gc_duration_seconds_count 28"),
        ("go_gc_duration_seconds_count 27", "go_gc_duration_seconds_count NaN"),
        ("go_gc_duration_seconds_count 27", "go_gc_duration_seconds_count -1"),
        ("go_gc_duration_seconds_count 27", "go_gc_duration_seconds_count 1e99"),
        ("go_gc_duration_seconds_count 27", "go_gc_duration_seconds_count 1e"),
        ("go_gc_duration_seconds_count 27", "go_gc_duration_seconds_count"),
        ("go_gc_duration_seconds_count 27", "# go_gc_duration_seconds_count 27"),
    ],
)
def test_a_figure_that_is_missing_twice_or_no_number_leaves_all_unknown(line: str, instead: str) -> None:
    assert read_page_figures(PAGE.replace(line, instead).encode()) is None


@given(st.binary() | st.sampled_from([PAGE]).map(lambda page: page[::-1].encode()))
def test_any_text_is_a_page_without_them(page: bytes) -> None:
    assert read_page_figures(page) is None
