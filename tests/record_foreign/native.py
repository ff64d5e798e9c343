"""Native programs, and runtimes that are native programs, under the profiler of gperftools.

gperftools writes its own format. Debian's google/pprof reads it, names the addresses with addr2line and writes
profile.proto; so does `go tool pprof`, from DWARF alone.
"""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

from tests.lab import go
from tests.record_foreign.place import TMP, Entry, Recorded, debian_version, go_tool, install, real, run

PACKAGES = ("g++", "google-perftools", "libgoogle-perftools-dev", "golang-github-google-pprof-dev")
JDK = "openjdk-17-jdk-headless"
MONO = ("mono-mcs", "mono-runtime")
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
GOCODE = Path("/usr/share/gocode")
PPROF = TMP / "google-pprof-go"
# The only folder of pprof's PATH: without the tools of LLVM, which it prefers, results do not depend on the machine.
SYMBOL_TOOLS = TMP / "symtools"

LATIN1_SOURCE = "preisübersicht.cpp".encode("latin-1")


def record_cpp() -> Recorded:
    """CPU and heap profiles of a C++ program, with names in full, of templates and mangled."""
    _prepare()
    _compile_cpp("busy.cpp", "busy_cpp")
    _profile_cpu("cpp", TMP / "busy_cpp")
    # Debian's pprof names the file after the number of the dump; a long interval leaves the one at the end.
    heap = {"HEAPPROFILE": f"{TMP}/heap", "HEAP_PROFILE_ALLOCATION_INTERVAL": "1000000000000"}
    run(TMP / "busy_cpp", LD_PRELOAD=str(LIBRARIES / "libtcmalloc.so"), **heap)
    yield "cpp-cpu.pb.gz", *_converted("C++", "./busy_cpp", "cpp.prof")
    yield "cpp-cpu-templates.pb.gz", *_converted("C++", "./busy_cpp", "cpp.prof", demangle="templates")
    yield "cpp-cpu-mangled.pb.gz", *_converted("C++", "./busy_cpp", "cpp.prof", demangle="none")
    yield "cpp-heap.pb.gz", *_converted("C++", "./busy_cpp", "heap.0001.heap", library="libtcmalloc.so")
    yield "cpp-cpu-go.pb.gz", *_converted_by_go("C++", "busy_cpp", "cpp.prof")
    _profile_cpu("later", TMP / "busy_cpp")
    yield "cpp-cpu-delta.pb.gz", *_converted("C++", "./busy_cpp", "later.prof", base="cpp.prof")


def record_latin1() -> Recorded:
    """A C++ program whose source file has a name in Latin-1, which the string table keeps as it is."""
    _prepare()
    latin1 = os.fsencode(TMP) + b"/" + LATIN1_SOURCE
    Path(os.fsdecode(latin1)).write_bytes((TMP / "busy.cpp").read_bytes())
    _compile_cpp(LATIN1_SOURCE, "busy_latin1")
    _profile_cpu("latin1", TMP / "busy_latin1")
    body, entry = _converted("C++", "./busy_latin1", "latin1.prof")
    if LATIN1_SOURCE not in gzip.decompress(body):
        raise ValueError("the name of the source file is not in the profile as it is")
    yield "cpp-cpu-latin1.pb.gz", body, entry | {"how": f"{entry['how']}; source file name in Latin-1"}


def record_rust() -> Recorded:
    """CPU profiles of a Rust program."""
    _prepare()
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True).stdout
    rust = ["rustc", "--edition", "2021", "-g", "-C", "opt-level=1", "-C", "force-frame-pointers=yes"]
    rust += ["--remap-path-prefix", f"{sysroot.strip()}=/rust", "-o", "busy_rust", "busy.rs"]
    subprocess.run(rust, check=True, cwd=TMP)
    _profile_cpu("rust", TMP / "busy_rust")
    yield "rust-cpu.pb.gz", *_converted("Rust", "./busy_rust", "rust.prof")
    yield "rust-cpu-mangled.pb.gz", *_converted("Rust", "./busy_rust", "rust.prof", demangle="none")
    yield "rust-cpu-go.pb.gz", *_converted_by_go("Rust", "busy_rust", "rust.prof")


