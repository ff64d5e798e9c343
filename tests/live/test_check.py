"""`check` on a real program: 0 while it is well, 1 with the right failure mode for each fault, 2 if nobody answers."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pprof_exporter.cli import main
from pprof_exporter.profile import read_index
from tests.lab import free_port, go
from tests.lab.changes import stripped, thinned
from tests.lab.rewrite import SNAPSHOTS, Rewriter, rewriting
from tests.lab.target import Target, running

QUICK = ("--scrape.cpu-window=1s", "--scrape.timeout=60s", "--format=json")
BUSY_MACHINE = [
    f"--set={name}={value}"
    for name, value in {
        "latency_difference": 60,
        "latency_difference_large": 60,
        "fetch_slow": 60,
        "fetch_very_slow": 60,
        "canary_slow": 60,
        "perturbation_least": 60,
        "window_too_short": -60,
        "window_too_long": 60,
        "clock_skew": 60,
        "tick_slow": 1,
        "tick_stddev": 1,
        "tick_late": 1,
    }.items()
]
"""What a machine with other work makes wrong; these tests are of other faults."""


@pytest.fixture(autouse=True)
def _healed(newest: Target) -> Iterator[None]:
    newest.control("rates", block=1, mutex=1)
    newest.control("burn", threads=1)
    yield
    newest.control("reset")


def checked(capsys: pytest.CaptureFixture[str], *argv: str, code: int) -> dict[str, dict[str, Any]]:
    """The verdicts of the one target, by failure mode."""
    found = main(["check", *QUICK, *BUSY_MACHINE, *argv], {})
    out, err = capsys.readouterr()
    assert err == ""
    (target,) = json.loads(out)["targets"]
    verdicts = {verdict["mode"]: verdict for verdict in target["verdicts"]}
    bad = [verdict["said"] for verdict in verdicts.values() if verdict["findings"]]
    assert found == code, bad
    return verdicts


def modes(verdicts: dict[str, dict[str, Any]], *levels: str) -> set[str]:
    return {mode for mode, verdict in verdicts.items() if verdict["level"] in levels}


def alerts(verdict: dict[str, Any]) -> set[str]:
    return {finding["alert"] for finding in verdict["findings"]}


def test_a_healthy_busy_program_has_no_findings(newest: Target, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = checked(capsys, newest.url, "--scrape.cpu-window=3s", code=0)
    assert modes(verdicts, "critical", "warning", "info") == set()
    measured = {"F4", "F5", "F6", "F7", "F8", "F9", "F11", "F13", "F14", "F15", "F16"}
    assert measured <= modes(verdicts, "healthy")


@pytest.fixture
def ill() -> Iterator[Target]:
    """A program of its own: goroutines that are lost cannot be brought back."""
    with running(go.build(go.VERSIONS[-1])) as program:
        program.control("rates", block=1, mutex=1)
        program.control("burn", threads=1)
        program.control("leak", how="lost", n=3)
        yield program


def created_threads(program: Target) -> int:
    """As the index page counts them."""
    with urllib.request.urlopen(program.pprof()) as page:
        return read_index(page.read()).counts["threadcreate"]


def test_threads_in_system_calls_are_told(newest: Target, capsys: pytest.CaptureFixture[str]) -> None:
    newest.control("syscall", n=250)
    try:
        deadline = time.monotonic() + 60
        while created_threads(newest) < 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        verdicts = checked(capsys, newest.url, code=1)
    finally:
        newest.control("syscall", n=0)
    assert alerts(verdicts["F10"]) == {"PprofThreadsHigh"}


def test_each_fault_is_told_as_what_it_is(ill: Target, capsys: pytest.CaptureFixture[str]) -> None:
    ill.fault("heap", "html")
    ill.fault("goroutine", "404-unknown")
    ill.fault("profile", "busy")
    ill.fault("allocs", "write-timeout")
    verdicts = checked(capsys, ill.url, code=1)
    assert modes(verdicts, "critical", "warning") == {"F10", "F13", "F14", "F15"}
    assert "3 goroutines" in verdicts["F10"]["said"]
    assert alerts(verdicts["F13"]) == {"PprofDecodeFailing"}
    assert "heap" in verdicts["F13"]["said"]
    assert alerts(verdicts["F14"]) == {"PprofProfilerConflict"}
    (refused,) = verdicts["F15"]["findings"]
    assert all(f"The latest fetch of {name} failed" in refused["said"] for name in ("allocs", "goroutine"))


@pytest.fixture
def busy() -> Iterator[Rewriter]:
    """In front of a program that uses half a processor, also if a dozen others want one: then one profile is a proof.

    The scheduler shares processors by threads that can run, and Go runs as many as there are processors.
    """
    with running(go.build(go.VERSIONS[-1]), environ={"GOMAXPROCS": "16"}) as program:
        program.control("rates", block=1, mutex=1)
        program.control("burn", threads=16)
        with rewriting(program.url) as proxy:
            yield proxy


def test_profiles_without_names_and_thinned_samples_are_told(
    busy: Rewriter, capsys: pytest.CaptureFixture[str]
) -> None:
    busy.change(stripped, *SNAPSHOTS)
    busy.change(thinned(0.4), "profile")
    verdicts = {}
    for window in (6, 12, 60):
        verdicts = checked(capsys, busy.url, f"--scrape.cpu-window={window}s", code=1)
        if verdicts["F1"]["level"] == "critical":
            break
    assert verdicts["F1"]["level"] == "critical", verdicts["F1"]["said"]
    assert alerts(verdicts["F1"]) == {"PprofCpuCoverageLow"}
    assert verdicts["F8"]["level"] == "critical"
    assert modes(verdicts, "critical", "warning") == {"F1", "F8"}


def test_growth_shows_after_enough_rounds(newest: Target, capsys: pytest.CaptureFixture[str]) -> None:
    profiles = "--scrape.profiles=goroutine"
    verdicts = checked(capsys, newest.url, profiles, "--rounds=7", "--every=10ms", code=0)
    assert verdicts["F10"]["level"] == "healthy"


def test_who_is_down_or_is_no_pprof_is_exit_code_2(newest: Target, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    newest.fault("*", "html")
    assert main(["check", *QUICK, "--scrape.timeout=2s", nobody, newest.url, "--fail-on=never"], {}) == 2
    out, _ = capsys.readouterr()
    problems = {target["target"]: target["problem"] for target in json.loads(out)["targets"]}
    assert problems[nobody].startswith("No index page of pprof: ")
    assert "HTML page" in problems[newest.url.removeprefix("http://")]


def test_the_targets_of_a_configuration_file_are_checked(
    newest: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = newest.url.removeprefix("http://")
    config = tmp_path / "config.yaml"
    config.write_text(
        "scrape_configs:\n"
        "  - job_name: shop\n"
        f"    static_configs: [{{targets: ['{address}'], labels: {{service: shop}}}}]\n"
        "    file_sd_configs: [{files: [more.yml]}]\n"
    )
    argv = ["check", *QUICK, *BUSY_MACHINE, "--scrape.profiles=heap", f"--config.file={config}", "--label=team=a"]
    assert main(argv, {}) == 0
    out, err = capsys.readouterr()
    assert err == "pprof-exporter: only static targets are used; discovery of shop does not run here\n"
    assert json.loads(out)["targets"][0]["labels"] == {"service": "shop", "team": "a"}
