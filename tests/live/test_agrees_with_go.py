"""Every recorded profile is read as `go tool pprof` reads it, and what Go's reader refuses is refused.

Given one file, `go tool pprof` merges no samples and drops none (google/pprof combineProfiles), so `-raw` compares line
by line. `-top` leaves out functions whose values are all 0.
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
from pprof_exporter.profile import Line, Location, Mapping, Profile, decode
from tests import lab
from tests.lab import PATIENCE, go
from tests.recorded import FOREIGN, PROFILES, RECORDINGS, Counted, foreign, named

COUNTED = foreign()
EVERYTHING = ("-symbolize=none", "-nodecount=1000000", "-nodefraction=0", "-edgefraction=0")
PROMPT = "(pprof) "
ROW = re.compile(
    r"\s*(?P<flat>-?\d+)\D*?\s+\S+%\s+\S+%\s+(?P<cum>-?\d+)\D*?\s+\S+%  (?P<function>.+?)(?: \((?:partial-)?inline\))?"
)
SAMPLE = re.compile(r"((?: +-?\d+)+): ([\d ]*)")


@dataclass(frozen=True, slots=True)
class Printed:
    """What `go tool pprof` prints of one file: `raw`, and `top` of each sample type."""

    raw: list[str]
    tops: list[str]

    def between(self, first: str, last: str | None) -> list[str]:
        """The lines of `raw` from one heading to another."""
        return self.raw[self.raw.index(first) + 1 : self.raw.index(last) if last else None]

    def samples(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Values and stack of each sample; the lines of labels are left out."""
        rows = map(SAMPLE.fullmatch, self.between("Samples:", "Locations")[1:])
        return [(numbers(row[1]), numbers(row[2])) for row in rows if row]

    def weights(self, index: int) -> dict[str, tuple[int, int]]:
        """Flat and cum by function, of those that have any."""
        rows = [row for row in map(ROW.fullmatch, self.tops[index].splitlines()) if row]
        assert len({row["function"] for row in rows}) == len(rows)
        weights = {row["function"]: (int(row["flat"]), int(row["cum"])) for row in rows}
        return {function: weight for function, weight in weights.items() if any(weight)}


def numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def ask(program: str, path: Path) -> Printed:
    """Ask `go tool pprof` everything at once; each unit is that of the sample type, so that nothing is rounded."""
    kinds = decode(path.read_bytes()).sample_types
    tops = "".join(f"sample_index={i}\nunit={kind.unit or 'count'}\ntop\n" for i, kind in enumerate(kinds))
    done = subprocess.run(
        [program, *EVERYTHING, str(path)],
        input=f"raw\n{tops}".encode(),
        capture_output=True,
        check=True,
        env=go._environment({}),
        timeout=PATIENCE,
    )
    replies = done.stdout.decode("utf-8", "backslashreplace").split(PROMPT)
    raw, *printed = [reply for reply in replies if reply]
    assert len(printed) == len(kinds), done.stderr.decode(errors="replace")
    return Printed(raw.splitlines(), printed)


@pytest.fixture(scope="module")
def printed() -> Iterator[dict[Path, Future[Printed]]]:
    """What Go prints of every recorded profile."""
    program = lab.run([go.toolchain(go.VERSIONS[-1]), "tool", "-n", "pprof"], env=go._environment({})).strip()
    with ThreadPoolExecutor(4) as pool:
        yield {path: pool.submit(ask, program, path) for path in PROFILES}


every_profile = pytest.mark.parametrize("path", PROFILES, ids=named)


def header(profile: Profile) -> str:
    marks = {profile.default_sample_type: "[dflt]"}
    return " ".join(f"{kind.type}/{kind.unit}{marks.get(kind.type, '')}" for kind in profile.sample_types)


@every_profile
def test_samples_are_those_of_go(path: Path, printed: dict[Path, Future[Printed]]) -> None:
    profile = decode(path.read_bytes())
    expected = printed[path].result()
    assert header(profile) == expected.between("Samples:", "Locations")[0]
    assert [(sample.values, sample.stack) for sample in profile.samples] == expected.samples()
    assert f"Period: {profile.period}" in expected.raw
    assert f"PeriodType: {profile.period_type.type} {profile.period_type.unit}" in expected.raw
    assert [f"Comment: {comment}" for comment in profile.comments] == expected.raw[: len(profile.comments)]


def shown_line(line: Line) -> str:
    function = line.function
    mangled = f"({function.system_name})" if function.system_name != function.name else ""
    return f"{function.name} {function.file}:{line.line}:COLUMN s={function.start_line}{mangled}"


