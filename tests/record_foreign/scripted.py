"""Node and Python, by packages that write profile.proto themselves."""

from __future__ import annotations

import gzip
import subprocess

from tests.record_foreign.place import PYTHON, TMP, Recorded, install, pip, real, run
from tests.record_foreign.wire import field

SITE = TMP / "site"

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


def record_node() -> Recorded:
    """Time and heap profiles of Node."""
    subprocess.run(["npm", "install", "--silent", "--prefix", TMP / "node", NODE_PACKAGE], check=True)
    node = run("node", "--version").decode().strip()
    run("node", "busy.js", TMP / "node" / "node_modules" / "@datadog" / "pprof", TMP)
    for name, call in (("node-time", "time.stop()"), ("node-heap", "heap.profile()")):
        entry = real("JavaScript", f"{NODE_PACKAGE}, node {node}", f"busy.js: encodeSync({call})")
        yield f"{name}.pb.gz", (TMP / f"{name}.pb.gz").read_bytes(), entry


def record_python() -> Recorded:
    """Profiles of ddtrace, pypprof, pyroscope and Austin."""
    install("zstd")
    pip(SITE, *PYTHON_PACKAGES)
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
