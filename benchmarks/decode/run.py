"""How long decoding and summing a profile takes here and in Go, side by side.

    python -m benchmarks.decode.run

One turn of each by turns, on the same files and on one processor each, in CPU time. Both read the bytes, add up the
totals of each sample type, and sum the last one by function, flat and cumulative; `floor` is inflating and parsing
alone, which is done by zlib and protobuf's C code. The last column is the ratio to Go.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.decode.gopprof import Google, build
from benchmarks.decode.made import cpu_profile
from pprof_exporter.profile import decode, function_weights, totals
from pprof_exporter.profile.inflate import inflate
from tests.proto import profile_pb2
from tests.recorded import FOREIGN, RECORDINGS, named

TURNS = 15
TURN_SECONDS = 0.1
RECORDED = (
    RECORDINGS / "linux-go1.27.3" / "heap_retained.pb.gz",
    RECORDINGS / "linux-go1.27.3" / "goroutine_leaks.pb.gz",
    RECORDINGS / "windows-go1.21.13" / "cpu_burn2.pb.gz",
    RECORDINGS / "windows-go1.27.3" / "mutex_contended.pb.gz",
    FOREIGN / "java-cpu-native.pb.gz",
)
MADE = (2_000, 20_000)


@dataclass(frozen=True, slots=True)
class Times:
    """Median CPU seconds of one reading of a file."""

    ours: float
    floor: float
    go: float


def ours(data: bytes) -> tuple[int, int, int, int]:
    """The total of the last sample type, how many functions it has, and the sums of their flat and cum values."""
    profile = decode(data)
    every = totals(profile)
    weights = function_weights(profile, len(every) - 1).values()
    return every[-1], len(weights), sum(weight.flat for weight in weights), sum(weight.cum for weight in weights)


def floor(data: bytes) -> object:
    """The part that no code of ours can make faster."""
    return profile_pb2.Profile.FromString(inflate(data, 1 << 30))


def seconds(work: Callable[[bytes], object], data: bytes, rounds: int) -> float:
    """Mean CPU seconds."""
    began = time.process_time()
    for _ in range(rounds):
        work(data)
    return (time.process_time() - began) / rounds


def compare(google: Google, path: Path) -> Times:
    """Measure one file; raise `ValueError` when the two sides do not read the same in it."""
    data = path.read_bytes()
    if ours(data) != google.sums(path):
        raise ValueError(f"{path}: {ours(data)} here, {google.sums(path)} in Go")
    rounds = {side: max(1, round(TURN_SECONDS / once)) for side, once in _once(google, path, data).items()}
    turns = [
        (
            seconds(ours, data, rounds["ours"]),
            seconds(floor, data, rounds["floor"]),
            google.seconds(path, rounds["go"]),
        )
        for _ in range(TURNS)
    ]
    return Times(*(statistics.median(column) for column in zip(*turns, strict=True)))


def _once(google: Google, path: Path, data: bytes) -> dict[str, float]:
    rounds = 3
    measured = {
        "ours": seconds(ours, data, rounds),
        "floor": seconds(floor, data, rounds),
        "go": google.seconds(path, rounds),
    }
    return {side: max(took, 1e-6) for side, took in measured.items()}


def row(name: str, *cells: str) -> str:
    """One line of the table."""
    return f"{name:<44}" + "".join(f"{cell:>10}" for cell in cells)


def main() -> None:
    """Run and print."""
    print(row("", "KiB", "samples", "Go ms", "floor ms", "ours ms", "ours/Go"))
    with Google(build()) as google, tempfile.TemporaryDirectory() as folder:
        files = list(RECORDED)
        for samples in MADE:
            files.append(Path(folder) / f"{samples}-samples.pb.gz")
            files[-1].write_bytes(cpu_profile(samples))
        for path in files:
            times = compare(google, path)
            data = path.read_bytes()
            figures = (f"{1000 * took:.3f}" for took in (times.go, times.floor, times.ours))
            name = named(path) if path in RECORDED else path.name
            size = f"{len(data) / 1024:.1f}"
            print(row(name, size, str(len(decode(data).samples)), *figures, f"{times.ours / times.go:.1f}"))


if __name__ == "__main__":
    main()
