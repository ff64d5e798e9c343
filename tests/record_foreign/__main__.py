"""Record profiles of producers that are not Go, and make those that no producer here writes.

python -m tests.record_foreign [GROUP ...]

By a Python 3.11, on Debian 12 as root, with rustc, node and npm; the rest is fetched. Programs are built and run in
/tmp/foreign, so that no profile holds a path of the checkout. Without a group everything is recorded anew. The made
ones follow from cpp-cpu.pb.gz and are always written; `made` writes only them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lab import PROJECT, go
from tests.record_foreign.features import features
from tests.record_foreign.made import make
from tests.record_foreign.native import record_cpp, record_jvm, record_latin1, record_mono, record_rust
from tests.record_foreign.place import HERE, TMP, Entry, Recorded, go_tool, prepare
from tests.record_foreign.scripted import record_node, record_python
from tests.record_foreign.starlark import record_bazel

OUT = HERE.parent / "recordings" / "foreign"
MANIFEST = OUT / "MANIFEST.json"
LIMIT = 60 * 1024
LIMIT_OF_ALL = 400 * 1024

GROUPS: dict[str, Callable[[], Recorded]] = {
    "cpp": record_cpp,
    "latin1": record_latin1,
    "rust": record_rust,
    "jvm": record_jvm,
    "bazel": record_bazel,
    "mono": record_mono,
    "node": record_node,
    "python": record_python,
    "made": lambda: iter(()),
}


def main() -> None:
    """Record the groups that the command line names, make the rest, check everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", choices=[*GROUPS, []], help=", ".join(GROUPS))
    groups = parser.parse_args().groups
    OUT.mkdir(parents=True, exist_ok=True)
    prepare()
    entries: dict[str, Entry] = {}
    if groups:
        entries = {name: entry for name, entry in json.loads(MANIFEST.read_text()).items() if entry.get("real")}
    for group in groups or GROUPS:
        print(f"recording {group}", flush=True)
        for name, body, entry in GROUPS[group]():
            (OUT / name).write_bytes(body)
            entries[name] = entry
    for name, body, entry in make(gzip.decompress((OUT / "cpp-cpu.pb.gz").read_bytes())):
        (OUT / name).write_bytes(body)
        entries[name] = entry
    finish(entries)


def finish(entries: dict[str, Entry]) -> None:
    """Check every file, remove those that are no longer recorded and write the manifest."""
    for file in OUT.iterdir():
        if file != MANIFEST and file.name not in entries:
            file.unlink()
    for name, entry in entries.items():
        body = (OUT / name).read_bytes()
        if len(body) > LIMIT:
            raise SystemExit(f"{name} has {len(body)} bytes, more than {LIMIT}")
        entry["encoding"] = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(body[:2], "plain")
        message = gzip.decompress(body) if entry["encoding"] == "gzip" else body
        check_private(name, message)
        entry["features"] = None if entry["encoding"] == "zstd" else features(message)
        entry["go_raw"] = None
    readable = [name for name, entry in entries.items() if entry["encoding"] != "zstd"]
    for name, seen in zip(readable, go_counts([OUT / name for name in readable]), strict=True):
        entries[name]["go_raw"] = seen
    size = sum(file.stat().st_size for file in OUT.iterdir())
    if size > LIMIT_OF_ALL:
        raise SystemExit(f"{OUT.name} holds {size} bytes, more than {LIMIT_OF_ALL}")
    text = json.dumps(dict(sorted(entries.items())), indent=2, ensure_ascii=False)
    MANIFEST.write_text(text + "\n", encoding="utf-8")
    print(f"{len(entries)} profiles, {size} bytes, nothing of this machine in them")


def go_counts(files: list[Path]) -> list[dict[str, Any]]:
    """What Go's own reader sees in each file, which `go tool pprof -raw` must print as well.

    Counted by a program with the package that pprof is made of: -raw has no functions, and adds a mapping to a profile
    that has none.
    """
    newest = go.VERSIONS[-1]
    folder = TMP / "count"
    (folder / "profile").mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(f"module count\n\ngo {newest.rsplit('.', 1)[0]}\n")
    (folder / "main.go").write_bytes((HERE / "count" / "main.go").read_bytes())
    sources = go.toolchain(newest).parents[1] / "src/cmd/vendor/github.com/google/pprof/profile"
    for source in sources.glob("*.go"):
        (folder / "profile" / source.name).write_bytes(source.read_bytes())
    printed = go_tool(newest, "run", ".", *files, cwd=folder)
    for file in files:
        go_tool(newest, "tool", "pprof", "-symbolize=none", "-raw", file)
    return [json.loads(line) for line in printed.splitlines()]


def check_private(name: str, body: bytes) -> None:
    """Raise if the bytes name a place, the host or the user of this machine."""
    host = re.escape(socket.gethostname().encode())
    user = re.escape(os.environ.get("USER", "root").encode())
    project = re.escape(str(PROJECT.parent).encode())
    found = re.search(rb"%s|/root|/home/|\b%s@|(?<![\w:])%s(?!\w)" % (project, user, host), body)
    if found is not None:
        raise SystemExit(f"{name} holds {found[0]!r}")


if __name__ == "__main__":
    main()
