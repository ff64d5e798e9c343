"""Makes the profiles that no producer here writes and prints their manifest entries as JSON.

Run by record.py with the folder of the recordings as the argument.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pprof_exporter.profile.proto import profile_pb2

TIME_NANOS = 1_750_000_000_000_000_000
Frame = tuple[str, str, int]
Made = tuple[str, bytes, dict[str, Any]]


def zipped(message: bytes) -> bytes:
    """The message gzipped without a time or a file name."""
    return gzip.compress(message, mtime=0)


class Builder:
    """A profile whose strings, functions and locations are kept once each."""

    def __init__(self, *types: tuple[str, str]) -> None:
        self.profile = profile_pb2.Profile()
        self.strings: dict[str, int] = {}
        self.functions: dict[tuple[str, str], int] = {}
        self.locations: dict[tuple[int, int, int], int] = {}
        self.string("")
        for type_name, unit in types:
            self.profile.sample_type.add(type=self.string(type_name), unit=self.string(unit))
        self.profile.time_nanos = TIME_NANOS

    def string(self, text: str) -> int:
        if text not in self.strings:
            self.strings[text] = len(self.strings)
            self.profile.string_table.append(text.encode())
        return self.strings[text]

    def period(self, type_name: str, unit: str, period: int, duration_nanos: int) -> None:
        self.profile.period_type.type = self.string(type_name)
        self.profile.period_type.unit = self.string(unit)
        self.profile.period = period
        self.profile.duration_nanos = duration_nanos

    def mapping(self, start: int, limit: int, filename: str, build_id: str) -> int:
        number = len(self.profile.mapping) + 1
        self.profile.mapping.add(
            id=number,
            memory_start=start,
            memory_limit=limit,
            filename=self.string(filename),
            build_id=self.string(build_id),
        )
        return number

    def location(self, frame: Frame | None, address: int = 0, mapping: int = 0) -> int:
        """The id of the location of a frame, or of a bare address for None."""
        name, filename, line = frame or ("", "", 0)
        function = self._function(name, filename) if frame else 0
        key = (function, line, address)
        if key not in self.locations:
            self.locations[key] = len(self.locations) + 1
            location = self.profile.location.add(id=self.locations[key], address=address, mapping_id=mapping)
            if frame:
                location.line.add(function_id=function, line=line)
        return self.locations[key]

    def _function(self, name: str, filename: str) -> int:
        if (name, filename) not in self.functions:
            number = self.functions[name, filename] = len(self.functions) + 1
            text, file = self.string(name), self.string(filename)
            self.profile.function.add(id=number, name=text, system_name=text, filename=file)
        return self.functions[name, filename]

    def sample(self, locations: Iterable[int], *values: int) -> profile_pb2.Sample:
        return self.profile.sample.add(location_id=locations, value=values)

    def label(self, sample: profile_pb2.Sample, key: str, value: str | int, unit: str = "") -> None:
        if isinstance(value, str):
            sample.label.add(key=self.string(key), str=self.string(value))
        else:
            sample.label.add(key=self.string(key), num=value, num_unit=self.string(unit))


def java() -> Iterator[Made]:
    """A Java profile: no mappings, dotted names, lines, the thread as a label."""
    run = [("java.lang.Thread.run", "Thread.java", 840), ("java.lang.Thread.runWith", "Thread.java", 1596)]
    pool = [
        ("java.util.concurrent.ThreadPoolExecutor$Worker.run", "ThreadPoolExecutor.java", 642),
        ("java.util.concurrent.ThreadPoolExecutor.runWorker", "ThreadPoolExecutor.java", 1144),
    ]
    stacks: list[tuple[list[Frame], str, int]] = [
        (
            [
                *pool,
                ("com.example.shop.Prices.lambda$refresh$0", "Prices.java", 41),
                ("java.util.HashMap.put", "HashMap.java", 610),
                ("java.util.HashMap.putVal", "HashMap.java", 635),
            ],
            "pool-1-thread-1",
            31,
        ),
        (
            [
                *pool,
                ("com.example.shop.Prices$$Lambda/0x00007f1c2c00a400.run", "", 0),
                ("com.example.shop.Prices.<init>", "Prices.java", 17),
                ("com.example.shop.Prices.<clinit>", "Prices.java", 9),
                ("java.util.HashMap.resize", "HashMap.java", 702),
            ],
            "pool-1-thread-2",
            12,
        ),
        (
            [
                ("com.example.shop.Main.main", "Main.java", 12),
                ("java.util.stream.ReferencePipeline.collect", "ReferencePipeline.java", 682),
                ("java.util.Arrays.copyOf", "Arrays.java", 3537),
                ("jbyte_disjoint_arraycopy", "", 0),
            ],
            "main",
            7,
        ),
    ]
    builder = Builder(("cpu", "nanoseconds"))
    builder.period("cpu", "nanoseconds", 10_000_000, 5_000_000_000)
    for stack, thread, count in stacks:
        frames = stack if thread == "main" else [*run, *stack]
        sample = builder.sample([builder.location(frame) for frame in reversed(frames)], count * 10_000_000)
        builder.label(sample, "thread", thread)
    how = "no packaged Java producer was found; made by convention, not compared with a real producer"
    yield made("made-java.pb.gz", zipped(builder.profile.SerializeToString()), "Java", how)


def dotnet() -> Iterator[Made]:
    """A .NET profile: managed names with `::`, native locations of a mapping with a build id and no lines."""
    builder = Builder(("samples", "count"), ("cpu", "nanoseconds"))
    builder.period("cpu", "nanoseconds", 52_631_578, 10_000_000_000)
    folder = "/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11"
    clr = builder.mapping(
        0x7F2A10000000, 0x7F2A10700000, f"{folder}/libcoreclr.so", "5d1b0d2c4f0a4d4bb4b0a3e6a4b8c2d7e9f01234"
    )
    jit = builder.mapping(0x7F29A0000000, 0x7F29A0800000, "memfd:doublemapper", "")
    managed = [
        ("System.Threading.Thread::StartCallback", "", 0),
        ("System.Threading.PortableThreadPool+WorkerThread::WorkerThreadStart", "", 0),
        ("System.Threading.ThreadPoolWorkQueue::Dispatch", "", 0),
        ("System.Runtime.CompilerServices.AsyncTaskMethodBuilder`1+AsyncStateMachineBox`1::MoveNext", "", 0),
    ]
    leaves: list[tuple[Frame, int]] = [
        (("Shop.Prices+<RefreshAsync>d__4::MoveNext", "/src/Shop/Prices.cs", 52), 40),
        (("System.Collections.Generic.Dictionary`2[System.__Canon,System.Int32]::TryInsert", "", 0), 25),
        (("Shop.Prices+<>c__DisplayClass3_0::<Sort>b__0", "/src/Shop/Prices.cs", 31), 9),
    ]
    native = [builder.location(None, 0x7F2A10000000 + offset, clr) for offset in (0x3A51C7, 0x2F0E44, 0x1B2210)]
    stack = [builder.location(frame, 0x7F29A0001000 + 0x140 * place, jit) for place, frame in enumerate(managed)]
    for place, (leaf, count) in enumerate(leaves):
        top = builder.location(leaf, 0x7F29A0100000 + 0x200 * place, jit)
        builder.sample([top, *reversed(stack), *native], count, count * 52_631_578)
    builder.sample(native[:2], 3, 3 * 52_631_578)
    how = "no packaged .NET producer was found; made by convention, not compared with a real producer"
    yield made("made-dotnet.pb.gz", zipped(builder.profile.SerializeToString()), "C#", how)


def variants(message: bytes) -> Iterator[Made]:
    """Other encodings and contents of the recorded C++ profile."""
    yield made("made-cpp-plain.pb", message, "C++", "cpp-cpu.pb.gz, inflated")

    broken = message.replace(b"round_of_work", b"round_\xff\xfe_work")
    yield made("made-not-utf8.pb.gz", zipped(broken), "C++", "cpp-cpu.pb.gz with bytes ff fe in function names")

    yield made("made-unpacked.pb.gz", zipped(unpacked(message)), "C++", "cpp-cpu.pb.gz, repeated numbers unpacked")

    delta = profile_pb2.Profile.FromString(message)
    for sample in delta.sample[1::2]:
        sample.value[:] = [-value for value in sample.value]
    how = "cpp-cpu.pb.gz, values of every second sample negated, as a profile less its base has them"
    yield made("made-negative.pb.gz", zipped(delta.SerializeToString()), "C++", how)

    sparse = profile_pb2.Profile.FromString(message)
    locations = sparse_ids(location.id for location in sparse.location)
    functions = sparse_ids(function.id for function in sparse.function)
    for function in sparse.function:
        function.id = functions[function.id]
    for location in sparse.location:
        location.id = locations[location.id]
        for line in location.line:
            line.function_id = functions[line.function_id]
    for sample in sparse.sample:
        sample.location_id[:] = [locations[number] for number in sample.location_id]
    how = "cpp-cpu.pb.gz with location and function ids 7, 2^40, 3, 2^64-1, then others from all 63 bits"
    yield made("made-sparse-ids.pb.gz", zipped(sparse.SerializeToString()), "C++", how)


def sparse_ids(numbers: Iterable[int]) -> dict[int, int]:
    """New ids, far apart and in no order, by old id."""
    first = (7, 1 << 40, 3, (1 << 64) - 1)
    return {
        number: first[place] if place < len(first) else (place * 0x9E3779B97F4A7C15) % (1 << 63) | 8
        for place, number in enumerate(numbers)
    }


def unpacked(message: bytes) -> bytes:
    """The message with location ids and values of samples as one field each."""
    profile = profile_pb2.Profile.FromString(message)
    samples = list(profile.sample)
    body = bytearray()
    for sample in samples:
        inner = b"".join(b"\x08" + varint(number) for number in sample.location_id)
        inner += b"".join(b"\x10" + varint(value) for value in sample.value)
        inner += b"".join(b"\x1a" + varint(label.ByteSize()) + label.SerializeToString() for label in sample.label)
        body += b"\x12" + varint(len(inner)) + inner
    del profile.sample[:]
    return profile.SerializeToString() + bytes(body)


def varint(number: int) -> bytes:
    """The number as protobuf writes it."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def labels() -> Iterator[Made]:
    """A profile with text labels, numeric labels with and without units, negative and repeated ones."""
    builder = Builder(("alloc_objects", "count"), ("alloc_space", "bytes"))
    builder.period("space", "bytes", 524_288, 0)
    text = builder.mapping(0x400000, 0x500000, "/usr/bin/shop", "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567")
    main = builder.location(("main", "/src/shop.cc", 10), 0x401010, text)
    for place, size in enumerate((16, 4096, 1 << 33)):
        leaf = builder.location((f"shop::allocate_{place}", "/src/shop.cc", 20 + place), 0x402000 + 16 * place, text)
        sample = builder.sample([leaf, main], 3 + place, (3 + place) * size)
        builder.label(sample, "bytes", size, "bytes")
        builder.label(sample, "request", 1000 + place)
        builder.label(sample, "latency", -5 if place == 0 else place * 1_500_000, "nanoseconds")
        builder.label(sample, "thread name", "worker")
        builder.label(sample, "tag", "first")
        builder.label(sample, "tag", "second")
        if place == 2:
            builder.label(sample, "latency", (1 << 63) - 1, "nanoseconds")
    how = "numeric labels with units, without one, negative, of 2^63-1; keys that occur twice in a sample"
    yield made("made-num-labels.pb.gz", zipped(builder.profile.SerializeToString()), "C++", how)


def made(name: str, body: bytes, language: str, how: str) -> Made:
    """A file and its entry in the manifest."""
    return name, body, {"language": language, "producer": "made.py", "made": True, "how": how}


def main(out: Path) -> None:
    """Write the files."""
    message = gzip.decompress((out / "cpp-cpu.pb.gz").read_bytes())
    entries: dict[str, dict[str, Any]] = {}
    for files in (java(), dotnet(), variants(message), labels()):
        for name, body, entry in files:
            (out / name).write_bytes(body)
            entries[name] = entry
    print(json.dumps(entries))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
