"""`capture` of real programs: what is on disk is what was seen, an interrupted one goes on, a matrix leaves nobody."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pprof_exporter.capture.format import CAPTURE_VERSION, read_manifest, read_rounds
from pprof_exporter.capture.reader import load_capture
from pprof_exporter.capture.recorder import recorded_round
from pprof_exporter.capture.recording_client import RecordingClient
from pprof_exporter.capture.replay import RecordingStore, Replay
from pprof_exporter.capture.writer import CaptureWriter, target_entries
from pprof_exporter.cli import main
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import ProfileSettings, Settings, parse_target
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.profile import KINDS, decode
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.round import Round
from pprof_exporter.verdicts import snapshot_of, verdicts
from tests.lab import free_port, go
from tests.lab.target import Target

QUICK = ("--scrape.cpu-window=1s", "--scrape.timeout=60s")
LOAD = Path(__file__).parents[1] / "capture" / "load.py"


@pytest.fixture
def busy(newest: Target) -> Target:
    newest.control("reset")
    newest.control("burn", threads=1)
    newest.fault("allocs", "html")
    newest.fault("block", "503")
    return newest


async def test_a_capture_read_back_says_what_was_seen_live(busy: Target, tmp_path: Path) -> None:
    clock, store = SystemClock(), RecordingStore()
    settings = Settings((), default_profiles(), timeout=60, audit=0.0)
    settings.profiles["cpu"] = ProfileSettings(60, 3)
    target = parse_target(busy.url)
    (entry,) = target_entries([(target.name, {})])
    writer = CaptureWriter(tmp_path, [entry], exporter="0.1.0", created="now")
    fetcher = Fetcher(clock, max_bytes=settings.limits.wire_bytes)
    recording_client = RecordingClient(fetcher, target, settings, clock)
    round_ = Round(
        target, settings, getter=recording_client, clock=clock, limiter=FetchLimiter(settings.limits), store=store
    )
    recording_client.follow(round_)
    lives = []
    for number in range(2):
        recording_client.start_round()
        at = clock.now()
        await round_.run()
        writer.write(entry, recorded_round(number, at, round_.state, recording_client), recording_client.bodies)
        lives.append(store.take_medians())

    (recorded,) = load_capture(tmp_path).targets
    for live, replayed in zip(lives, recorded.rounds, strict=True):
        assert {"fetch_duration_seconds:heap", "canary_duration_seconds:rest"} <= live.keys()
        assert live == {name: pytest.approx(replayed.signals[name]) for name in live}
        assert replayed.signals["profiled_goroutines"] > 0
        assert replayed.audit is not None
        assert {"heap", "cpu", "goroutine"} <= replayed.files.keys()
        assert not {"allocs", "block"} & replayed.files.keys()
    identity = round_.state.identity
    assert (recorded.fingerprint, recorded.system, recorded.go_version) == (
        identity.fingerprint,
        identity.system,
        identity.go_version,
    )
    replay = Replay(target.name, {})
    for round_raw in read_rounds(tmp_path / entry.folder, CAPTURE_VERSION):
        replay.replay_round(round_raw, tmp_path / entry.folder)
    lived = verdicts(snapshot_of(round_.state, replay.now))
    read = verdicts(snapshot_of(replay.state, replay.now))
    # F19 is of the time for which the target was profiled, which a recording does not tell.
    assert [one for one in read if one.failure_mode.id != "F19"] == [
        one for one in lived if one.failure_mode.id != "F19"
    ]


def test_an_interrupted_capture_goes_on(busy: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["capture", busy.url, "-o", str(tmp_path / "out"), "--rounds=3", "--every=10ms", *QUICK]
    program = subprocess.Popen(
        [sys.executable, "-m", "pprof_exporter", *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for(lambda: list(tmp_path.glob("out/*/rounds.jsonl")))
        program.send_signal(signal.SIGINT)
        said, _ = program.communicate(timeout=60)
    finally:
        program.kill()
        program.wait()
    assert program.returncode == 130, said
    assert "interrupted; run the same command again" in said
    assert "Traceback" not in said
    (before,) = load_capture(tmp_path / "out").targets
    assert 1 <= len(before.rounds) < 3

    assert main(argv, {}) == 0
    assert "3 rounds of" in capsys.readouterr().out
    (after,) = load_capture(tmp_path / "out").targets
    assert after.rounds[: len(before.rounds)] == before.rounds
    assert len(after.rounds) == 3
    for round_ in after.rounds:
        for kind, file in round_.files.items():
            if kind in KINDS:
                decode(file.read_bytes())
    assert not list((tmp_path / "out").rglob("*.part"))


def test_single_failures_are_recorded_and_a_target_that_is_down_is_exit_code_2(
    busy: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    argv = [busy.url, nobody, "--rounds=1", "--scrape.profiles=heap,allocs,block,memstats", *QUICK]
    assert main(["capture", *argv, "-o", str(tmp_path)], {}) == 2
    assert f"{nobody}: No index page of pprof" in capsys.readouterr().err
    manifest = read_manifest(tmp_path)
    up, down = (read_rounds(tmp_path / target.folder, CAPTURE_VERSION)[0] for target in manifest.targets)
    outcomes = {fetch.profile: (str(fetch.outcome), str(fetch.reason or "")) for fetch in up.fetches}
    assert outcomes["heap"] == ("success", "")
    assert outcomes["allocs"] == ("failure", "html")
    assert outcomes["block"] == ("failure", "http_5xx")
    assert [fetch.profile for fetch in down.fetches] == ["index"]


def test_a_matrix_starts_loads_records_and_ends_each_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    start = [str(go.build(go.VERSIONS[-1])), "-listen", address]
    matrix = tmp_path / "matrix.yaml"
    document = {
        "rounds": 1,
        "warm_up": "100ms",
        "load": [sys.executable, str(LOAD), "{target}"],
        "versions": [[sys.executable, "--version"]],
        "entries": [
            {"name": "one", "start": start, "target": address, "env": {"GOMAXPROCS": 1}, "labels": {"build": "a"}},
            # The shell is the leader, and the program its child.
            {
                "name": "two",
                "start": {"shell": " ".join(start) + " & wait"},
                "target": address,
                "env": {"GOMAXPROCS": 2},
            },
            {"name": "gone", "start": [str(tmp_path / "no-such-program")], "target": address},
            {"name": "brief", "start": [sys.executable, "-c", "raise SystemExit('no port')"], "target": address},
        ],
    }
    matrix.write_text(yaml.safe_dump(document))
    out = tmp_path / "out"
    argv = ["capture", "--matrix", str(matrix), "-o", str(out), "--scrape.profiles=heap,cpu", *QUICK]
    assert main(argv, {}) == 2
    err = capsys.readouterr().err
    assert "gone: " in err
    assert "no-such-program: No such file or directory" in err
    assert "brief: the program ended with exit code 1; see its output in" in err
    assert (out / "brief" / "start.log").read_text().strip() == "no port"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=5)

    one, two, *_ = read_manifest(out).targets
    assert one.labels == {"build": "a"}
    assert one.about is not None
    assert one.about["env GOMAXPROCS"] == "1"
    assert one.about["load"].endswith(f"load.py {address}")
    assert re.fullmatch(r"Python 3[.\d]+\S*", next(text for name, text in one.about.items() if "version of" in name))
    for entry, processors in ((one, 1), (two, 2)):
        page = (out / entry.folder / "0000" / "metrics.txt").read_text()
        assert f"go_sched_gomaxprocs_threads {processors}" in page


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
