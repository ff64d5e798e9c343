"""The mixes of programs that a fleet consists of, and the replies of each: recorded, or made with a fixed seed.

`small` is the recorded program of the tests. `prometheus` has the sizes of an ordinary busy service: those of
Prometheus with 40 jobs, whose heap profile has 548 samples and 16 to 18 KiB. `large` is a service of thousands of
stacks on many processors. What their programs answer is made up, in files
that are named as the recordings are (`stub/main.go`).
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.fleet import made_program, made_text, wire
from benchmarks.fleet.made_program import MadeProgram
from benchmarks.fleet.made_text import Figures
from benchmarks.fleet.wire import Header, Sample
from tests.lab import exclusive
from tests.recorded import RECORDINGS

SMALL, PROMETHEUS, LARGE = "small", "prometheus", "large"
_RECORDED = RECORDINGS / "linux-go1.27.3"
# Changes with what is made, so that nothing old is replayed.
_SOURCES = ("mixes.py", "made_program.py", "made_text.py", "wire.py")

_TIME = 1_795_470_000 * 10**9
_WINDOW = 5
_TICK = 10**7
_RATE = 512 * 1024
# Sizes of heap objects (runtime/sizeclasses.go), and how often each is among samples of 512 KiB.
_OBJECTS = (16, 32, 48, 64, 96, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072, 1048576)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a program is: different stacks of each profile, processors it keeps busy, lines of its metrics page."""

    functions: int
    heap: int
    cpu: int
    goroutine: int
    contention: int
    processors: float
    page_lines: int
    go_figures: bool = True
    """Whether its metrics page has the figures of the heap, as those of client_golang do by default."""

    def times(self, factor: float) -> Size:
        """A program of the same kind, larger by this factor."""
        return replace(
            self,
            functions=round(self.functions * factor),
            heap=round(self.heap * factor),
            cpu=round(self.cpu * factor),
            goroutine=round(self.goroutine * factor),
            contention=round(self.contention * factor),
            processors=self.processors * factor,
            page_lines=round(self.page_lines * factor),
        )


_ORDINARY = Size(functions=300, heap=548, cpu=120, goroutine=24, contention=12, processors=0.6, page_lines=600)
_BIG = Size(functions=2500, heap=4200, cpu=2200, goroutine=700, contention=600, processors=8, page_lines=2000)
PROGRAMS: dict[str, tuple[Size, ...]] = {
    PROMETHEUS: (
        _ORDINARY,
        _ORDINARY.times(0.6),
        _ORDINARY.times(0.85),
        Size(300, 450, 120, 30, 0, 0.4, 300, go_figures=False),
    ),
    LARGE: (_BIG, _BIG.times(0.35), _BIG.times(1.3), Size(2500, 3000, 1500, 1000, 200, 5, 1200, go_figures=False)),
}
MIXES = (SMALL, *PROGRAMS)


def recordings(mix: str) -> Path:
    """The folder with the replies of the programs of a mix; made if it is not there."""
    sources = b"".join((Path(__file__).parent / name).read_bytes() for name in _SOURCES)
    version = hashlib.sha256(sources).hexdigest()[:16]
    with exclusive(f"fleet-{mix}") as folder:
        if not (folder / version).exists():
            shutil.rmtree(folder, ignore_errors=True)
            for number, size in enumerate(PROGRAMS.get(mix, ())):
                _make(folder / "being-made" / f"{mix}{number}-go1.27.3", size, f"{mix}{number}")
            if mix == SMALL:
                for recorded in RECORDINGS.glob("*-go1.*"):
                    shutil.copytree(recorded, folder / "being-made" / recorded.name, ignore=_earlier)
            (folder / "being-made").rename(folder / version)
    return folder / version


def _earlier(_: str, names: list[str]) -> list[str]:
    """What is not replayed of a recorded program: its counters are lower than in what it answered later.

    If a target answered with both by turns, it would seem to restart at each turn.
    """
    return [name for name in names if name in ("index.html", "allocs.pb.gz", "heap.pb.gz", "heap_debug1.txt")]


