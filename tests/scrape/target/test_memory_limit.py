"""GOMEMLIMIT as Go reads it, out of an environment of which nothing else is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.scrape.target.memory_limit import parse_gomemlimit, read_gomemlimit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("1", 1),
        ("750MiB", 750 * 2**20),
        ("64KiB", 2**16),
        ("3GiB", 3 * 2**30),
        ("1TiB", 2**40),
        ("2048B", 2048),
        ("off", None),
        ("", None),
        ("0", None),
        ("9223372036854775807", None),
        ("99999999999TiB", None),
        ("1GB", None),
        ("1G", None),
        ("1.5GiB", None),
        ("-1", None),
        ("GiB", None),
        ("1 GiB", None),
        ("\u0661GiB", None),
    ],
)
def test_units_are_those_of_go(text: str, limit: int | None) -> None:
    assert parse_gomemlimit(text) == limit


def test_it_is_found_in_the_environment(tmp_path: Path) -> None:
    folder = tmp_path / "proc" / "7"
    folder.mkdir(parents=True)
    (folder / "environ").write_bytes(b"PATH=/bin\0MY_GOMEMLIMIT=1\0GOMEMLIMIT=512MiB\0GOMEMLIMIT=1\0")
    assert read_gomemlimit(7, tmp_path) == 512 * 2**20
    (folder / "environ").write_bytes(b"PATH=/bin\0")
    assert read_gomemlimit(7, tmp_path) is None
    assert read_gomemlimit(8, tmp_path) is None
