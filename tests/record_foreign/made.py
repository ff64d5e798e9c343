"""The profiles that no producer here writes: conventions of other producers, and variants of a recorded profile."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from tests.proto import profile_pb2
from tests.record_foreign.place import Entry, Recorded
from tests.record_foreign.wire import varint

TIME_NANOS = 1_750_000_000_000_000_000
Frame = tuple[str, str, int]


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


def java() -> Recorded:
    """A Java profile as async-profiler's converter of JFR recordings writes it.

    One mapping that no location names, neither addresses nor files, a name with slashes in its class, no period.
    """
    builder = Builder(("cpu", "nanoseconds"))
    builder.profile.duration_nanos = 5_000_000_000
    builder.profile.comment.append(builder.string("Produced by async-profiler"))
    builder.mapping(0, (1 << 63) - 1, "async-profiler", "")
    thread = [("java/lang/Thread.run", "", 840)]
    pool = [
        *thread,
        ("java/util/concurrent/ThreadPoolExecutor$Worker.run", "", 642),
        ("java/util/concurrent/ThreadPoolExecutor.runWorker", "", 1144),
    ]
    stacks: list[tuple[str, int, list[Frame]]] = [
        ("[pool-1-thread-1 tid=31]", 31, [
            *pool,
            ("com/example/shop/Prices$$Lambda+0x00007f8177090218/543846639.run", "", 0),
            ("com/example/shop/Prices.lambda$refresh$0", "", 41),
            ("java/util/HashMap.putVal", "", 635),
        ]),
        ("[pool-1-thread-2 tid=32]", 12, [
            *pool,
            ("com/example/shop/Prices.<clinit>", "", 9),
            ("com/example/shop/Prices.<init>", "", 17),
            ("java/util/HashMap.resize", "", 702),
        ]),
        ("[main tid=1]", 7, [
            ("com/example/shop/Main.main", "", 12),
            ("java/util/Arrays.copyOf", "", 3537),
            ("jbyte_disjoint_arraycopy", "", 0),
        ]),
        ("[tid=40]", 2, [("start_thread", "", 0), ("CompileBroker::compiler_thread_loop", "", 0)]),
    ]  # fmt: skip
    for name, count, frames in stacks:
        sample = builder.sample([builder.location(frame) for frame in reversed(frames)], count * 10_000_000)
        builder.label(sample, "thread", name)
    for function in builder.profile.function:
        function.system_name = 0
    how = "fields and names as async-profiler 4 writes them (src/converter/one/convert/JfrToPprof.java)"
    reason = "async-profiler was not found in the package registries used here"
    yield made("made-java.pb.gz", zipped(builder.profile.SerializeToString()), "Java", how, reason)


def dotnet() -> Recorded:
    """A .NET profile as the .NET agent of Pyroscope writes it.

    Neither mappings, addresses nor lines; `namespace!Type.Method` in the file of the assembly; period 1; not gzipped.
    """
    builder = Builder(("cpu", "nanoseconds"))
    builder.period("cpu", "nanoseconds", 1, 10_000_000_000)
    core = "System.Private.CoreLib"
    pool = [
        ("System.Threading!Thread.StartCallback", core, 0),
        ("System.Threading!PortableThreadPool.WorkerThread.WorkerThreadStart", core, 0),
        ("System.Threading!ThreadPoolWorkQueue.Dispatch", core, 0),
    ]
    machine = "AsyncTaskMethodBuilder.AsyncStateMachineBox"
    stacks: list[tuple[str, int, list[Frame]]] = [
        (".NET TP Worker", 40, [
            *pool,
            (f"System.Runtime.CompilerServices!{machine}<TResult, TStateMachine>.MoveNext", core, 0),
            ("Shop!Prices.<RefreshAsync>d__4.MoveNext", "Shop", 0),
            ("System.Collections.Generic!Dictionary<TKey, TValue>.TryInsert", core, 0),
        ]),
        (".NET TP Worker", 9, [
            *pool,
            ("Shop!Prices.<>c__DisplayClass3_0.<Sort>b__0", "Shop", 0),
            ("System!Array.Resize<System!Int32>", core, 0),
        ]),
        ("Main", 3, [("Program.<Main>$", "Shop", 0), ("NotResolvedFrame", "NotResolvedModule", 0)]),
    ]  # fmt: skip
    for name, count, frames in stacks:
        sample = builder.sample([builder.location(frame) for frame in reversed(frames)], count * 10_000_000)
        builder.label(sample, "thread name", name)
    for function in builder.profile.function:
        function.system_name = 0
    how = "fields and names as grafana/pyroscope-dotnet writes them (PprofBuilder.cpp, FrameStore.cpp)"
    reason = "no profiler of .NET that writes profile.proto was found in the package registries used here"
    yield made("made-dotnet.pb", builder.profile.SerializeToString(), "C#", how, reason)


def dotnet_perf_map() -> Recorded:
    """A .NET profile of a system-wide profiler with the runtime's perf map.

    Names are signatures with the compiler's tier; the runtime's library has a build id and locations without lines.
    """
    builder = Builder(("samples", "count"), ("cpu", "nanoseconds"))
    builder.period("cpu", "nanoseconds", 52_631_578, 10_000_000_000)
    folder = "/usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11"
    build_id = "5d1b0d2c4f0a4d4bb4b0a3e6a4b8c2d7e9f01234"
    clr = builder.mapping(0x7F2A10000000, 0x7F2A10700000, f"{folder}/libcoreclr.so", build_id)
    jit = builder.mapping(0x7F29A0000000, 0x7F29A0800000, "/memfd:doublemapper (deleted)", "")
    core = "[System.Private.CoreLib]"
    worker = "System.Threading.PortableThreadPool+WorkerThread"
    box = "System.Runtime.CompilerServices.AsyncTaskMethodBuilder`1+AsyncStateMachineBox`1"
    managed = [
        f"instance void {core} System.Threading.Thread::StartCallback()[PreJIT]",
        f"void {core} {worker}::WorkerThreadStart()[OptimizedTier1]",
        f"bool {core} System.Threading.ThreadPoolWorkQueue::Dispatch()[OptimizedTier1]",
        f"instance void {core} {box}[System.__Canon,System.__Canon]::MoveNext()[OptimizedTier1]",
    ]
    table = "System.Collections.Generic.Dictionary`2[System.__Canon,int32]"
    leaves = [
        ("instance void [Shop] Shop.Prices+<RefreshAsync>d__4::MoveNext()[QuickJitted]", 40),
        (f"instance bool {core} {table}::TryInsert(!0,!1,valuetype InsertionBehavior)[OptimizedTier1OSR]", 25),
        ("instance int32 [Shop] Shop.Prices+<>c__DisplayClass3_0::<Sort>b__0(int32,int32)[Instrumented]", 9),
    ]
    native = [builder.location(None, 0x7F2A10000000 + offset, clr) for offset in (0x3A51C7, 0x2F0E44, 0x1B2210)]
    stack = [builder.location((name, "", 0), 0x7F29A0001000 + 0x140 * place, jit) for place, name in enumerate(managed)]
    for place, (name, count) in enumerate(leaves):
        leaf = builder.location((name, "", 0), 0x7F29A0100000 + 0x200 * place, jit)
        builder.sample([leaf, *reversed(stack), *native], count, count * 52_631_578)
    builder.sample(native[:2], 3, 3 * 52_631_578)
    how = "names as the runtime writes them into /tmp/perf-PID.map; addresses, mappings and build id as perf tells them"
    reason = "no .NET with a perf map and no converter of perf.data was found in the package registries used here"
    yield made("made-dotnet-perf-map.pb.gz", zipped(builder.profile.SerializeToString()), "C#", how, reason)


def variants(message: bytes) -> Recorded:
    """Other encodings and contents of the recorded C++ profile."""
    source = "cpp-cpu.pb.gz"
    reason = "every converter here compresses what it writes"
    yield made("made-cpp-plain.pb", message, "C++", f"{source}, inflated", reason)

    broken = message.replace(b"round_of_work", b"round_\xff\xfe_work")
    reason = "no compiler here makes such a name of a function; cpp-cpu-latin1.pb.gz has a real name of a file"
    yield made("made-not-utf8.pb.gz", zipped(broken), "C++", f"{source} with bytes ff fe in function names", reason)

    reason = "java-bazel-cpu.pb.gz is a real one; this one has the same content as its packed original"
    yield made("made-unpacked.pb.gz", zipped(unpacked(message)), "C++", f"{source}, repeated numbers unpacked", reason)

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
    how = f"{source} with location and function ids 7, 2^40, 3, 2^64-1, then others from all 63 bits"
    reason = "java-bazel-cpu.pb.gz is a real one, whose ids have 31 bits"
    yield made("made-sparse-ids.pb.gz", zipped(sparse.SerializeToString()), "C++", how, reason)


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


def labels() -> Recorded:
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
    reason = "the producers here write no numeric labels that are negative or occur twice"
    yield made("made-num-labels.pb.gz", zipped(builder.profile.SerializeToString()), "C++", how, reason)


def made(name: str, body: bytes, language: str, how: str, reason: str) -> tuple[str, bytes, Entry]:
    """A file and its entry in the manifest."""
    entry = {"language": language, "producer": "tests/record_foreign/made.py", "made": True, "how": how}
    return name, body, entry | {"reason": reason}


def make(message: bytes) -> Recorded:
    """Every made profile; the variants are of this recorded one."""
    for profiles in (java(), dotnet(), dotnet_perf_map(), variants(message), labels()):
        yield from profiles
