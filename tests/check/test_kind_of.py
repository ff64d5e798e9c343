"""Files of profiles name their kind, by what is in them and, where that is not enough, by how they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.check.kind_of import kind_of
from pprof_exporter.profile import KINDS, decode
from tests.recorded import FOREIGN, PROGRAMS, RECORDINGS, named

OF_GO = sorted(
    path for program in PROGRAMS for path in (RECORDINGS / program).glob("*.pb.gz") if "write_timeout" not in path.name
)


def true_kind(path: Path) -> str:
    return path.name.split(".")[0].split("_")[0]


@pytest.mark.parametrize("path", OF_GO, ids=named)
def test_the_kind_of_what_go_writes_is_known_from_its_file(path: Path) -> None:
    found = kind_of(decode(path.read_bytes()), path.name)
    assert found is not None
    assert found.name == true_kind(path)


@pytest.mark.parametrize("path", [path for path in OF_GO if "delta" not in path.name], ids=named)
def test_without_a_name_all_but_empty_contention_is_still_known(path: Path) -> None:
    profile = decode(path.read_bytes())
    found = kind_of(profile)
    assert found is not None
    if profile.samples or true_kind(path) not in ("block", "mutex"):
        assert found.name == true_kind(path)


def test_a_name_does_not_turn_one_kind_into_another() -> None:
    heap = decode((RECORDINGS / PROGRAMS[0] / "heap.pb.gz").read_bytes())
    assert kind_of(heap, "goroutine.pb.gz") is KINDS["heap"]
    assert kind_of(heap, "before-allocs-2.pb.gz") is KINDS["allocs"]


def test_what_another_language_writes_has_no_kind_of_go() -> None:
    assert kind_of(decode((FOREIGN / "python-pypprof-wall.pb.gz").read_bytes()), "wall.pb.gz") is None
