"""The tables of docs/coverage.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.coverage.cells import Load, Result
from benchmarks.coverage.simulate import coverage
from tests.lab import go

TICKS = (250, 100, 300, 1000)
"""Ticks per second for which the coverage is computed, that of the measured kernel first."""


def tables(results: Sequence[Result]) -> str:
    """Both tables in Markdown."""
    return f"{_linux(results)}\n\n{_windows(results)}"


def rows_of(results: Iterable[Result], system: go.System) -> dict[tuple[Load, int], dict[str, Result]]:
    """Results of a system by load and threads, then by Go version."""
    rows: dict[tuple[Load, int], dict[str, Result]] = {}
    for result in results:
        if result.cell.system == system:
            rows.setdefault((result.cell.load, result.cell.threads), {})[result.cell.version] = result
    return dict(sorted(rows.items(), key=lambda row: (row[0][0].period == 0, row[0][0].burst, row[0][1])))


def mean_cores(found: Iterable[Result]) -> float:
    """Of all Go versions."""
    cores = [result.cores for result in found]
    return sum(cores) / len(cores)


def _linux(results: Sequence[Result]) -> str:
    minors = [f"Go {version.rpartition('.')[0]}" for version in go.VERSIONS]
    computed = [f"computed, {ticks}" for ticks in TICKS]
    lines = [_line("each thread works", "threads", "cores", *minors, *computed), _line(*["---"] * (6 + len(TICKS)))]
    for (load, threads), found in rows_of(results, "linux").items():
        cores = mean_cores(found.values())
        lines.append(
            _line(
                load.title,
                str(threads),
                f"{cores:.3f}",
                *(_measured(found[version]) for version in go.VERSIONS),
                *(f"{coverage(load, threads, cores, ticks):.2f}" for ticks in TICKS),
            )
        )
    return "\n".join(lines)


def _windows(results: Sequence[Result]) -> str:
    minors = [f"Go {version.rpartition('.')[0]}" for version in go.VERSIONS]
    lines = [_line("each thread works", "threads", "cores", *minors), _line(*["---"] * 6)]
    lines += [
        _line(
            load.title,
            str(threads),
            f"{mean_cores(found.values()):.3f}",
            *(_measured(found[version]) for version in go.VERSIONS),
        )
        for (load, threads), found in rows_of(results, "windows").items()
    ]
    return "\n".join(lines)


def _measured(result: Result) -> str:
    if result.coverage is None:
        return "not judged"
    spread = "" if result.deviation is None else f" ({result.deviation:.2f})"
    left_out = f", {result.undecided} of {result.profiles} not judged" if result.undecided else ""
    return f"{result.coverage:.2f}{spread}{left_out}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