def sizes(mix: str) -> dict[str, list[int]]:
    """Bytes of each reply of the programs of a mix, by file name without its variant, smallest first."""
    found: dict[str, list[int]] = {}
    for file in recordings(mix).glob("*-go1.*/*"):
        kind = _KINDS.get(file.name)
        if kind is not None:
            found.setdefault(kind, []).append(file.stat().st_size)
    return {kind: sorted(found[kind]) for kind in dict.fromkeys(_KINDS.values()) if kind in found}


_KINDS = {
    "heap.pb.gz": "heap",
    "heap_retained.pb.gz": "heap",
    "allocs.pb.gz": "allocs",
    "allocs_retained.pb.gz": "allocs",
    "goroutine.pb.gz": "goroutine",
    "goroutine_leaks.pb.gz": "goroutine",
    "goroutine_contended.pb.gz": "goroutine",
    "cpu_burn1.pb.gz": "cpu",
    "cpu_burn2.pb.gz": "cpu",
    "cpu_contended.pb.gz": "cpu",
    "block.pb.gz": "block",
    "block_contended.pb.gz": "block",
    "mutex.pb.gz": "mutex",
    "mutex_contended.pb.gz": "mutex",
    "goroutineleak.pb.gz": "goroutineleak",
    "goroutineleak_leaks.pb.gz": "goroutineleak",
    "threadcreate.pb.gz": "threadcreate",
    "heap_debug1.txt": "heap?debug=1",
    "heap_retained_debug1.txt": "heap?debug=1",
    "metrics.txt": "metrics page",
    "index.html": "index",
    "index_leaks.html": "index",
}


def _make(folder: Path, size: Size, name: str) -> None:
    """Write all replies of one program."""
    folder.mkdir(parents=True)
    program = MadeProgram(name, size.functions, name)
    for file, content in _replies(program, size):
        (folder / file).write_bytes(content)
    for file in ("burn2.trace", "threadcreate_debug1.txt", "mutex_debug1.txt"):
        shutil.copy(_RECORDED / file, folder)


