"""How long reading a profile takes here and in Go, side by side, by classes of size.

    python -m benchmarks.decode.run [--reader native|python] [--json FILE] [--against FILE] [--files]

One turn of each by turns, on the same files and on one processor each, in CPU time. Go parses (`profile.ParseData` of
google/pprof), adds up the totals and sums the last sample type by function, flat and cumulative. `sums` is the same
here; `fetch` is all that the exporter does with a reply: it inflates, parses, sums every sample type of the kind by
function, finds out what the profile says about its process, and runs all checks. Both are shares of Go's time in the
same turn; the median over the turns stands for a file.

Files: the recordings of the tests, those of the fleet's mixes (benchmarks/fleet/mixes.py), and made-up CPU profiles.
`--against` shows what another run wrote with `--json` beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.decode.gopprof import Google, build
from benchmarks.decode.made import cpu_profile
from benchmarks.fleet import mixes
from pprof_exporter.check.kind_of import kind_of
from pprof_exporter.health import FetchedProfile
from pprof_exporter.profile import Kind, decode, function_weights, totals
from pprof_exporter.profile.reader.choice import NATIVE, PYTHON, READER, Reader, ReaderName
from pprof_exporter.scrape.state.observation import summarize
from tests.recorded import RECORDINGS, named

TURNS = 7
TURN_SECONDS = 0.05
CLASSES = ((2, 20), (20, 100), (100, 400), (400, 1 << 20))
"""From and to so many KiB, as on the wire."""
MADE = (700, 4_000, 8_000, 12_000, 20_000, 30_000)


@dataclass(frozen=True, slots=True)
class Measured:
    """A file: its bytes as on the wire, its samples, and the CPU seconds of one reading."""

    name: str
    size: int
    samples: int
    go: float
    sums: float
    fetch: float


def sums_of(data: bytes, reader: Reader) -> tuple[int, int, int, int]:
    """The total of the last sample type, how many functions it has, and the sums of their flat and cum values."""
    profile = decode(data, reader=reader)
    every = totals(profile)
    weights = function_weights(profile, len(every) - 1).values()
    return every[-1], len(weights), sum(weight.flat for weight in weights), sum(weight.cum for weight in weights)


def fetch(data: bytes, reader: Reader, kind: Kind) -> object:
    """All that is done with a reply."""
    fetched = FetchedProfile(
        decode(data, reader=reader),
        kind,
        asked_at=1_795_470_000.0,
        took=0.1,
        window=kind.window,
        previous_nanos=1,
        cpu_used=kind.window or None,
        cpu_source="metrics",
    )
    return summarize(kind, fetched, at=1_795_470_000.0)


def measure(google: Google, path: Path, name: str, reader: Reader) -> Measured | None:
    """Measure one file, unless Go does not write such profiles; raise `ValueError` when Go reads something else."""
    data = path.read_bytes()
    profile = decode(data, reader=reader)
    kind = kind_of(profile, path.name)
    if kind is None:
        return None
    if sums_of(data, reader) != google.sums(path):
        raise ValueError(f"{path}: {sums_of(data, reader)} here, {google.sums(path)} in Go")
    ways: dict[str, Callable[[int], float]] = {
        "go": lambda rounds: google.seconds(path, rounds),
        "sums": lambda rounds: _seconds(lambda: sums_of(data, reader), rounds),
        "fetch": lambda rounds: _seconds(lambda: fetch(data, reader, kind), rounds),
    }
    rounds = {way: max(1, round(TURN_SECONDS / max(seconds(3), 1e-6))) for way, seconds in ways.items()}
    turns = [{way: seconds(rounds[way]) for way, seconds in ways.items()} for _ in range(TURNS)]
    go = statistics.median(turn["go"] for turn in turns)
    # Shares of each turn, in which the processor has had one speed for all.
    sums, fetched = (statistics.median(turn[way] / turn["go"] for turn in turns) for way in ("sums", "fetch"))
    return Measured(name, len(data), profile.columns.samples, go, sums=go * sums, fetch=go * fetched)


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Mean CPU seconds."""
    began = time.process_time()
    for _ in range(rounds):
        work()
    return (time.process_time() - began) / rounds


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every profile to measure, with its name; made ones are written to the folder."""
    for path in sorted(RECORDINGS.glob("*-go1.*/*.pb.gz")):
        yield path, named(path)
    for mix in (mixes.PROMETHEUS, mixes.LARGE):
        for path in sorted(mixes.recordings(mix).glob("**/*.pb.gz")):
            yield path, f"{mix}/{path.name}"
    for samples in MADE:
        path = folder / f"cpu_{samples}.pb.gz"
        path.write_bytes(cpu_profile(samples))
        yield path, path.name


def table(found: Iterable[Measured], before: Iterable[Measured]) -> Iterator[str]:
    """Medians and worst of each class; and medians of another run, if there is one."""
    yield f"{'KiB':>10}{'files':>7}{'sums':>8}{'worst':>8}{'fetch':>8}{'worst':>8}{'before':>8}"
    earlier = list(before)
    every = list(found)
    for low, high in CLASSES:
        inside = [one for one in every if low << 10 <= one.size < high << 10]
        if not inside:
            continue
        summed, fetched = [one.sums / one.go for one in inside], [one.fetch / one.go for one in inside]
        cells = [statistics.median(summed), max(summed), statistics.median(fetched), max(fetched)]
        past = [one.fetch / one.go for one in earlier if low << 10 <= one.size < high << 10]
        cells += [statistics.median(past)] if past else []
        sizes = f"{low} to {high}" if high < 1 << 20 else f"{low} on"
        yield f"{sizes:>10}{len(inside):>7}" + "".join(f"{cell:>8.2f}" for cell in cells)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.decode.run", description="Reading a profile, here and in Go.")
    parser.add_argument("--reader", type=ReaderName, default=READER.name, choices=list(ReaderName))
    parser.add_argument("--json", type=Path, help="write the figures of every file")
    parser.add_argument("--against", type=Path, help="a file that an earlier run wrote with --json")
    parser.add_argument("--files", action="store_true", help="print every file")
    options = parser.parse_args()
    reader = PYTHON if options.reader is ReaderName.PYTHON else NATIVE
    if reader is None:
        parser.error("the compiled reader is not installed")
    before = [Measured(**one) for one in json.loads(options.against.read_text())] if options.against else []
    smallest = CLASSES[0][0] << 10
    with Google(build()) as google, tempfile.TemporaryDirectory() as folder:
        chosen = [(path, name) for path, name in files(Path(folder)) if path.stat().st_size >= smallest]
        found = [one for path, name in chosen if (one := measure(google, path, name, reader))]
    if options.files:
        for one in sorted(found, key=lambda one: one.fetch / one.go):
            figures = f"{1e6 * one.go:>9.0f} us{one.sums / one.go:>7.2f}{one.fetch / one.go:>7.2f}"
            print(f"{one.name:<52}{one.size / 1024:>8.1f} KiB{one.samples:>7}{figures}")
    print(f"Shares of Go's time, {reader.name} reader")
    print("\n".join(table(found, before)))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")


if __name__ == "__main__":
    main()
