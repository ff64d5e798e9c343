"""Every profile of a program, read by `pprof-exporter inspect` and by `go tool pprof` from the same bytes."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pprof_exporter.cli.inspect import describe
from pprof_exporter.profile import KINDS, decode
from tests.lab import raw
from tests.zoo.inhabitants import Inhabitant

_TIMEOUT = 60.0
"""Seconds for one profile: that of a handler that samples for ten seconds comes, too."""
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Compared:
    """One profile of one program: the number of samples and the total of each sample type, by both readers."""

    program: str
    profile: str
    ours: tuple[int, dict[str, int]]
    of_go: tuple[int, dict[str, int]]
    build_id: str
    """Of the program, as Go prints it; empty in a profile without."""

    @property
    def equal(self) -> bool:
        return self.ours == self.of_go

    def __str__(self) -> str:
        return f"{self.program}: {self.profile}: inspect {self.ours}, go tool pprof {self.of_go}"


def compared(living: Sequence[Inhabitant], folder: Path) -> list[Compared]:
    """All profiles that the programs serve, each fetched once. Programs have different ones: a Go has what it has."""
    folder.mkdir()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [one for found in pool.map(lambda one: list(_compared(one, folder)), living) for one in found]


def _compared(one: Inhabitant, folder: Path) -> Iterator[Compared]:
    for name, kind in KINDS.items():
        query = "?seconds=1" if kind.window else ""
        try:
            with urllib.request.urlopen(f"{one.url}/debug/pprof/{kind.path}{query}", timeout=_TIMEOUT) as reply:
                body = reply.read()
        except urllib.error.HTTPError as refused:
            with refused:
                # That of leaked goroutines is new in Go 1.27.
                if refused.code == 404:
                    continue
            raise
        file = folder / f"{one.name}-{name}.pb.gz"
        file.write_bytes(body)
        facts = describe(decode(body), sys.maxsize)
        of_go = raw.read(file)
        build = of_go.build_ids.get(str(one.executable.resolve()), "")
        totals = {f"{of['type']}/{of['unit']}": of["total"] for of in facts["sample_types"]}
        yield Compared(one.name, name, (facts["samples"], totals), (of_go.samples, of_go.totals), build)
