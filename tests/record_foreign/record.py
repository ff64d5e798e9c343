"""Records profiles of producers that are not Go into tests/recordings/foreign.

Run as `python tests/record_foreign/record.py`, by a Python 3.11 that has pip, on Debian 12 as root, with rustc, node,
npm and the Go toolchains in .lab/go. Programs are built and run in /tmp/foreign, so that no profile holds a path of the
checkout. With the argument `made` only the profiles of made.py and the manifest are written anew.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = HERE.parent / "recordings" / "foreign"
TMP = Path("/tmp/foreign")  # noqa: S108
SITE = TMP / "site"
SYMBOL_TOOLS = TMP / "symtools"
DEBIAN_PPROF = TMP / "google-pprof-go"
PYTHON = "/usr/bin/python3.11"
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
GOCODE = Path("/usr/share/gocode")

DEBIAN_PACKAGES = ("g++", "google-perftools", "libgoogle-perftools-dev", "golang-github-google-pprof-dev", "zstd")
PYTHON_PACKAGES = (
    "ddtrace==4.16.0",
    "pypprof==0.0.1",
    "zprofile==1.0.13",
    "mprofile==0.0.15",
    "pyroscope-io==1.4.0",
    "austin-dist==3.7.0",
    "austin-python==2.4.0",
)
NODE_PACKAGE = "@datadog/pprof@5.20.0"

Entry = dict[str, Any]


def run(*command: str | Path, **variables: str) -> bytes:
    """The standard output of a command that sees only the variables given."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(TMP / "home"), "PPROF_TMPDIR": str(TMP / "home")} | variables
    return subprocess.run(
        [str(part) for part in command], cwd=TMP, env=environment, check=True, stdout=subprocess.PIPE, timeout=300
    ).stdout


def go() -> Path:
    """The newest Go command of .lab/go."""
    return max((ROOT / ".lab" / "go").glob("*/go/bin/go"), key=lambda path: [int(n) for n in path.parts[-4].split(".")])


def go_pprof(*arguments: str | Path) -> bytes:
    """The output of `go tool pprof`."""
    return run(go(), "tool", "pprof", *arguments, GOTOOLCHAIN="local", GOCACHE=str(TMP / "gocache"))


def prepare() -> None:
    """Install the packages, copy the programs and build Debian's pprof."""
    for folder in (TMP / "home", SYMBOL_TOOLS):
        folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "install", "-y", "-q", *DEBIAN_PACKAGES], check=True, stdout=subprocess.DEVNULL)
    for tool in ("addr2line", "nm", "objdump"):
        link = SYMBOL_TOOLS / tool
        link.unlink(missing_ok=True)
        link.symlink_to(Path("/usr/bin") / tool)
    for program in (HERE / "programs").iterdir():
        if program.is_file():
            shutil.copy(program, TMP)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--upgrade", "--target", str(SITE), *PYTHON_PACKAGES]
    subprocess.run(pip, check=True)
    subprocess.run(["npm", "install", "--silent", "--prefix", str(TMP / "node"), NODE_PACKAGE], check=True)
    old_go = ROOT / ".lab" / "go" / "1.21.13" / "go" / "bin" / "go"
    run(
        old_go, "build", "-C", GOCODE / "src" / "github.com" / "google" / "pprof", "-o", DEBIAN_PPROF, ".",
        GO111MODULE="off", GOPATH=str(GOCODE), GOTOOLCHAIN="local", GOCACHE=str(TMP / "gocache21"), GOFLAGS="",
    )  # fmt: skip


def debian_version(package: str) -> str:
    """The installed version of a Debian package."""
    return run("dpkg-query", "-W", "-f", "${Version}", package).decode()


def symbolized(program: str, profile: str, demangle: str) -> bytes:
    """The profile of gperftools as profile.proto, by Debian's pprof with addr2line."""
    flags = (f"-symbolize=demangle={demangle}", "-proto")
    return run(DEBIAN_PPROF, *flags, f"./{program}", profile, PATH=str(SYMBOL_TOOLS))


