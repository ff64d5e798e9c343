"""Recognises, from the counts on the index page, profiles that would stop a target for long."""

from __future__ import annotations

from pprof_exporter.profile import GoVersion, IndexPage, KnownGoVersion

# Up to Go 1.18 the world stands still while the stacks of all goroutines are copied: 130 to 300 ms for 100,000 of them
# (golang/go 50794, 33250). Since 1.19 it does not (runtime/mprof.go goroutineProfileWithLabelsConcurrent).
_CONCURRENT_SINCE = GoVersion(1, 19)
_GOROUTINES = 10_000
# A heap profile holds profMemActiveLock, without being preempted, while it walks all records. To stop the world, the
# runtime must wait for it (golang/go 74872).
_HEAP_RECORDS = 100_000
# goroutine?debug=2 stops the world until all stacks are printed: 14,820 took 9.5 s (cockroachdb/cockroach 14602).
_PRINTED_GOROUTINES = 1_000


def goroutines_stop_the_world(index: IndexPage | None, version: KnownGoVersion) -> bool:
    """Whether a goroutine profile would stop the world for many goroutines. An unknown version counts as old."""
    oldest = version.lowest
    concurrent = oldest is not None and oldest >= _CONCURRENT_SINCE
    return not concurrent and _count(index, "goroutine") > _GOROUTINES


def heap_records_take_long(index: IndexPage | None) -> bool:
    """Whether a profile of heap or allocs would walk a huge number of records."""
    return _count(index, "heap") > _HEAP_RECORDS


def too_many_to_print(index: IndexPage | None) -> bool:
    """Whether there are too many goroutines for goroutine?debug=2; True if their number is unknown."""
    return index is None or _count(index, "goroutine") > _PRINTED_GOROUTINES


def _count(index: IndexPage | None, path: str) -> int:
    return index.counts.get(path, 0) if index is not None else 0