def _replies(program: MadeProgram, size: Size) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file. Two variants of a profile have the same totals since the start."""
    binary = program.binary
    heap = _heap(program, size.heap)
    goroutines = _counted(program, program.stacks(size.goroutine, made_program.WAITING, 18), 8)
    later = _moved(program, goroutines)
    for variant, samples in (("", heap), ("_retained", _grown(program, heap))):
        for kind, default in (("heap", ""), ("allocs", "alloc_space")):
            header = Header(_HEAP_TYPES, ("space", "bytes"), _RATE, _TIME, default_sample_type=default)
            yield f"{kind}{variant}.pb.gz", wire.profile(binary, header, samples)
        yield f"heap{variant}_debug1.txt", made_text.heap(binary, samples, _figures(size, samples))
    for number in (1, 2):
        header = Header(_CPU_TYPES, ("cpu", "nanoseconds"), _TICK, _TIME, _WINDOW * 10**9)
        yield f"cpu_burn{number}.pb.gz", wire.profile(binary, header, _cpu(program, size))
    for file, samples in (("goroutine.pb.gz", goroutines), ("goroutine_leaks.pb.gz", later)):
        yield file, wire.profile(binary, _counts("goroutine"), samples)
    yield "goroutineleak.pb.gz", wire.profile(binary, _counts("goroutineleak"), [])
    threads = [Sample((), (12 + round(4 * size.processors),))]
    yield "threadcreate.pb.gz", wire.profile(binary, _counts("threadcreate"), threads)
    contended = _contended(program, size.contention)
    for file in ("mutex.pb.gz", "block.pb.gz"):
        # Block profiles are off in most programs.
        samples = contended if file == "mutex.pb.gz" or size.contention > 100 else []
        yield file, wire.profile(binary, Header(_CONTENTION_TYPES, ("contentions", "count"), 1, _TIME), samples)
    counts = {
        "allocs": len(heap),
        "block": len(contended) if size.contention > 100 else 0,
        "goroutine": sum(sample.values[0] for sample in goroutines),
        "heap": len(heap),
        "mutex": len(contended),
        "threadcreate": threads[0].values[0],
    }
    yield "index.html", made_text.index((_RECORDED / "index.html").read_text(), counts)
    yield "cmdline.txt", f"{binary.path}\0--config=/etc/shop.yaml".encode()
    page = (_RECORDED / "metrics.txt").read_text()
    figures = _figures(size, heap) if size.go_figures else None
    yield (
        "metrics.txt",
        made_text.metrics(page, figures, size.page_lines, processors=max(2, round(4 * size.processors))),
    )
    yield "processors.txt", f"{size.processors:g}".encode()


_HEAP_TYPES = (
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
)
_CPU_TYPES = (("samples", "count"), ("cpu", "nanoseconds"))
_CONTENTION_TYPES = (("contentions", "count"), ("delay", "nanoseconds"))


def _counts(kind: str) -> Header:
    return Header(((kind, "count"),), (kind, "count"), 1, _TIME)


def _heap(program: MadeProgram, count: int) -> list[Sample]:
    """Records of the heap. Most were sampled once or twice, and most have nothing in use."""
    samples = []
    for stack in program.stacks(count, made_program.ALLOCATING, 18):
        size = program.chance.choice(_OBJECTS)
        sampled = int(program.chance.paretovariate(1.2))
        used = program.chance.choice((0, 0, 0, 1, sampled))
        samples.append(Sample(stack, (*_scaled(sampled, size), *_scaled(used, size)), size))
    return samples


def _scaled(sampled: int, size: int) -> tuple[int, int]:
    """Objects and bytes for so many sampled objects of a size (runtime/pprof/protomem.go, scaleHeapSample)."""
    scale = 1 / (1 - math.exp(-size / _RATE))
    return int(sampled * scale), int(sampled * size * scale)


def _grown(program: MadeProgram, samples: list[Sample]) -> list[Sample]:
    """The same records a minute later: other objects are in use, and what was allocated is the same."""
    later = list(samples)
    for number in program.chance.sample(range(len(samples)), len(samples) // 10):
        one = samples[number]
        later[number] = replace(one, values=(*one.values[:2], *(one.values[:2] if not one.values[2] else (0, 0))))
    return later


def _cpu(program: MadeProgram, size: Size) -> list[Sample]:
    """As many ticks as the processors take in a window; a twelfth of them is garbage collection."""
    ticks = round(size.processors * _WINDOW * 10**9 / _TICK)
    stacks = program.stacks(min(size.cpu, ticks // 2), made_program.RUNNING, 20)
    counts = dict.fromkeys(stacks, 1)
    collecting = ticks // 12
    for stack in program.chance.choices(stacks, k=max(0, ticks - collecting - len(stacks))):
        counts[stack] += 1
    counts[program.whole(made_program.COLLECTING)] = collecting
    return [Sample(stack, (count, count * _TICK)) for stack, count in counts.items()]


def _counted(program: MadeProgram, stacks: list[tuple[int, ...]], mean: int) -> list[Sample]:
    return [Sample(stack, (max(1, round(program.chance.expovariate(1 / mean))),)) for stack in stacks]


def _moved(program: MadeProgram, samples: list[Sample]) -> list[Sample]:
    """The same goroutines a minute later: some are elsewhere, and as many."""
    counts = [sample.values[0] for sample in samples]
    program.chance.shuffle(counts)
    return [Sample(sample.stack, (count,)) for sample, count in zip(samples, counts, strict=True)]


def _contended(program: MadeProgram, count: int) -> list[Sample]:
    return [
        Sample(stack, (waits, waits * program.chance.randint(2_000, 400_000)))
        for stack in program.stacks(count, made_program.LOCKING, 18)
        for waits in (program.chance.randint(1, 5000),)
    ]


def _figures(size: Size, samples: list[Sample]) -> Figures:
    """The memory statistics that belong to these records."""
    used = sum(sample.values[3] for sample in samples)
    return Figures(
        heap_alloc=round(used * 1.4), next_gc=used * 2, collections=4000, profiler_memory=1_450_000 + 700 * size.heap
    )