def record_jvm() -> Recorded:
    """A Java program: HotSpot's own code has names, compiled methods are addresses in memory of no file."""
    _prepare(JDK)
    java = next(Path("/usr/lib/jvm").glob("java-17-openjdk-*/bin/java"))
    run(java.with_name("javac"), "-d", TMP / "java", "Busy.java")
    _profile_cpu("java", java, "-XX:-UsePerfData", "-XX:+PreserveFramePointer", "-cp", TMP / "java", "Busy")
    body, entry = _converted("Java", str(java), "java.prof")
    yield "java-cpu-native.pb.gz", body, entry | {"producer": f"{entry['producer']}, {JDK} {debian_version(JDK)}"}


def record_mono() -> Recorded:
    """A C# program: Mono's libraries are compiled ahead of time and have names, compiled methods are addresses."""
    _prepare(*MONO)
    run("mcs", "-optimize+", "-out:busy_cs.exe", "busy.cs")
    _profile_cpu("mono", Path("/usr/bin/mono-sgen"), "busy_cs.exe")
    body, entry = _converted("C#", "/usr/bin/mono-sgen", "mono.prof")
    yield "dotnet-cpu-mono.pb.gz", body, entry | {"producer": f"{entry['producer']}, mono {debian_version(MONO[1])}"}


def _prepare(*more: str) -> None:
    """Install the packages, build Debian's pprof, which is packaged as source."""
    install(*PACKAGES, *more)
    SYMBOL_TOOLS.mkdir(exist_ok=True)
    for tool in ("addr2line", "nm", "objdump"):
        link = SYMBOL_TOOLS / tool
        link.unlink(missing_ok=True)
        link.symlink_to(Path("/usr/bin") / tool)
    if not PPROF.exists():
        folder = GOCODE / "src" / "github.com" / "google" / "pprof"
        # Debian's Go libraries have no modules, which the first of these versions still builds.
        old = {"GO111MODULE": "off", "GOPATH": str(GOCODE), "GOFLAGS": ""}
        go_tool(go.VERSIONS[0], "build", "-o", PPROF, ".", cwd=folder, **old)


def _compile_cpp(source: str | bytes, program: str) -> None:
    run("g++", "-std=c++17", "-g", "-O1", "-o", program, source)


def _profile_cpu(name: str, *command: str | Path) -> None:
    run(*command, LD_PRELOAD=str(LIBRARIES / "libprofiler.so"), CPUPROFILE=f"{TMP}/{name}.prof")


def _converted(
    language: str,
    program: str,
    profile: str,
    *,
    demangle: str = "full",
    library: str = "libprofiler.so",
    base: str | None = None,
) -> tuple[bytes, Entry]:
    """The profile, less its base, as Debian's pprof with addr2line writes it."""
    perftools = f"gperftools {debian_version('libgoogle-perftools-dev')}"
    converter = f"google/pprof {debian_version('golang-github-google-pprof-dev')}"
    less = [f"-base={base}"] if base else []
    body = run(PPROF, f"-symbolize=demangle={demangle}", "-proto", *less, program, profile, PATH=str(SYMBOL_TOOLS))
    words = ["pprof", f"-symbolize=demangle={demangle}", "-proto", *(["-base=OTHER"] if base else []), program, "FILE"]
    how = f"LD_PRELOAD={library}; {' '.join(words)} (addr2line)"
    return body, real(language, f"{perftools}, {converter}", how)


def _converted_by_go(language: str, program: str, profile: str) -> tuple[bytes, Entry]:
    """The profile as `go tool pprof` writes it."""
    newest = go.VERSIONS[-1]
    producer = f"gperftools {debian_version('libgoogle-perftools-dev')}, go tool pprof of go{newest}"
    how = f"LD_PRELOAD=libprofiler.so; go tool pprof -proto ./{program} FILE; names from DWARF, many empty"
    return go_tool(newest, "tool", "pprof", "-proto", f"./{program}", profile), real(language, producer, how)
