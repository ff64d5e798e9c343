"""Both readers and Go's own find the same in every message, or refuse it alike; and so with every gzip stream.

Go's reader is google/pprof of a Go toolchain, in a program that is built for the test (benchmarks/decode/go).
"""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.decode.gopprof import Google, build, write_batch
from pprof_exporter.profile import DecodeError, decode
from pprof_exporter.profile.decoding import Difference
from pprof_exporter.profile.inflate import inflate
from pprof_exporter.profile.reader.bounds import MAX_ENTRIES
from pprof_exporter.profile.reader.choice import PYTHON, Reader
from pprof_exporter.profile.reader.wire import to_signed
from tests.profile.crafted import CRAFTED, ONLY_WE_REFUSE, STREAMS, WHOLE, field
from tests.profile.made import Message
from tests.profile.readers import CHANGES, damaged, is_refusal, native, outcome
from tests.recorded import FOREIGN, PROFILES, RECORDINGS

RECORDED = [path.read_bytes() for path in PROFILES]
SMALL = [body for body in (inflate(data, 1 << 24) for data in RECORDED) if len(body) < 6_000]
SEEDS = [data for data in RECORDED if len(data) < 1_500]
BATCHES = 20
EACH = 1_000


@pytest.fixture(scope="module")
def google() -> Iterator[Google]:
    """Go's own reader."""
    with Google(build()) as running:
        yield running


def shown(reader: Reader, body: bytes) -> str:
    """What `Google.read` says of a message, by one of our readers."""
    try:
        columns = reader.read(body)
    except DecodeError:
        return "no"
    totals = reader.sums.every_total(columns)
    weights = reader.sums.weights(columns, columns.width - 1).values()
    whole = columns.header.time_nanos, columns.header.duration_nanos, columns.header.period
    sums = (
        totals[-1],
        len(weights),
        to_signed(sum(flat for flat, _ in weights)),
        to_signed(sum(cum for _, cum in weights)),
    )
    counts = columns.samples, columns.locations, columns.functions, columns.mappings
    return " ".join(map(str, (*counts, *whole, f"[{' '.join(map(str, totals))}]", *sums)))


def assert_alike(bodies: list[bytes], google: Google, folder: Path) -> int:
    """Compare the three readers on messages; returns how many of these are valid."""
    write_batch(folder / "batch", bodies)
    valid = 0
    for i, (body, said) in enumerate(zip(bodies, google.read(folder / "batch", len(bodies)), strict=True)):
        ours, compiled = outcome(PYTHON, body), outcome(native(), body)
        assert ours == compiled, (i, body[:200])
        if is_refusal(ours):
            assert said.startswith("no") or str(ours[1]).startswith(ONLY_WE_REFUSE), (i, said, ours)
            continue
        assert shown(PYTHON, body) == said, (i, ours[:2])
        valid += 1
    return valid


def test_recorded_profiles(google: Google, tmp_path: Path) -> None:
    bodies = [inflate(data, 1 << 24) for data in RECORDED]
    assert assert_alike(bodies, google, tmp_path) == len(bodies)


def test_foreign_files(google: Google, tmp_path: Path) -> None:
    bodies = [inflate(path.read_bytes(), 1 << 24) for path in sorted(FOREIGN.glob("*.pb*"))]
    assert 0 < assert_alike(bodies, google, tmp_path) <= len(bodies)


def test_crafted_messages(google: Google, tmp_path: Path) -> None:
    valid = assert_alike([body for _, body in CRAFTED.values()], google, tmp_path)
    assert valid == sum(accepted for accepted, _ in CRAFTED.values())


@pytest.mark.parametrize("batch", range(BATCHES))
def test_changed_messages(batch: int, google: Google, tmp_path: Path) -> None:
    chance = random.Random(batch)
    bodies = [chance.choice(CHANGES)(chance, chance.choice(SMALL), SMALL) for _ in range(EACH)]
    assert 0 < assert_alike(bodies, google, tmp_path) < EACH


def contents(data: bytes) -> str:
    """What `Google.gunzip` says of a stream, by our reader."""
    try:
        found = inflate(data, 1 << 24)
    except DecodeError:
        return "no"
    return f"{len(found)} {zlib.crc32(found)}"


def test_gzip_streams(google: Google, tmp_path: Path) -> None:
    chance = random.Random(0)
    streams = [*STREAMS.values(), *(damaged(chance, chance.choice(SEEDS), SEEDS) for _ in range(4 * EACH))]
    # What does not begin as gzip is read as it stands.
    streams = [stream for stream in streams if stream.startswith(b"\x1f\x8b")]
    write_batch(tmp_path / "batch", streams)
    answers = google.gunzip(tmp_path / "batch", len(streams))
    for stream, said in zip(streams, answers, strict=True):
        assert contents(stream) == ("no" if said.startswith("no") else said), (said, stream[:20])
    assert {said.startswith("no") for said in answers} == {True, False}


DIFFERENT: dict[Difference, tuple[bool, bytes]] = {
    Difference.NO_SAMPLE_TYPES: (True, Message(string_table=[b""], period=1).SerializeToString()),
    Difference.TOO_LARGE: (True, WHOLE + field(2, 2, b"\x10\x00\x10\x00") * (MAX_ENTRIES + 1)),
    Difference.TWO_LAYERS: (False, gzip.compress(gzip.compress(WHOLE))),
    Difference.TEXT_FORMATS: (True, (RECORDINGS / "linux-go1.27.3" / "heap_debug1.txt").read_bytes()),
}
"""For each difference a file, and whether Go takes it."""


@pytest.mark.parametrize("difference", Difference)
def test_what_deliberately_differs(difference: Difference, google: Google, tmp_path: Path) -> None:
    go_takes_it, data = DIFFERENT[difference]
    write_batch(tmp_path / "batch", [data])
    (said,) = google.parse(tmp_path / "batch", 1)
    assert (said == "ok") is go_takes_it, said
    for reader in (PYTHON, native()):
        if go_takes_it:
            with pytest.raises(DecodeError):
                decode(data, reader=reader)
        else:
            assert decode(data, reader=reader).size == len(WHOLE)
