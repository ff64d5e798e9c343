"""The recordings of the demo: a service that goes through good and bad times."""

from __future__ import annotations

import shutil
import threading
import time
from typing import Any

from tests.lab import PROJECT
from tests.record.recorder import KINDS, Files, Recorder, Switch, describe, fetch, started, write_manifest

FOLDER = PROJECT / "exporter" / "pprof_exporter" / "demo" / "recordings"
SETS = ("linux-go1.27.3", "windows-go1.27.3")

STATES: dict[str, tuple[Switch, ...]] = {
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
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    files: Files = {}
    states: Files = {}
    about: dict[str, Any] = {}
    for state, switches in STATES.items():
        with started(name) as target:
            recorder = Recorder(target, folder, files=files)
            with recorder.under(state, *switches, ("gc", {}), ("gc", {})):
                recorder.take(f"{state}/cmdline.txt", "cmdline")
                record_demo_profile(recorder, state)
                for kind in KINDS:
                    recorder.take(f"{state}/{kind}.pb.gz", kind)
                recorder.take(f"{state}/index.html", "")
                for kind in ("heap", "threadcreate"):
                    recorder.take(f"{state}/{kind}_debug1.txt", f"{kind}?debug=1")
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
