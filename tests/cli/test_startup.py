"""What each command imports, and what starting costs: CPU time, which depends less on what else the machine does."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from pprof_exporter.profile.reader.choice import NATIVE
from tests.conftest import RECORDINGS
from tests.lab import PATIENCE, free_port

HEAP = str(RECORDINGS / "linux-go1.27.3" / "heap.pb.gz")
MODULE = ["-m", "pprof_exporter"]
SCRIPT = [str(Path(sys.executable).with_name("pprof-exporter"))]

LIBRARIES = frozenset({"aiohttp", "attr", "bcrypt", "dns", "email", "google", "markdown_it", "prometheus_client"}) | {
    *("psutil", "pydantic", "rich", "sqlite3", "yaml", "yarl")
}
"""What only some commands need."""
TERMINAL = frozenset({"rich", "pygments", "markdown_it"})
OURS = frozenset(
    f"pprof_exporter.{name}"
    for name in (
        *("capture", "check.report", "compare", "dashboards", "demo", "evidence", "evidence_store", "exposition"),
        *("health", "profile", "rules", "scrape", "store", "verdicts", "web"),
    )
)
READING = frozenset(f"pprof_exporter.profile.{name}" for name in ("aggregate", "decoding", "profile", "reader"))
"""What reads profiles. The table of their kinds does without."""

QUICK: dict[str, Sequence[str]] = {
    "version": ["--version"],
    "help": ["--help"],
    "unknown flag": ["--nope"],
    "bad value": ["--scrape.timeout=soon"],
    "bad address": ["--web.listen-address=here"],
    "no configuration file": ["--config.file=/nowhere/config.yml"],
    "no file for TLS and passwords": ["--web.config.file=/nowhere/web.yml", "shop:6060"],
    "inspect without a file": ["inspect", "/nowhere/heap.pb.gz"],
    "check without a file": ["check", "./nowhere.pb.gz"],
    "config check without a file": ["config", "check", "/nowhere/config.yml"],
    **{
        f"{name} help": [name, "--help"]
        for name in ("check", "capture", "compare", "inspect", "rules", "dashboards", "config", "demo")
    },
}
"""Commands that end before they have work to do."""

BAD_FLAGS: dict[str, Sequence[str]] = {
    "bad target": ["ftp://shop"],
    "target listed twice": ["shop:6060", "shop:6060"],
    "unknown profile": ["--scrape.profiles=cpu,heaps", "shop:6060"],
    "window that does not fit": ["--scrape.cpu-interval=5s", "shop:6060"],
}
"""Flags that are read with what settings are made of."""

WORK: dict[str, tuple[Sequence[str], frozenset[str]]] = {
    "healthcheck": (["healthcheck", "--help"], LIBRARIES - {"email"} | OURS | {"asyncio"}),
    **{
        name: (arguments, LIBRARIES - {"yarl"} | OURS - {"pprof_exporter.profile"} | READING | {"asyncio", "ssl"})
        for name, arguments in BAD_FLAGS.items()
    },
    "inspect": (["inspect", "--format=json", HEAP], TERMINAL | {"aiohttp", "bcrypt", "dns", "pydantic", "yaml"}),
    "rules": (["rules"], TERMINAL | {"aiohttp", "asyncio", "google", "psutil", "pydantic"}),
    "dashboards": (["dashboards"], TERMINAL | {"aiohttp", "asyncio", "google", "psutil", "pydantic"}),
    "config schema": (["config", "schema"], TERMINAL | {"aiohttp", "bcrypt", "dns", "prometheus_client", "sqlite3"}),
    "check of a file": (
        ["check", "--format=json", HEAP],
        TERMINAL | {"bcrypt", "dns", "sqlite3", "pprof_exporter.rules", "pprof_exporter.web"},
    ),
}
"""What other commands do without."""

SERVING = (
    TERMINAL
    | {"bcrypt", "decimal", "dns", "fractions", "google", "pydantic", "sqlite3", "statistics", "structlog", "yaml"}
    | {f"pprof_exporter.{name}" for name in ("capture", "check", "compare", "dashboards", "demo")}
    | {f"pprof_exporter.{name}" for name in ("evidence", "evidence_store", "rules", "verdicts")}
)
"""What a sidecar does without."""
BESIDE_THE_COMPILED_READER = frozenset(
    f"pprof_exporter.profile.reader.{name}" for name in ("columns", "outline", "parts", "reading", "sums")
)
"""What also reads profiles, and takes its place where it could not be built."""


def loaded(stderr: str) -> set[str]:
    """Names of modules in what `-X importtime` writes, and of the packages above them."""
    names = {line.rpartition("|")[2].strip() for line in stderr.splitlines() if line.startswith("import time:")}
    return names | {".".join(name.split(".")[:2]) for name in names} | {name.partition(".")[0] for name in names}


def imports(arguments: Sequence[str], program: Sequence[str] = MODULE) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-X", "importtime", *program, *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=folder, timeout=120)
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    return loaded(done.stderr)


@pytest.mark.parametrize("program", [MODULE, SCRIPT], ids=["module", "script"])
@pytest.mark.parametrize("name", QUICK)
def test_a_command_without_work_loads_hardly_more_than_argparse(name: str, program: list[str]) -> None:
    assert imports(QUICK[name], program) & (LIBRARIES | OURS | {"asyncio", "logging", "ssl"}) == set()


@pytest.mark.parametrize("name", WORK)
def test_a_command_loads_what_it_needs(name: str) -> None:
    arguments, unneeded = WORK[name]
    assert imports(arguments) & unneeded == set()


def serve(*arguments: str, options: Sequence[str] = ()) -> tuple[float, float, set[str]]:
    """CPU seconds and MiB of the exporter when it is ready and has answered /metrics, and what it has loaded."""
    port = free_port()
    line = [sys.executable, *options, *MODULE, f"--web.listen-address=127.0.0.1:{port}", *arguments]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(line, stderr=log)
        try:
            deadline = time.monotonic() + PATIENCE
            while not answers(port, "/-/ready"):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            used = psutil.Process(process.pid)
            cpu, memory = sum(used.cpu_times()[:2]), used.memory_info().rss / 2**20
            assert answers(port, "/metrics")
        finally:
            process.terminate()
            process.wait()
        log.seek(0)
        return cpu, memory, loaded(log.read())


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def test_a_server_loads_what_a_sidecar_needs() -> None:
    _, _, names = serve("127.0.0.1:9", options=["-X", "importtime"])
    assert "aiohttp.web" in names
    assert names & SERVING == set()
    assert names & BESIDE_THE_COMPILED_READER == (
        BESIDE_THE_COMPILED_READER - {"pprof_exporter.profile.reader.parts"} if NATIVE is None else set()
    )


def test_a_configuration_file_loads_pydantic_and_no_more(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("scrape_configs: [{job_name: shop, static_configs: [{targets: ['127.0.0.1:9']}]}]\n")
    _, _, names = serve(f"--config.file={config}", options=["-X", "importtime"])
    assert {"pydantic", "yaml"} <= names
    assert names & (SERVING - {"decimal", "fractions", "pydantic", "statistics", "yaml"}) == set()


def cpu_seconds(line: Sequence[str], runs: int = 5) -> float:
    """User and system time of the cheapest run."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(line, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(runs))


@pytest.mark.parametrize("arguments", [*QUICK.values(), *BAD_FLAGS.values()], ids=[*QUICK, *BAD_FLAGS])
def test_a_command_without_work_ends_within_150_ms_of_cpu_time(arguments: Sequence[str]) -> None:
    line = [sys.executable, *MODULE, *arguments]
    # What else runs on the processor makes the same work take up to twice as long: it gets three tries.
    assert any(cpu_seconds(line) <= 0.15 for _ in range(3))


def test_serving_begins_within_a_multiple_of_what_loading_aiohttp_takes() -> None:
    # Other load on the machine makes both slower. docs/performance.md has the seconds.
    aiohttp = [sys.executable, "-c", "import aiohttp.web"]
    assert any(min(serve()[0] for _ in range(3)) <= 2.5 * cpu_seconds(aiohttp, runs=3) for _ in range(3))


def test_a_server_fits_into_little_memory() -> None:
    # A library that comes back takes megabytes: pydantic 11, rich and its parts 4, dnspython 2.
    assert serve("127.0.0.1:9")[1] <= 45
