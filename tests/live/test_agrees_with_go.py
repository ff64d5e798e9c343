"""Every recorded profile is read as `go tool pprof` reads it.

Given one file, Go's reader merges nothing and drops nothing (combineProfiles in google/pprof), so samples compare one
by one, in order.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pprof_exporter.cli.inspect import describe
from pprof_exporter.profile import KINDS, Profile, decode
from tests.lab import go

RECORDINGS = Path(__file__).parents[1] / "recordings"
PROFILES = sorted(path for pattern in ("*/*.pb.gz", "*/*.pb") for path in RECORDINGS.glob(pattern))
FOREIGN = json.loads((RECORDINGS / "foreign" / "MANIFEST.json").read_text())
READABLE = sorted(name for name, entry in FOREIGN.items() if entry["go_raw"] is not None)
TOP = {
    "allocs_retained.pb.gz": "alloc_space",
    "block_contended.pb.gz": "delay",
    "cpu_burn2.pb.gz": "cpu",
    "goroutine_leaks.pb.gz": "goroutine",
    "heap_retained.pb.gz": "inuse_space",
    "mutex_contended.pb.gz": "delay",
    "threadcreate_syscall4.pb.gz": "threadcreate",
}
_SAMPLE = re.compile(r"((?: +-?\d+)+): ([\d ]*)")


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@dataclass(frozen=True, slots=True)
class Raw:
    """The sample types as Go writes them in one line, then the values and the depth of every sample."""

    types: str
    samples: list[tuple[tuple[int, ...], int]]

    @property
    def totals(self) -> list[int]:
        return [sum(column) for column in zip(*(values for values, _ in self.samples), strict=True)]


@pytest.fixture(scope="module")
def raws() -> Iterator[dict[Path, Future[str]]]:
    """What Go prints for every recorded profile."""
    go.toolchain(go.VERSIONS[-1])
    with ThreadPoolExecutor(4) as pool:
        yield {path: pool.submit(go.pprof_raw, path) for path in PROFILES}


def parse(printed: str) -> Raw:
    lines = printed.splitlines()
    begin = lines.index("Samples:")
    rows = (_SAMPLE.fullmatch(line) for line in lines[begin + 2 : lines.index("Locations")])
    return Raw(lines[begin + 1], [(tuple(map(int, row[1].split())), len(row[2].split())) for row in rows if row])


def header(profile: Profile) -> str:
    marks = {profile.default_sample_type: "[dflt]"}
    return " ".join(f"{kind.type}/{kind.unit}{marks.get(kind.type, '')}" for kind in profile.sample_types)


@pytest.mark.parametrize("path", PROFILES, ids=named)
def test_samples_and_totals_are_those_of_go(path: Path, raws: dict[Path, Future[str]]) -> None:
    profile = decode(path.read_bytes())
    raw = parse(raws[path].result())
    assert header(profile) == raw.types
    assert [(sample.values, len(sample.stack)) for sample in profile.samples] == raw.samples
    facts = json.loads(json.dumps(describe(profile, 10)))
    assert facts["samples"] == len(raw.samples)
    assert [kind["total"] for kind in facts["sample_types"]] == (raw.totals or [0] * len(profile.sample_types))


@pytest.mark.parametrize("name", READABLE)
def test_foreign_counts_and_totals_are_those_of_the_manifest(name: str) -> None:
    profile = decode((RECORDINGS / "foreign" / name).read_bytes())
    facts = describe(profile, 1)
    expected = FOREIGN[name]["go_raw"]
    assert {f"{kind['type']}/{kind['unit']}": kind["total"] for kind in facts["sample_types"]} == expected["totals"]
    counts = {**facts, "mappings": len(facts["mappings"])}
    assert {key: counts[key] for key in expected if key != "totals"} == {
        key: count for key, count in expected.items() if key != "totals"
    }


def test_every_foreign_file_is_compared() -> None:
    assert {path.name for path in PROFILES if path.parent.name == "foreign"} == set(READABLE)


def test_the_functions_compared_are_of_every_kind() -> None:
    fed = {value.sample_type for kind in KINDS.values() for value in kind.values}
    assert set(TOP.values()) <= fed


@pytest.mark.parametrize("program", ["linux-go1.27.3", "windows-go1.21.13"])
@pytest.mark.parametrize("name", sorted(TOP))
def test_functions_are_those_of_go_to_the_unit(program: str, name: str) -> None:
    path = RECORDINGS / program / name
    ours = describe(decode(path.read_bytes()), sys.maxsize)["top"][TOP[name]]
    assert ours
    rows = go.pprof_top(path, TOP[name])
    assert {row.function: (row.flat, row.cum) for row in rows if row.cum} == {
        row["function"]: (row["flat"], row["cum"]) for row in ours if row["cum"]
    }
    assert [row["flat"] for row in ours if row["cum"]] == [row.flat for row in rows if row.cum]


@pytest.mark.parametrize(
    "path",
    [
        RECORDINGS / "linux-go1.27.3" / "heap_retained.pb.gz",
        RECORDINGS / "windows-go1.24.11" / "cpu_burn1.pb.gz",
        RECORDINGS / "foreign" / "python-austin.pb",
    ],
    ids=named,
)
def test_the_command_prints_what_go_reads(path: Path, raws: dict[Path, Future[str]]) -> None:
    command = [sys.executable, "-m", "pprof_exporter", "inspect", "--format", "json", "--top", "0", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    facts = json.loads(done.stdout.decode())
    profile = decode(path.read_bytes())
    assert facts == describe(profile, sys.maxsize)
    assert [kind["total"] for kind in facts["sample_types"]] == parse(raws[path].result()).totals