NO_MAPPING = Mapping("", "", 0, 0, 0, has_functions=False)
"""What `go tool pprof` gives to all locations of a profile without mappings (google/pprof locateBinaries)."""


def shown(place: int, location: Location, *, mapped: bool) -> Iterator[str]:
    """A location as `raw` has it, but for the id of its mapping and the column, which we do not keep."""
    beginning = f"{place:6}: {location.address:#x} {'M=ID ' if mapped else ''}"
    for line in map(shown_line, location.lines or ()):
        yield beginning + line
        beginning = " " * 13
    if not location.lines:
        yield beginning


def shown_mapping(mapping: Mapping) -> str:
    functions = "[FN]" if mapping.has_functions else ""
    return f"{mapping.start:#x}/{mapping.limit:#x}/{mapping.offset:#x} {mapping.file} {mapping.build_id} {functions}"


@every_profile
def test_locations_and_functions_are_those_of_go(path: Path, printed: dict[Path, Future[Printed]]) -> None:
    profile = decode(path.read_bytes())
    expected = "\n".join(printed[path].result().between("Locations", "Mappings"))
    expected = re.sub(r"(?m)^( *\d+: 0x[0-9a-f]+ )M=\d+ (?:\[F\] )?", r"\1M=ID ", expected)
    expected = re.sub(r"(?m):-?\d+ s=(-?\d+)", r":COLUMN s=\1", expected)
    ours = [
        line
        for place, location in profile.locations.items()
        for line in shown(place, location, mapped=bool(location.mapping) or not profile.mappings)
    ]
    assert ours == expected.splitlines()


@every_profile
def test_mappings_are_those_of_go(path: Path, printed: dict[Path, Future[Printed]]) -> None:
    profile = decode(path.read_bytes())
    lines = [line.partition(": ")[2] for line in printed[path].result().between("Mappings", None)]
    expected = [re.sub(r"(?:\[FL\])?(?:\[LN\])?(?:\[IN\])?$", "", line) for line in lines if line]
    assert [shown_mapping(mapping) for mapping in profile.mappings or (NO_MAPPING,)] == expected


@every_profile
def test_sums_are_those_of_go(path: Path, printed: dict[Path, Future[Printed]]) -> None:
    profile = decode(path.read_bytes())
    facts = describe(profile, sys.maxsize)
    expected = printed[path].result()
    samples = expected.samples()
    assert facts["samples"] == len(samples)
    assert facts["locations"] == sum(line[:6].strip().isdigit() for line in expected.between("Locations", "Mappings"))
    for i, kind in enumerate(facts["sample_types"]):
        assert kind["total"] == sum(values[i] for values, _ in samples)
        ours = {row["function"]: (row["flat"], row["cum"]) for row in facts["top"][kind["type"]]}
        assert {function: weight for function, weight in ours.items() if any(weight)} == expected.weights(i)


@pytest.mark.parametrize("name", [name for name, counted in COUNTED.items() if counted])
def test_foreign_counts_and_totals_are_those_of_the_manifest(name: str) -> None:
    profile = decode((FOREIGN / name).read_bytes())
    facts = describe(profile, 1)
    assert COUNTED[name] == Counted(
        samples=facts["samples"],
        locations=facts["locations"],
        functions=facts["functions"],
        mappings=len(facts["mappings"]),
        totals={f"{kind['type']}/{kind['unit']}": kind["total"] for kind in facts["sample_types"]},
    )


def test_every_foreign_file_that_go_reads_is_compared() -> None:
    readable = {name for name, counted in COUNTED.items() if counted}
    assert readable == {path.name for path in PROFILES if path.parent == FOREIGN}


@pytest.mark.parametrize(
    "path",
    [
        RECORDINGS / "linux-go1.27.3" / "heap_retained.pb.gz",
        RECORDINGS / "windows-go1.24.11" / "cpu_burn1.pb.gz",
        FOREIGN / "python-austin.pb",
    ],
    ids=named,
)
def test_the_command_prints_what_go_reads(path: Path, printed: dict[Path, Future[Printed]]) -> None:
    command = [sys.executable, "-m", "pprof_exporter", "inspect", "--format", "json", "--top", "0", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE)
    facts = json.loads(done.stdout.decode())
    samples = printed[path].result().samples()
    assert facts == describe(decode(path.read_bytes()), sys.maxsize)
    assert [kind["total"] for kind in facts["sample_types"]] == [
        sum(column) for column in zip(*(values for values, _ in samples), strict=True)
    ]
