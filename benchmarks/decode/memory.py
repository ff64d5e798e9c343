"""What a large profile and a small bomb cost, in memory and CPU time, each in a process of its own.

    python -m benchmarks.decode.memory

The profile has 1.3 MB as on the wire and 25,000 samples. The bomb has 11 KiB, and would become 3 million samples.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.decode.made import cpu_profile
from pprof_exporter.profile.reader.choice import NATIVE, PYTHON

_READ = """
import gc, pathlib, sys, time
from pprof_exporter.profile import DecodeError, decode
from pprof_exporter.profile.kinds import KINDS
from pprof_exporter.profile.reader.choice import NATIVE, PYTHON
from pprof_exporter.health import FetchedProfile
from pprof_exporter.scrape.state.observation import summarize
reader = {"native": NATIVE, "python": PYTHON}[sys.argv[1]]
data = pathlib.Path(sys.argv[2]).read_bytes()
status = pathlib.Path("/proc/self/status")
peak = lambda: int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
gc.collect()
before, began = peak(), time.process_time()
try:
    profile = decode(data, reader=reader)
    summarize(KINDS["cpu"], FetchedProfile(profile, KINDS["cpu"]), at=0.0)
    said = f"{profile.columns.samples} samples"
except DecodeError as error:
    said = f"{error.reason}: {error}"
print(f"{peak() - before:10.1f} MiB{time.process_time() - began:8.3f} s  {said}")
"""


def bomb() -> bytes:
    """Three million samples of four bytes."""
    return gzip.compress(b"\x0a\x02\x08\x01\x32\x00\x32\x01x" + b"\x12\x02\x10\x00" * 3_000_000)


def main() -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in {"profile": cpu_profile(25_000), "bomb": bomb()}.items():
            path = Path(folder) / name
            path.write_bytes(data)
            for reader in (NATIVE, PYTHON):
                if reader:
                    command = [sys.executable, "-c", _READ, reader.name, str(path)]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
                    print(f"{name:<8}{len(data) / 1024:9.0f} KiB  {reader.name:<8}{done.stdout.rstrip()}")


if __name__ == "__main__":
    main()
