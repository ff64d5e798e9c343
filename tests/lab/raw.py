"""`go tool pprof -raw` as data: Go's own reading of a profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.go import pprof_raw


@dataclass(frozen=True, slots=True)
class Raw:
    """Sample types as `type/unit` and the sum of each, and the number of samples after Go has merged equal ones."""

    totals: dict[str, int]
    samples: int
    build_ids: dict[str, str]
    """By file, of the mappings that have one."""


def read(path: Path) -> Raw:
    """Read a profile with Go."""
    lines = pprof_raw(path).splitlines()
    begin = lines.index("Samples:")
    types = [word.removesuffix("[dflt]") for word in lines[begin + 1].split()]
    rows = []
    for line in lines[begin + 2 : lines.index("Locations")]:
        values, colon, _ = line.partition(":")
        numbers = values.split()
        # Lines of labels are indented alike, but their first word is a key.
        if colon and len(numbers) == len(types) and all(number.lstrip("-").isdigit() for number in numbers):
            rows.append([int(number) for number in numbers])
    mappings = [line.split()[2:4] for line in lines[lines.index("Mappings") + 1 :]]
    build_ids = {words[0]: words[1] for words in mappings if len(words) == 2 and not words[1].startswith("[")}
    return Raw({kind: sum(row[i] for row in rows) for i, kind in enumerate(types)}, len(rows), build_ids)