def record_native() -> Iterator[tuple[str, bytes, Entry]]:
    """C++ and Rust profiles of gperftools."""
    perftools = f"gperftools {debian_version('libgoogle-perftools-dev')}"
    converter = f"google/pprof {debian_version('golang-github-google-pprof-dev')}"
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True).stdout
    run("g++", "-std=c++17", "-g", "-O1", "-o", "busy_cpp", "busy.cpp")
    rust = ["rustc", "--edition", "2021", "-g", "-C", "opt-level=1", "-C", "force-frame-pointers=yes"]
    rust += ["--remap-path-prefix", f"{sysroot.strip()}=/rust", "-o", "busy_rust", "busy.rs"]
    subprocess.run(rust, check=True, cwd=TMP)
    for program in ("cpp", "rust"):
        run(TMP / f"busy_{program}", LD_PRELOAD=str(LIBRARIES / "libprofiler.so"), CPUPROFILE=f"{TMP}/{program}.prof")
    heap = {"HEAPPROFILE": f"{TMP}/heap", "HEAP_PROFILE_ALLOCATION_INTERVAL": "1000000000000"}
    run(TMP / "busy_cpp", LD_PRELOAD=str(LIBRARIES / "libtcmalloc.so"), **heap)
    convert = "LD_PRELOAD={}; pprof -symbolize=demangle={} -proto ./{} FILE (addr2line)"
    for name, language, program, profile, library, demangle in (
        ("cpp-cpu", "C++", "busy_cpp", "cpp.prof", "libprofiler.so", "full"),
        ("cpp-cpu-templates", "C++", "busy_cpp", "cpp.prof", "libprofiler.so", "templates"),
        ("cpp-cpu-mangled", "C++", "busy_cpp", "cpp.prof", "libprofiler.so", "none"),
        ("cpp-heap", "C++", "busy_cpp", "heap.0001.heap", "libtcmalloc.so", "full"),
        ("rust-cpu", "Rust", "busy_rust", "rust.prof", "libprofiler.so", "full"),
        ("rust-cpu-mangled", "Rust", "busy_rust", "rust.prof", "libprofiler.so", "none"),
    ):
        entry = real(language, f"{perftools}, {converter}", convert.format(library, demangle, program))
        yield f"{name}.pb.gz", symbolized(program, profile, demangle), entry
    version = run(go(), "version", GOTOOLCHAIN="local").decode().split()[2]
    for name, language in (("cpp", "C++"), ("rust", "Rust")):
        how = f"LD_PRELOAD=libprofiler.so; go tool pprof -proto ./busy_{name} FILE; names from DWARF, many empty"
        body = go_pprof("-proto", f"./busy_{name}", f"{name}.prof")
        yield f"{name}-cpu-go.pb.gz", body, real(language, f"{perftools}, go tool pprof of {version}", how)


def record_node() -> Iterator[tuple[str, bytes, Entry]]:
    """Time and heap profiles of Node."""
    node = run("node", "--version").decode().strip()
    run("node", "busy.js", TMP / "node" / "node_modules" / "@datadog" / "pprof", TMP)
    for name, call in (("node-time", "time.stop()"), ("node-heap", "heap.profile()")):
        entry = real("JavaScript", f"{NODE_PACKAGE}, node {node}", f"busy.js: encodeSync({call})")
        yield f"{name}.pb.gz", (TMP / f"{name}.pb.gz").read_bytes(), entry


