"""ARCHITECTURE.md names files and classes that exist."""

from __future__ import annotations

import re

from tests.lab import PROJECT

PACKAGE = PROJECT / "exporter" / "pprof_exporter"
TEXT = (PROJECT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FORMER = {
    part
    for row in re.findall(r"^\| ([^|]+) \|", TEXT.partition("## Where things went")[2], re.MULTILINE)
    for part in row.split("`")[1::2]
}
"""What the left column of the last table names is gone."""


def named(pattern: str) -> set[str]:
    return set(re.findall(rf"`({pattern})`", TEXT)) - FORMER


def test_every_file_that_is_named_exists() -> None:
    places = [PROJECT, PACKAGE]
    paths = named(r"[a-z_]+(?:/[a-z_]+)+(?:\.py)?/?")
    assert paths
    missing = [
        path
        for path in paths
        if not any((place / path).exists() or (place / f"{path}.py").exists() for place in places)
    ]
    assert missing == []


def test_every_class_that_is_named_exists() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    classes = named(r"[A-Z][a-z]+[A-Z][A-Za-z]+") - {"CheckValid", "XCollector"}
    assert classes
    assert [name for name in sorted(classes) if f"class {name}" not in code and f"\n{name} = " not in code] == []
