"""The samples of a trace are those that Go's own reader finds in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pprof_exporter.profile.trace import read_trace
from tests.lab import PROJECT, go, run

DEMO = PROJECT / "exporter" / "pprof_exporter" / "demo" / "recordings"
TRACES = [
    path
    for path in (
        *sorted((PROJECT / "tests" / "recordings").glob("*/burn2.trace")),
        *sorted(DEMO.glob("*/busy/trace.bin")),
    )
    if "go1.21" not in str(path)
]

_SAMPLE = re.compile(r"^M=(\d+) P=-?\d+ G=-?\d+ StackSample Time=(\d+)$", re.MULTILINE)
_CLOCKS = re.compile(r"Sync Time=\d+ N=\d+ Trace=(\d+) Mono=(\d+) Wall=(\S+?)(?:\.(\d+))?Z$", re.MULTILINE)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_samples_and_clocks_agree_with_go_tool_trace(path: Path) -> None:
    printed = run([go.toolchain("1.27.3"), "tool", "trace", "-d=parsed", path], env=go._environment({}))
    trace = read_trace(path.read_bytes())

    expected = [(int(time) / 1e9, int(thread)) for thread, time in _SAMPLE.findall(printed)]
    assert len(trace.times) == len(expected) > 90
    # Go delays samples that would come before the event printed last, by nanoseconds.
    assert trace.times == pytest.approx([time for time, _ in expected], abs=1e-6)
    assert trace.threads == tuple(thread for _, thread in expected)

    clocks = [
        (int(time) / 1e9, int(monotonic), _nanos(wall, fraction))
        for time, monotonic, wall, fraction in _CLOCKS.findall(printed)
    ]
    assert len(trace.clocks) == len(clocks) == (2 if trace.version == "go 1.26" else 0)
    for ours, (time, monotonic, wall) in zip(trace.clocks, clocks, strict=True):
        assert ours.trace == pytest.approx(time, abs=1e-6)
        assert (ours.monotonic_nanos, ours.wall_nanos) == (monotonic, wall)


def _nanos(wall: str, fraction: str) -> int:
    seconds = datetime.fromisoformat(wall).replace(tzinfo=UTC).timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))