def record_python() -> Iterator[tuple[str, bytes, Entry]]:
    """Profiles of ddtrace, pypprof, pyroscope and Austin."""
    python = {"PYTHONPATH": str(SITE), "PATH": f"{SITE}/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    for old in TMP.glob("ddtrace.*"):
        old.unlink()
    off = ("DD_TRACE_ENABLED", "DD_INSTRUMENTATION_TELEMETRY_ENABLED", "DD_REMOTE_CONFIGURATION_ENABLED")
    settings = dict.fromkeys(off, "0") | {"DD_HOSTNAME": "h", "DD_SERVICE": "shop", "DD_PROFILING_ENABLED": "1"}
    output = {"DD_PROFILING_OUTPUT_PPROF": str(TMP / "ddtrace")}
    run(PYTHON, "-m", "ddtrace.commands.ddtrace_run", PYTHON, "busy.py", "0.7", **python, **settings, **output)
    zstd = max(TMP.glob("ddtrace.*.pprof"), key=lambda path: path.stat().st_size)
    how = "DD_PROFILING_OUTPUT_PPROF=FILE ddtrace-run python busy.py 0.7"
    yield "python-ddtrace.pprof.zst", zstd.read_bytes(), real("Python", PYTHON_PACKAGES[0], f"{how}; zstd as written")
    inflated = real("Python", PYTHON_PACKAGES[0], f"{how}; python-ddtrace.pprof.zst inflated by zstd -d")
    yield "python-ddtrace.pb", run("zstd", "-dc", zstd), inflated

    run(PYTHON, "serve_pypprof.py", TMP, **python)
    for name in ("profile", "wall", "heap", "thread"):
        file = f"python-pypprof-{name}.pb.gz"
        entry = real("Python", ", ".join(PYTHON_PACKAGES[1:4]), f"serve_pypprof.py: GET /debug/pprof/{name}")
        yield file, (TMP / file).read_bytes(), entry

    run(PYTHON, "push_pyroscope.py", TMP, **python)
    push = gzip.decompress((TMP / "pyroscope.push").read_bytes())
    how = "push_pyroscope.py: raw_profile of the first series of a pushed request; encoded by the agent's Rust library"
    body = field(field(field(push, 1), 2), 1)
    yield "python-pyroscope.pb", body, real("Python", PYTHON_PACKAGES[4], how)

    run(SITE / "bin" / "austin", "-C", "-i", "10ms", "-o", "busy.austin", PYTHON, "busy.py", "2", **python)
    (TMP / "austin.pprof").unlink(missing_ok=True)
    run(PYTHON, "-m", "austin.format.pprof", "busy.austin", "austin.pprof", **python)
    how = "austin -C -i 10ms -o FILE python busy.py 2; austin2pprof FILE OUT"
    yield "python-austin.pb", (TMP / "austin.pprof").read_bytes(), real("Python", ", ".join(PYTHON_PACKAGES[5:]), how)


def field(message: bytes, number: int) -> bytes:
    """The first length-delimited field of that number in a message that holds no other wire types before it."""
    position = 0
    while position < len(message):
        tag, position = varint(message, position)
        if tag & 7 != 2:
            raise ValueError(f"wire type {tag & 7} before field {number}")
        size, position = varint(message, position)
        if tag >> 3 == number:
            return message[position : position + size]
        position += size
    raise ValueError(f"no field {number}")


def varint(message: bytes, position: int) -> tuple[int, int]:
    """The varint at the position and the position after it."""
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def real(language: str, producer: str, how: str) -> Entry:
    """The manifest's entry of a recorded profile."""
    return {"language": language, "producer": producer, "real": True, "how": how}


def go_raw(file: Path) -> Entry:
    """The count of samples and the totals that `go tool pprof -raw` prints."""
    text = go_pprof("-symbolize=none", "-raw", file).decode(errors="replace")
    head, _, rest = text.partition("\nSamples:\n")
    if not head:
        raise ValueError(f"{file.name}: no samples")
    header, *lines = rest.partition("\nLocations\n")[0].split("\n")
    types = [name.removesuffix("[dflt]") for name in re.findall(r"\S[^/]*/\S+", header)]
    rows = [
        [int(value) for value in match[1].split()]
        for line in lines
        if (match := re.match(r"^((?:\s*-?\d+)+):(?:\s|$)", line))
    ]
    totals = {name: sum(row[place] for row in rows) for place, name in enumerate(types)}
    return {"samples": len(rows), "totals": totals}


def check_private(file: Path, body: bytes) -> None:
    """Raise if the bytes name a place of this machine."""
    host = re.escape(socket.gethostname().encode())
    user = re.escape(os.environ.get("USER", "root").encode())
    found = re.search(rb"/work|/root|/home/|\b%s@|(?<![\w:])%s(?!\w)" % (user, host), body)
    if found is not None:
        raise ValueError(f"{file.name} holds {found[0]!r}")


def finish(entries: dict[str, Entry]) -> None:
    """Check every file and write the manifest."""
    for name, entry in sorted(entries.items()):
        file = OUT / name
        body = file.read_bytes()
        encoding = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(body[:2], "plain")
        check_private(file, gzip.decompress(body) if encoding == "gzip" else body)
        if len(body) > 60 * 1024:
            raise ValueError(f"{name} has {len(body)} bytes")
        entry["encoding"] = encoding
        entry["go_raw"] = None if encoding == "zstd" else go_raw(file)
    for file in OUT.iterdir():
        if file.name != "MANIFEST.json" and file.name not in entries:
            file.unlink()
    text = json.dumps(dict(sorted(entries.items())), indent=2, ensure_ascii=False)
    (OUT / "MANIFEST.json").write_text(text + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Record, make, check."""
    OUT.mkdir(parents=True, exist_ok=True)
    manifest = OUT / "MANIFEST.json"
    entries: dict[str, Entry] = {}
    if arguments == ["made"]:
        (TMP / "home").mkdir(parents=True, exist_ok=True)
        entries = {name: entry for name, entry in json.loads(manifest.read_text()).items() if entry.get("real")}
    else:
        prepare()
        for recorder in (record_native, record_node, record_python):
            for name, body, entry in recorder():
                (OUT / name).write_bytes(body)
                entries[name] = entry
    made = [ROOT / ".venv" / "bin" / "python", HERE / "made.py", OUT]
    entries |= json.loads(subprocess.run(made, check=True, stdout=subprocess.PIPE).stdout)
    finish(entries)


if __name__ == "__main__":
    main(sys.argv[1:])
