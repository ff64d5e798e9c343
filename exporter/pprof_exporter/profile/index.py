"""Reads the index page of net/http/pprof, the cheapest request to a target, since it does not stop the world.

The markup is the same from Go 1.16 to 1.27 (net/http/pprof/pprof.go, indexTmplExecute).
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from pprof_exporter.profile.recognise import other_page

# Bounded, since `html.unescape` fails on a character reference of thousands of digits.
_ROW = re.compile(rb"<tr><td>(\d{1,18})</td><td><a href='([^'?]{0,1000})(?:\?[^']*)?'>", re.IGNORECASE)

_RECORDS = ("heap", "allocs", "block", "mutex")


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The counts of the page by profile name: goroutines, threads ever created, or records of heap, block and mutex.

    The count of `goroutineleak` is that of the last detection, not the current one (golang/go 80311). Those of
    `cmdline`, `profile`, `symbol` and `trace` are always 0.
    """

    counts: dict[str, int]

    @property
    def records(self) -> dict[str, int]:
        """The counts that are numbers of records. The runtime never removes one (runtime/mprof.go allnext)."""
        return {name: self.counts[name] for name in _RECORDS if name in self.counts}

    def lists(self, path: str) -> bool:
        """Whether the page names this profile."""
        return path in self.counts


def read_index(body: bytes) -> IndexPage:
    """Read an index page. Raises `DecodeError` (empty, html, text) for any other page."""
    rows = {html.unescape(name.decode("utf-8", "replace")): int(count) for count, name in _ROW.findall(body)}
    if rows:
        return IndexPage(rows)
    raise other_page(body, "not the index page of net/http/pprof")
