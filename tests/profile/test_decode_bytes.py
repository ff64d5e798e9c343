"""Compressed, in layers or in pieces a profile is the same; cut, changed, too large or another thing it is none."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import decode
from pprof_exporter.profile.inflate import inflate
from tests.profile.changed import parts_of
from tests.profile.made import message, refused
from tests.recorded import RECORDINGS, named

NEWEST = RECORDINGS / "linux-go1.27.3"


def every(pattern: str) -> pytest.MarkDecorator:
    found = sorted(RECORDINGS.glob(pattern))
    assert found
    return pytest.mark.parametrize("path", found, ids=named)


def members(plain: bytes) -> bytes:
    middle = len(plain) // 2
    return gzip.compress(plain[:middle]) + gzip.compress(b"") + gzip.compress(plain[middle:])


@pytest.mark.parametrize(
    "wrap",
    [gzip.compress, lambda plain: plain, lambda plain: gzip.compress(gzip.compress(plain)), members],
    ids=["gzip", "plain", "twice", "members"],
)
def test_the_same_profile_in_any_wrapping(wrap: Callable[[bytes], bytes]) -> None:
    data = (NEWEST / "heap_retained.pb.gz").read_bytes()
    assert parts_of(decode(wrap(gzip.decompress(data)))) == parts_of(decode(data))


def test_ever_so_many_members_take_linear_time() -> None:
    begin = time.process_time()
    assert inflate(gzip.compress(b"") * 200_000 + gzip.compress(b"end"), 100) == b"end"
    assert time.process_time() - begin < 5


def test_a_stream_cut_anywhere_is_truncated() -> None:
    data = (NEWEST / "threadcreate.pb.gz").read_bytes()
    reasons = [refused(data[:length]).reason for length in range(len(data))]
    # One byte is not enough to tell gzip.
    assert reasons == [Reason.EMPTY, Reason.PROTO, *[Reason.TRUNCATED] * (len(data) - 2)]


def test_a_second_member_cut_anywhere_is_no_profile() -> None:
    whole = gzip.compress(message().SerializeToString())
    rest = gzip.compress(b"")
    reasons = {refused(whole + rest[:length]).reason for length in range(1, len(rest))}
    assert reasons == {Reason.TRUNCATED}


def test_a_stream_that_was_changed_is_corrupt() -> None:
    data = bytearray((NEWEST / "heap.pb.gz").read_bytes())
    data[-6] ^= 0xFF
    assert refused(bytes(data)).reason is Reason.GZIP
    assert refused(b"\x1f\x8b\x08\x00" + b"\xff" * 100).reason is Reason.GZIP


def test_garbage_after_the_end_is_corrupt() -> None:
    assert refused((NEWEST / "heap.pb.gz").read_bytes() + b"garbage").reason is Reason.GZIP


def test_three_layers_are_one_too_many() -> None:
    data = gzip.compress(gzip.compress(gzip.compress(message().SerializeToString())))
    assert refused(data).reason is Reason.PROTO


@pytest.mark.parametrize("wrap", [gzip.compress, lambda plain: plain], ids=["gzip", "plain"])
def test_the_limit_is_exact(wrap: Callable[[bytes], bytes]) -> None:
    plain = message().SerializeToString()
    assert decode(wrap(plain), max_bytes=len(plain)).size == len(plain)
    assert refused(wrap(plain), max_bytes=len(plain) - 1).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("count", [1, 200], ids=["one member", "many members"])
def test_a_bomb_costs_no_more_than_the_limit(layers: int, count: int) -> None:
    limit = 1 << 20
    bomb = gzip.compress(bytes((64 << 20) // count)) * count
    if layers == 2:
        bomb = gzip.compress(bomb)
    tracemalloc.start()
    try:
        reason = refused(bomb, max_bytes=limit).reason
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason is Reason.TOO_LARGE
    assert peak < 4 * limit


@every("*/*_debug[12].txt")
def test_text_formats_are_refused_by_name(path: Path) -> None:
    error = refused(path.read_bytes())
    assert error.reason is Reason.TEXT
    kind, debug = path.stem.split("_")[0], path.stem[-1]
    assert f"debug={debug}" in error.detail
    assert kind in error.detail


@every("*/*.trace")
def test_an_execution_trace_is_refused_by_name(path: Path) -> None:
    error = refused(path.read_bytes())
    assert error.reason is Reason.PROTO
    assert "execution trace" in error.detail


@every("*/index*.html")
def test_a_page_is_html(path: Path) -> None:
    assert refused(path.read_bytes()).reason is Reason.HTML
    assert refused(gzip.compress(path.read_bytes())).reason is Reason.HTML


@every("*/*.zst")
def test_zstd_is_refused(path: Path) -> None:
    assert refused(path.read_bytes()).reason is Reason.PROTO


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", Reason.EMPTY, id="nothing"),
        pytest.param(gzip.compress(b""), Reason.EMPTY, id="nothing in gzip"),
        pytest.param(b'{"error": "not found"}\n', Reason.TEXT, id="json"),
        pytest.param(b"404 page not found\n", Reason.TEXT, id="words"),
        pytest.param("Zugriff für Gäste verweigert\r\n".encode(), Reason.TEXT, id="utf-8"),
        pytest.param(b"\n  <!DOCTYPE html><title>Log in</title>", Reason.HTML, id="a login page"),
        pytest.param(bytes(1000), Reason.INVALID, id="zeros"),
    ],
)
def test_what_is_no_profile_is_named(body: bytes, reason: Reason) -> None:
    assert refused(body).reason is reason


@pytest.mark.parametrize("word", [4, 8])
def test_the_format_of_gperftools_is_refused_by_name(word: int) -> None:
    body = b"".join(number.to_bytes(word, "little") for number in (0, 3, 0, 10_000, 0, 5, 1, 0x400000))
    error = refused(body)
    assert error.reason is Reason.PROTO
    assert "gperftools" in error.detail
