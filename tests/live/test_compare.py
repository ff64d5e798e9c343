"""The story that began it, for real: Windows is updated under a busy service, and a report names what that did."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from pprof_exporter.capture.reader import load_capture
from pprof_exporter.cli import main
from tests.lab import free_port, go, wine
from tests.lab.changes import thinned
from tests.lab.rewrite import Rewriter, rewriting
from tests.lab.target import Target, running

VERSION = "1.24.11"
ROUNDS = 6
HEAP, COVERAGE = "fetch_duration_seconds:heap", "cpu_coverage_ratio"
LATENCIES = ("fetch_duration_seconds:", "canary_duration_seconds:", "latency_difference_seconds:")
TIMEOUT = "--scrape.timeout=60s"

# On a machine that is busy with other things, two limits of the tests follow what it does.
SAMPLES = 160
"""To be expected in a CPU profile: of fewer than 100 nothing is said."""
STARVED = 0.8
"""Processors below which a busy thread waits for one, and counts as running all the same: only Windows samples so, and
then the coverage says nothing about missing samples."""


def busy(target: Target) -> float:
    """How many processors one busy thread gets on this machine, just now."""
    target.control("burn", threads=1)
    before, began = target.stats()["cpu_seconds"], time.monotonic()
    time.sleep(1)
    return float(target.stats()["cpu_seconds"] - before) / (time.monotonic() - began)


def window(processors: float) -> int:
    """Seconds of CPU profile that hold enough samples of one busy thread."""
    return min(6, math.ceil(SAMPLES / 100 / max(processors, 0.01)))


def capture(proxy: Rewriter, to: Path, seconds: int) -> None:
    argv = ["capture", proxy.url, f"--output={to}", f"--rounds={ROUNDS}", "--every=10ms", TIMEOUT]
    kinds = "--scrape.profiles=cpu,heap,goroutine,threadcreate"
    assert main([*argv, f"--scrape.cpu-window={seconds}s", kinds], {}) == 0


def slowest(folder: Path) -> float:
    """The highest of all latencies in a capture, in seconds."""
    (target,) = load_capture(folder).targets
    return max(
        value for round_ in target.rounds for name, value in round_.signals.items() if name.startswith(LATENCIES)
    )


def compared(*argv: str, floor: float, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["compare", *argv, "--format=json", f"--set=regression_latency_least={floor}"], {})
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, report


def named(report: dict[str, Any], verdict: str) -> set[str]:
    return {one["signal"] for pair in report["pairs"] for one in pair["signals"] if one["verdict"] == verdict}


def test_the_report_names_what_the_update_did_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = go.build(VERSION, "windows")
    listen = ("-listen", f"127.0.0.1:{free_port()}")
    before, after = tmp_path / "before", tmp_path / "after"
    with running(program, *listen, wine=True) as target, rewriting(target.url) as proxy:
        processors = [busy(target)]
        seconds = window(processors[0])
        capture(proxy, before, seconds)
    floor = max(0.1, 2 * slowest(before))
    with wine.updated(), running(program, *listen, wine=True) as target, rewriting(target.url) as proxy:
        processors.append(busy(target))
        target.fault("heap", "slow", ms=round(2000 * floor))
        proxy.change(thinned(0.64), "profile")
        capture(proxy, after, seconds)
        processors.append(busy(target))
    html = tmp_path / "report.html"
    code, report = compared(str(before), str(after), f"--html={html}", floor=floor, capsys=capsys)
    assert code == 1
    (pair,) = report["pairs"]
    (system,) = pair["replaced"]
    assert system["change"] == "operating_system"
    assert {part["name"] for part in system["parts"]} == {"ntdll.dll", "kernel32.dll", "kernelbase.dll"}
    assert all(part["before"] < part["after"] for part in system["parts"])
    worse = named(report, "worse")
    assert worse == {HEAP, COVERAGE} or (min(processors) < STARVED and worse == {HEAP}), processors
    assert named(report, "better") == set()
    assert [one for one in pair["functions"] if one["movement"] in ("grew", "shrank")] == []
    assert "Flame graph of cpu" in html.read_text(encoding="utf-8")


def test_a_canary_with_other_profiles_than_its_stable_sister_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = go.build(go.VERSIONS[-1])
    with running(program) as stable, running(program) as canary, rewriting(canary.url) as proxy:
        canary.fault("heap", "slow", ms=1500)
        proxy.change(thinned(0.64), "profile")
        processors = min(busy(stable), busy(canary)) / 2
        seconds = window(processors)
        groups = (f"--stable={stable.url}", f"--canary={proxy.url}", f"--rounds={ROUNDS}", "--every=10ms", TIMEOUT)
        asked = (f"--scrape.cpu-window={seconds}s", "--scrape.profiles=cpu,heap,goroutine", f"--keep={tmp_path}")
        code, report = compared(*groups, *asked, floor=0.5, capsys=capsys)
    assert code == 1
    assert report["method"] == "groups"
    worse = named(report, "worse")
    # Linux samples by the time that a thread really ran: what counts is only that there are enough samples.
    assert worse == {HEAP, COVERAGE} or (processors * seconds < SAMPLES / 100 and worse == {HEAP}), processors
    assert named(report, "better") == set()
    assert len(load_capture(tmp_path).targets) == 2
