"""Record what real Go programs answer: the fixtures of the tests and the data of the demo.

python tests/record.py [--only linux-go1.27.3] [--demo-only | --tests-only]

Builds tests/target with each Go version for Linux and Windows (run under Wine), drives it through
its conditions and keeps each reply as it came, with a MANIFEST.json of how and when, and what was true.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import re
import shutil
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.lab import PROJECT, go, wine
from tests.lab.go import System
from tests.lab.target import Target, running

RECORDINGS = PROJECT / "tests" / "recordings"
DEMO = PROJECT / "exporter" / "pprof_exporter" / "demo" / "recordings"
SYSTEMS: tuple[System, ...] = ("linux", "windows")
SETS = tuple(f"{system}-go{version}" for system in SYSTEMS for version in go.VERSIONS)
DEMO_SETS = ("linux-go1.27.3", "windows-go1.27.3")

KINDS = ("heap", "allocs", "goroutine", "threadcreate", "block", "mutex", "goroutineleak")
KEPT_HEADERS = ("Content-Type", "Content-Length", "Content-Disposition", "Transfer-Encoding", "X-Go-Pprof", "Allow")
LIMITS = {RECORDINGS: 1_500_000, DEMO: 300_000}

Switch = tuple[str, dict[str, object]]
"""A switch of /control/ and its query."""

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(slots=True)
class Recorder:
    """Fetches from one target into one folder and notes each reply for the manifest."""

    target: Target
    folder: Path
    condition: str = "idle"
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, name: str, path: str, *, cores: float = 0) -> None:
        """Keep the reply to PATH, below /debug/pprof/ unless it begins with a slash, as the file NAME.

        With cores: ask again while other programs of this machine leave the target less than 90 % of as many,
        six times at most, and keep the reply that had most.
        """
        note, body = self.fetch(path)
        for _ in range(5 if cores else 0):
            if note["cpu_seconds"] >= 0.9 * cores * note["seconds"]:
                break
            again, other = self.fetch(path)
            if again["cpu_seconds"] > note["cpu_seconds"]:
                note, body = again, other
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        self.files[name] = note

    def fetch(self, path: str) -> tuple[dict[str, Any], bytes]:
        """One request with what the target says about itself before and after."""
        full = path if path.startswith("/") else f"/debug/pprof/{path}"
        time.sleep(0.02)  # until the goroutines of the connections before are gone
        before = self.target.stats()
        wall, started = time.time_ns(), time.perf_counter()
        status, headers, body = fetch(self.target.url + full)
        seconds = time.perf_counter() - started
        after = self.target.stats()
        note = {
            "path": full,
            "condition": self.condition,
            "status": status,
            "content_type": headers.get("Content-Type"),
            "x_go_pprof": headers.get("X-Go-Pprof"),
            "headers": headers,
            "bytes": len(body),
            "started_unix_nanos": wall,
            "seconds": round(seconds, 4),
            "cpu_seconds": round(after["cpu_seconds"] - before["cpu_seconds"], 4),
            "goroutines": before["goroutines"],
        }
        return note, body

    @contextlib.contextmanager
    def under(self, condition: str, *switches: Switch) -> Iterator[None]:
        """Switch the target into a condition, wait for it to settle, and release it at the end."""
        for switch, query in switches:
            self.target.control(switch, **query)
        self.condition = condition
        time.sleep(0.5)
        try:
            yield
        finally:
            self.target.control("release")
            self.target.control("rates", block=0, mutex=0)
            self.condition = "idle"
            time.sleep(1.2)

    def take_while(self, act: Callable[[], object], name: str, path: str) -> None:
        """Keep a reply that takes its time, and act a third of a second after it was asked for."""
        timer = threading.Timer(0.33, act)
        timer.start()
        self.take(name, path)
        timer.join()


def fetch(url: str) -> tuple[int, dict[str, str], bytes]:
    """Status, the headers worth keeping, and the body as it came."""
    try:
        reply = _opener.open(url, timeout=60)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        headers = {name: reply.headers[name] for name in KEPT_HEADERS if name in reply.headers}
        return int(reply.status), headers, reply.read()


def record_tests(name: str) -> None:
    """Record tests/recordings/NAME."""
    folder = RECORDINGS / name
    shutil.rmtree(folder, ignore_errors=True)
    files: dict[str, dict[str, Any]] = {}
    with started(name) as target:
        recorder = Recorder(target, folder, files=files)
        record_idle(recorder)
        record_cpu(recorder)
        record_memory(recorder)
        record_contention(recorder)
        record_conflicts(recorder)
        about = describe(name, target)
    with started(name) as target:
        record_goroutines(Recorder(target, folder, files=files))
    with started(name, "-pprof=false") as target:
        Recorder(target, folder, "started with -pprof=false", files).take("not_mounted.txt", "")
    with started(name, "-write-timeout", "1s") as target:
        recorder = Recorder(target, folder, "started with -write-timeout 1s", files)
        recorder.take(
            "write_timeout.txt" if target.go.startswith("go1.21") else "write_timeout.pb.gz", "profile?seconds=2"
        )
    if name.startswith("windows"):
        record_changed_windows(name, folder, files)
    write_manifest(folder, about, files)


def record_idle(recorder: Recorder) -> None:
    """Every endpoint of a program that does nothing."""
    recorder.take("index.html", "")
    recorder.take("cmdline.txt", "cmdline")
    recorder.take("symbol.txt", "symbol")
    recorder.take("metrics.txt", "/metrics")
    for kind in KINDS:
        known = kind != "goroutineleak" or recorder.target.go >= "go1.27"
        recorder.take(f"{kind}.pb.gz" if known else f"{kind}.txt", kind)
    for kind in ("heap", "goroutine", "threadcreate", "block", "mutex"):
        recorder.take(f"{kind}_debug1.txt", f"{kind}?debug=1")
    recorder.take("unknown_profile.txt", "nosuchprofile")
    recorder.take("delta_seconds_invalid.txt", "heap?seconds=x")
    recorder.take("delta_debug.txt", "heap?seconds=1&debug=1")
    recorder.take("cpu_idle.pb.gz", "profile?seconds=2")


def record_cpu(recorder: Recorder) -> None:
    """CPU profiles under each load that shapes them."""
    with recorder.under("burn, 1 thread", ("burn", {"threads": 1})):
        recorder.take("cpu_burn1.pb.gz", "profile?seconds=3", cores=1)
    with recorder.under("burn, 2 threads, a trace meanwhile", ("burn", {"threads": 2})):
        recorder.take_while(
            lambda: recorder.take("burn2.trace", "trace?seconds=1"), "cpu_burn2.pb.gz", "profile?seconds=3"
        )
    with recorder.under("1 thread busy and 5 goroutines parked 200 frames deep", ("deep", {"n": 5, "depth": 200})):
        recorder.take("cpu_deep.pb.gz", "profile?seconds=2", cores=1)
        recorder.take("goroutine_deep.pb.gz", "goroutine")
        recorder.take("goroutine_deep_debug2.txt", "goroutine?debug=2")
    with recorder.under("4 threads in a sleeping system call", ("syscall", {"n": 4})):
        recorder.take("cpu_syscall4.pb.gz", "profile?seconds=2")
        recorder.take("goroutine_syscall4.pb.gz", "goroutine")
        recorder.take("threadcreate_syscall4.pb.gz", "threadcreate")


def record_goroutines(recorder: Recorder) -> None:
    """Goroutine profiles with leaks of every kind; needs a program of its own, for the lost ones stay."""
    counts = {"chan": 12, "send": 6, "select": 10, "io": 8, "sleep": 7, "mutex": 5, "lost": 20}
    leaks: list[Switch] = [("leak", {"how": how, "n": n}) for how, n in counts.items()]
    words = "leaks: " + ", ".join(f"{how} {n}" for how, n in counts.items())
    with recorder.under(words, *leaks):
        recorder.take("goroutine_leaks.pb.gz", "goroutine")
        recorder.take("goroutine_leaks_debug1.txt", "goroutine?debug=1")
        if recorder.target.go >= "go1.27":
            recorder.take("goroutineleak_leaks.pb.gz", "goroutineleak")
        recorder.take("goroutine_leaks_debug2.txt", "goroutine?debug=2")
        recorder.take("index_leaks.html", "")
        more = {"how": "chan", "n": 9}
        recorder.take_while(
            lambda: recorder.target.control("leak", **more), "goroutine_delta.pb.gz", "goroutine?seconds=1"
        )
    with recorder.under("leaks released", ("leak", {"how": "select", "n": 30})):
        recorder.take_while(
            lambda: recorder.target.control("release"), "goroutine_delta_negative.pb.gz", "goroutine?seconds=1"
        )


def record_memory(recorder: Recorder) -> None:
    """Heap profiles with 24 MiB retained, and the delta of 16 MiB more."""
    with recorder.under("24 MiB retained", ("heap", {"mib": 24}), ("gc", {}), ("gc", {})):
        recorder.take("heap_retained.pb.gz", "heap")
        recorder.take("allocs_retained.pb.gz", "allocs")
        recorder.take("heap_retained_gc.pb.gz", "heap?gc=1")
        recorder.take("heap_retained_debug1.txt", "heap?debug=1")
        recorder.take_while(lambda: grow_heap(recorder.target), "heap_delta.pb.gz", "heap?seconds=1")


def grow_heap(target: Target) -> None:
    """Retain 40 MiB and collect garbage twice: a heap profile tells what the collection before the last one saw."""
    target.control("heap", mib=40)
    for _ in range(2):
        target.control("gc")


def record_contention(recorder: Recorder) -> None:
    """Block and mutex profiles with their rates on."""
    words = "6 workers contend, block rate 1, mutex fraction 1"
    with recorder.under(words, ("rates", {"block": 1, "mutex": 1}), ("contend", {"workers": 6})):
        time.sleep(0.5)
        for kind in ("block", "mutex"):
            recorder.take(f"{kind}_contended.pb.gz", kind)
            recorder.take(f"{kind}_contended_debug1.txt", f"{kind}?debug=1")
            recorder.take(f"{kind}_delta.pb.gz", f"{kind}?seconds=1")
        recorder.take("goroutine_contended.pb.gz", "goroutine")
        recorder.take("cpu_contended.pb.gz", "profile?seconds=2")


def record_conflicts(recorder: Recorder) -> None:
    """The refusals while another client holds the CPU profiler or the tracer."""
    for endpoint, file in (("profile", "cpu_conflict.txt"), ("trace", "trace_conflict.txt")):
        recorder.condition = f"another client has a {endpoint} running"
        other = threading.Thread(target=fetch, args=(recorder.target.pprof(endpoint, seconds=1),))
        other.start()
        time.sleep(0.3)
        recorder.take(file, f"{endpoint}?seconds=1")
        other.join()
    recorder.condition = "idle"


def record_changed_windows(name: str, folder: Path, files: dict[str, dict[str, Any]]) -> None:
    """What profiles show of a Windows update, and of a security product in the process."""
    with started(name) as target:
        recorder = Recorder(target, folder, "a library of a security product loaded", files)
        target.control("module", path=wine.agent())
        recorder.take("goroutine_agent.pb.gz", "goroutine")
    with wine.updated(), started(name) as target:
        recorder = Recorder(target, folder, "system libraries replaced a day later", files)
        recorder.take("goroutine_updated.pb.gz", "goroutine")


DEMO_STATES: dict[str, tuple[Switch, ...]] = {
    "idle": (),
    "busy": (("burn", {"threads": 1}), ("heap", {"mib": 16})),
    "leaking1": (("leak", {"how": "lost", "n": 40}), ("leak", {"how": "io", "n": 10}), ("heap", {"mib": 16})),
    "leaking2": (("leak", {"how": "lost", "n": 80}), ("leak", {"how": "io", "n": 10}), ("heap", {"mib": 32})),
    "leaking3": (("leak", {"how": "lost", "n": 160}), ("leak", {"how": "io", "n": 10}), ("heap", {"mib": 64})),
    "contended": (("rates", {"block": 1, "mutex": 1}), ("contend", {"workers": 8})),
}
"""The states of the demo; each starts a fresh program, for what leaked for good cannot be released."""


def record_demo(name: str) -> None:
    """Record the states of the demo for one system."""
    folder = DEMO / name
    shutil.rmtree(folder, ignore_errors=True)
    files: dict[str, dict[str, Any]] = {}
    states: dict[str, dict[str, Any]] = {}
    about: dict[str, Any] = {}
    for state, switches in DEMO_STATES.items():
        with started(name) as target:
            recorder = Recorder(target, folder, files=files)
            with recorder.under(state, *switches, ("gc", {}), ("gc", {})):
                recorder.take(f"{state}/cmdline.txt", "cmdline")
                record_demo_profile(recorder, state)
                for kind in KINDS:
                    recorder.take(f"{state}/{kind}.pb.gz", kind)
                recorder.take(f"{state}/index.html", "")
                stats = target.stats()
                kept = ("goroutines", "gomaxprocs", "memstats", "rates", "load")
                states[state] = {key: stats[key] for key in kept}
            about = describe(name, target)
    write_manifest(folder, {**about, "states": states}, files)


def record_demo_profile(recorder: Recorder, state: str) -> None:
    """A CPU profile, and of the busy state a trace taken while another one runs: it has the times of the samples."""
    profile = f"{state}/profile.pb.gz"
    if state != "busy":
        recorder.take(profile, "profile?seconds=5")
        return
    recorder.take(profile, "profile?seconds=5", cores=1)
    meanwhile = threading.Thread(target=fetch, args=(recorder.target.pprof("profile", seconds=9),))
    meanwhile.start()
    time.sleep(0.2)
    recorder.take(f"{state}/trace.bin", "trace?seconds=1", cores=1)
    meanwhile.join()


@contextlib.contextmanager
def started(name: str, *arguments: str) -> Iterator[Target]:
    """The target of a set such as `linux-go1.27.3`, running."""
    system, version = split(name)
    with running(go.build(version, system), *arguments, wine=system == "windows") as target:
        yield target


def split(name: str) -> tuple[System, str]:
    """`linux-go1.27.3` in its two parts."""
    system, _, version = name.partition("-go")
    return ("windows" if system == "windows" else "linux"), version


def describe(name: str, target: Target) -> dict[str, Any]:
    """The head of a manifest: which runtime, on what, made how."""
    system, version = split(name)
    about: dict[str, Any] = {
        "go": target.go,
        "goos": system,
        "goarch": "amd64",
        "system": f"{wine.version()}, which runs the Windows build of Go and is not Windows"
        if system == "windows"
        else "Linux",
        "program": f"tests/target, built with go {version}, -trimpath, CGO_ENABLED=0",
        "command": f"python tests/record.py --only {name}",
        "recorded": time.strftime("%Y-%m-%d", time.gmtime()),
        "fields": {
            "seconds": "from the request to the end of the body, on the same machine",
            "cpu_seconds": "what the process used meanwhile by the account of the operating system",
            "goroutines": "runtime.NumGoroutine just before, with the one that answered",
        },
    }
    return about


def write_manifest(folder: Path, about: dict[str, Any], files: dict[str, dict[str, Any]]) -> None:
    """Write MANIFEST.json, one file a line block, in the order of the recording."""
    text = json.dumps({"about": about, "files": files}, indent=1) + "\n"
    (folder / "MANIFEST.json").write_text(text, encoding="utf-8")


def check(folder: Path) -> None:
    """Raise `SystemExit` when a recorded byte names this machine, or when a set grew beyond its limit."""
    size = 0
    for file in sorted(folder.rglob("*")):
        if "foreign" in file.parts or not file.is_file():
            continue
        content = file.read_bytes()
        size += len(content)
        for found in private_words().findall(" ".join(strings(content))):
            raise SystemExit(f"{file.relative_to(PROJECT)} names this machine: {found}")
    if size > LIMITS[folder]:
        raise SystemExit(f"{folder.relative_to(PROJECT)} holds {size} bytes, more than {LIMITS[folder]}")
    print(f"{folder.relative_to(PROJECT)}: {size} bytes, nothing of this machine in them")


def private_words() -> re.Pattern[str]:
    """What no recording may hold: the folders of the project, of Python and of the user, and the host's name."""
    folders = {PROJECT, PROJECT.parent, Path.home(), Path(sys.prefix)}
    words = [re.escape(str(folder)) + r"(?![\w-])" for folder in folders if folder != Path("/")]
    return re.compile("|".join([*words, rf"(?<![\w.-]){re.escape(socket.gethostname())}(?![\w.-])"]))


def strings(content: bytes) -> list[str]:
    """The readable runs of a file, inflated where it is compressed."""
    with contextlib.suppress(gzip.BadGzipFile, EOFError, zlib.error):
        content = gzip.decompress(content)
    return [run.decode() for run in re.findall(rb"[\x20-\x7e]{6,}", content)]


def main() -> None:
    """Record what the command line asks for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SETS, help="one set instead of all")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--tests-only", action="store_true", help="leave the demo alone")
    what.add_argument("--demo-only", action="store_true", help="leave tests/recordings alone")
    arguments = parser.parse_args()
    chosen = (arguments.only,) if arguments.only else SETS
    try:
        for name in chosen:
            if not arguments.demo_only:
                print(f"recording {name} for the tests", flush=True)
                record_tests(name)
            if name in DEMO_SETS and not arguments.tests_only:
                print(f"recording {name} for the demo", flush=True)
                record_demo(name)
    finally:
        wine.stop()
    for folder in (RECORDINGS, DEMO):
        if folder.exists():
            check(folder)


if __name__ == "__main__":
    main()
