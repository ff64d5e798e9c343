"""Sockets that systemd has opened: taken over by a real process, or refused with a sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pprof_exporter.cli import main
from pprof_exporter.cli.sockets import NoSockets, systemd_sockets

# As systemd does it: the socket is descriptor 3, and LISTEN_PID the process that is then replaced by the program.
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "-m", "pprof_exporter", "127.0.0.1:9", "--web.systemd-socket"])
"""


def test_a_real_process_serves_on_a_socket_that_it_was_given(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, (tmp_path / "log").open("wb") as log:
        port = listening.getsockname()[1]
        number = listening.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", AS_SYSTEMD, str(number)], pass_fds=(number,), stdout=log, stderr=log
        )
        listening.close()
        try:
            # The socket listens from the beginning, so that nothing is refused while the program starts.
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=60) as reply:
                assert reply.status == 200
            process.terminate()
            assert process.wait(60) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    said = (tmp_path / "log").read_text()
    assert f"http://127.0.0.1:{port}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "0", "LISTEN_PID": "7"},
        {"LISTEN_FDS": "x", "LISTEN_PID": "7"},
    ],
)
def test_without_a_socket_for_this_process_it_says_how_to_get_one(environ: dict[str, str]) -> None:
    with pytest.raises(NoSockets, match=r"start the exporter from a \.socket unit"):
        systemd_sockets(environ, 7)


def test_a_descriptor_that_does_not_listen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as idle:
        monkeypatch.setattr("pprof_exporter.cli.sockets._FIRST", os.dup(idle.fileno()))
        with pytest.raises(NoSockets, match="does not listen"):
            systemd_sockets({"LISTEN_FDS": "1", "LISTEN_PID": "7"}, 7)
    reader, writer = os.pipe()
    monkeypatch.setattr("pprof_exporter.cli.sockets._FIRST", reader)
    with pytest.raises(NoSockets, match="is not a socket"):
        systemd_sockets({"LISTEN_FDS": "1", "LISTEN_PID": "7"}, 7)
    os.close(reader)
    os.close(writer)


def test_where_there_is_no_systemd_the_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shop:1", "--web.systemd-socket"], {}) == 2
    assert "systemd passed no socket" in capsys.readouterr().err


# What Windows has not, taken away: SIGHUP, and handlers of the event loop.
AS_WINDOWS = """
import asyncio, signal, sys
del signal.SIGHUP
for kind in (asyncio.SelectorEventLoop, *asyncio.SelectorEventLoop.__mro__):
    if "add_signal_handler" in vars(kind) and kind is not asyncio.AbstractEventLoop:
        del kind.add_signal_handler, kind.remove_signal_handler
asyncio.AbstractEventLoop.add_signal_handler = lambda *_: (_ for _ in ()).throw(NotImplementedError())
sys.modules["uvloop"] = None
from pprof_exporter.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_as_on_windows_it_serves_reloads_when_the_file_changes_and_stops(tmp_path: Path) -> None:
    file, log = tmp_path / "config.yaml", tmp_path / "log"
    file.write_text("scrape_configs: []")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}"]
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", AS_WINDOWS, *arguments], stdout=out, stderr=out)
    try:
        _until(lambda: "listening" in log.read_text(), process)
        file.write_text("scrape_configs: [{job_name: a, static_configs: [{targets: ['127.0.0.1:9']}]}]")
        _until(lambda: "configuration reloaded" in log.read_text(), process)
        process.terminate()
        assert process.wait(60) == 0
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _until(holds: object, process: subprocess.Popen[bytes]) -> None:
    assert callable(holds)
    deadline = time.monotonic() + 90
    while not holds():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
