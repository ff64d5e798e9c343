"""Bazel, a Java program that writes profile.proto itself: where Starlark code spends its time, and its heap."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.record_foreign.place import HERE, TMP, Recorded, debian_version, install, real, run

BAZEL = "bazel-bootstrap"
INSTRUMENTER = "libjava-allocation-instrumenter-java"
WORKSPACE = TMP / "shop"


def record_bazel() -> Recorded:
    """A CPU profile (hashes as ids, nothing merged, no mappings) and a heap profile without samples."""
    install(BAZEL, INSTRUMENTER, "openjdk-17-jdk-headless")
    shutil.copytree(HERE / "programs" / "starlark", WORKSPACE, dirs_exist_ok=True)
    producer = f"bazel {debian_version(BAZEL)}, openjdk {debian_version('openjdk-17-jdk-headless')}"

    cpu = TMP / "starlark-cpu.pb.gz"
    _bazel("--batch", "query", f"--starlark_cpu_profile={cpu}", "//...")
    how = "bazel query --starlark_cpu_profile=FILE //..."
    yield "java-bazel-cpu.pb.gz", cpu.read_bytes(), real("Java", producer, how)

    heap = TMP / "starlark-heap.pb.gz"
    agent = f"--host_jvm_args=-javaagent:/usr/share/java/{INSTRUMENTER.removeprefix('lib').removesuffix('-java')}.jar"
    startup = ("--max_idle_secs=60", agent, "--host_jvm_args=-DRULE_MEMORY_TRACKER=1")
    try:
        _bazel(*startup, "query", "//...")
        _bazel(*startup, "dump", f"--skylark_memory={heap}")
    finally:
        _bazel(*startup, "shutdown")
    how = "bazel query //...; bazel dump --skylark_memory=FILE; it saw no allocation"
    yield "java-bazel-heap-empty.pb.gz", heap.read_bytes(), real("Java", producer, how)


def _bazel(*arguments: str) -> None:
    root = f"--output_user_root={TMP / 'bazel'}"
    run(Path("/usr/bin/bazel-4"), root, *arguments, cwd=WORKSPACE, USER="nobody")
