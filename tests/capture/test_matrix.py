"""The file of a matrix names the line of an error; what it starts is ended with all that it started."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import psutil
import pytest

from pprof_exporter.capture.matrix import MatrixCommand, load_matrix
from pprof_exporter.capture.processes import CannotStart, ProcessSetup, command_output, running_process
from pprof_exporter.cli import main
from pprof_exporter.config import ConfigError

GOOD = """\
rounds: 2
load: hey -z 1h 'http://{target}/a b'
entries:
  - name: one
    start: {shell: "ulimit -n 100; exec ./service"}
    target: 127.0.0.1:6060
    env: {GOMAXPROCS: 2}
    warm_up: 1m
  - name: two
    start: [./service, --quiet]
    target: http://127.0.0.1:6061/internal/pprof
    load: {shell: "hey http://{target}/"}
"""
POSIX = pytest.mark.skipif(os.name != "posix", reason="groups of processes are of POSIX")


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "matrix.yaml"
    file.write_text(text)
    return file


def test_a_matrix_is_read_as_it_is_written(tmp_path: Path) -> None:
    matrix = load_matrix(written(tmp_path, GOOD))
    one, two = matrix.entries
    assert one.start.shell == "ulimit -n 100; exec ./service"
    assert one.env == {"GOMAXPROCS": "2"}
    assert two.start.words == ("./service", "--quiet")
    assert matrix.load_of(one) == MatrixCommand(words=("hey", "-z", "1h", "http://127.0.0.1:6060/a b"))
    load = matrix.load_of(two)
    assert load is not None
    assert (load.shell, load.words) == ("hey http://127.0.0.1:6061/", ())
    assert (matrix.warm_up_of(one), matrix.warm_up_of(two)) == (60, 5)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("    warm_up: 1m", "    warmup: 1m", ":8: entries.0.warmup: unknown key; did you mean 'warm_up'?"),
        ("name: two", "name: one", "two entries have the name 'one'"),
        ("127.0.0.1:6060", "ftp://shop", ":6: entries.0.target: 'ftp://shop' is not a target: the scheme must be"),
        ("[./service, --quiet]", "[]", ":10: entries.1.start: write a command as text"),
        ("[./service, --quiet]", "./service 'a", ":10: entries.1.start: no closing quotation"),
        ("rounds: 2", "rounds: 0", ":1: rounds:"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, before: str, after: str, words: str) -> None:
    assert before in GOOD
    with pytest.raises(ConfigError) as refused:
        load_matrix(written(tmp_path, GOOD.replace(before, after, 1)))
    assert words in str(refused.value)


def test_a_matrix_names_its_targets_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, GOOD)
    assert main(["capture", "shop:1", "--matrix", str(file), "-o", str(tmp_path / "out")], {}) == 2
    assert "--matrix contains its own targets" in capsys.readouterr().err


def test_a_capture_needs_a_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "-o", str(tmp_path / "out")], {}) == 2
    assert "no targets" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@POSIX
async def test_what_ignores_a_request_to_end_and_its_children_are_ended(tmp_path: Path) -> None:
    place = ProcessSetup(tmp_path, {"WORD": "from the entry"}, tmp_path / "log")
    stubborn = MatrixCommand(words=("sh", "-c", "trap '' TERM; sleep 300 & echo $! $WORD; wait; sleep 300"))
    async with running_process(stubborn, place, stop_within=0.2):
        while not (tmp_path / "log").read_text().endswith("\n"):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
        child, _, word = (tmp_path / "log").read_text().strip().partition(" ")
        assert word == "from the entry"
        assert psutil.pid_exists(int(child))
    async with asyncio.timeout(60):
        # The system takes its time, and who adopts orphans may leave them as zombies.
        while _lives(int(child)):  # noqa: ASYNC110 - nobody tells of a grandchild
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@POSIX
async def test_a_cancelled_capture_ends_what_it_started(tmp_path: Path) -> None:
    pids: list[int] = []
    started = asyncio.Event()

    async def work() -> None:
        async with running_process(
            MatrixCommand(words=("sleep", "300")), ProcessSetup(tmp_path, {}, tmp_path / "log"), 5
        ) as process:
            pids.append(process.pid)
            started.set()
            await asyncio.sleep(300)

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not _lives(pids[0])


async def test_a_version_is_what_a_command_prints_and_a_failure_is_told(tmp_path: Path) -> None:
    place = ProcessSetup(tmp_path, {}, tmp_path / "log")
    assert (await command_output(MatrixCommand(words=(sys.executable, "--version")), place)).startswith("Python 3")
    with pytest.raises(CannotStart, match=r"exit code 3: no$"):
        await command_output(MatrixCommand(words=(sys.executable, "-c", "print('no'); raise SystemExit(3)")), place)
    with pytest.raises(CannotStart, match="no-such-program"):
        await command_output(MatrixCommand(words=("no-such-program",)), place)
