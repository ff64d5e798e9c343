"""One healthy program, built by every version of Go and recorded under one load: no version is worse than another."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from pprof_exporter.capture.reader import Capture, load_capture
from pprof_exporter.cli import main
from pprof_exporter.compare.captures import compare_captures
from pprof_exporter.compare.report import ChangeVerdict, ComparedPair, Movement
from pprof_exporter.profile import current_name
from tests.lab import go
from tests.lab.target import running

ROUNDS = 7
"""With so many values, the forty judged signals of a pair can be significant."""
PAIRS = tuple(itertools.permutations(go.EVERY_MINOR, 2))
FAILURES = "fetch_failure_ratio:goroutineleak"
LEAKS = {"fetch_duration_seconds:goroutineleak", FAILURES}
# Latencies are of a machine that does other things meanwhile.
LATENCIES = {"regression_latency_least": 60.0, "fetch_slow": 60.0}

# What says that values are too few or too wide, which more rounds or a quieter machine would change.
SPREAD = re.compile(r"Too few values: .*|Anything between .*|Worse, but within chance .*|.*, within chance\.")
# A busy loop uses what the machine leaves it, and the rest is measured only in windows in which it got enough.
NEEDS_A_PROCESSOR = {
    "cpu_coverage_ratio",
    "cpu_used_processors",
    "inlined_location_ratio:cpu",
    "tick_interval_stddev_seconds",
    "tick_late_ratio",
    "tick_rate_hertz",
}
# The locks of the runtime that happened to be contended, of which twenty locations are needed.
RUNTIME_LOCKS = "inlined_location_ratio:mutex"


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    """Rounds of each version: a busy thread, contention, live heap, and stacks of more than 32 frames."""
    folder = tmp_path_factory.mktemp("captures")
    found = {}
    for version in go.EVERY_MINOR:
        with running(go.build(version)) as target:
            target.control("rates", block=1, mutex=1)
            target.control("heap", mib=24)
            target.control("deep", n=3, depth=50)
            target.control("contend", workers=4)
            target.control("burn", threads=1)
            argv = ["capture", target.url, f"--output={folder / version}", f"--rounds={ROUNDS}", "--every=10ms"]
            assert main([*argv, "--scrape.cpu-window=2s", "--scrape.timeout=60s"], {}) == 0
        found[version] = load_capture(folder / version)
    return found


def compared(captures: dict[str, Capture], before: str, after: str) -> ComparedPair:
    (pair,) = compare_captures(captures[before], captures[after], LATENCIES).pairs
    return pair


def named(pair: ComparedPair, verdict: ChangeVerdict) -> dict[str, str]:
    return {one.signal: one.why for one in pair.of(verdict)}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_no_version_is_worse_than_another(captures: dict[str, Capture], before: str, after: str) -> None:
    pair = compared(captures, before, after)
    assert (pair.before.go_version, pair.after.go_version) == (before, after)
    assert named(pair, ChangeVerdict.WORSE) == {}
    undecided = {
        signal: why
        for signal, why in named(pair, ChangeVerdict.UNSURE).items()
        if not SPREAD.fullmatch(why) and signal not in NEEDS_A_PROCESSOR
    }
    if min(before, after) >= "1.25":
        undecided.pop(RUNTIME_LOCKS, None)
    assert undecided == {}
    by_design = named(pair, ChangeVerdict.BY_DESIGN)
    expected = LEAKS if before == "1.27.3" else LEAKS - {FAILURES} if after == "1.27.3" else set()
    assert LEAKS & by_design.keys() == expected
    assert ("truncated_stack_ratio:goroutine" in by_design) == ((before < "1.23") != (after < "1.23"))


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_functions_have_one_name_in_both_versions(captures: dict[str, Capture], before: str, after: str) -> None:
    pair = compared(captures, before, after)
    assert all(one.function == current_name(one.function) for one in pair.functions)
    # CPU time of a busy loop and of its preemption follows the machine.
    moved = {(one.kind, one.function) for one in pair.moved if one.movement is not Movement.BY_DESIGN}
    assert {one for one in moved if one[0] != "cpu"} == set()


def test_profiles_of_one_version_only_do_not_fail_a_comparison(
    captures: dict[str, Capture], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = [f"--set={name}={value}" for name, value in LATENCIES.items()]
    for before, after in (("1.24.11", "1.27.3"), ("1.27.3", "1.24.11")):
        page = tmp_path / "report.html"
        argv = ["compare", str(captures[before].path), str(captures[after].path), f"--html={page}", *limits]
        assert main(argv, {}) == 0
        assert "there is a profile of leaked goroutines" in capsys.readouterr().out
        assert "internal/runtime/syscall.Syscall6<" not in page.read_text(encoding="utf-8")
