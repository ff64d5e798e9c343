"""The recordings of the tests: one folder per Go version and system, every condition that matters."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from tests.lab import PROJECT, wine
from tests.lab.target import Target
from tests.record.recorder import KINDS, Files, Recorder, Switch, describe, fetch, started, write_manifest

FOLDER = PROJECT / "tests" / "recordings"


def record_tests(name: str) -> None:
    """Record tests/recordings/NAME."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    files: Files = {}
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


def record_changed_windows(name: str, folder: Path, files: Files) -> None:
    """What profiles show of a Windows update, and of a security product in the process."""
    with started(name) as target:
        recorder = Recorder(target, folder, "a library of a security product loaded", files)
        target.control("module", path=wine.agent())
        recorder.take("goroutine_agent.pb.gz", "goroutine")
    with wine.updated(), started(name) as target:
        recorder = Recorder(target, folder, "system libraries replaced a day later", files)
        recorder.take("goroutine_updated.pb.gz", "goroutine")
