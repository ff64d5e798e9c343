"""An exporter without file descriptors judges no target by that, answers its pages, and says so in some lines."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.servers import Servers, healthy, serving
from tests.lab import exporter
from tests.lab.exporter import Exporter, Scrape

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.0/8 is this machine, and limits are inherited")
SILENT = 60
PATIENCE = 300.0
LINES = 60
CHECK = """
import resource, socket, sys
from pprof_exporter.cli import main
from pprof_exporter.scrape.client.dialer import Dialer

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken, opened = [], Dialer._open

def exhaust(self, address):
    try:
        while True:
            taken.append(socket.socket())
    except OSError:
        return opened(self, address)

Dialer._open = exhaust
sys.exit(main(["check", sys.argv[1]]))
"""


@pytest.fixture
def servers() -> Iterator[Servers]:
    with serving() as servers:
        yield servers


@pytest.fixture
def silent() -> Iterator[list[str]]:
    """Targets that take connections and never answer: the system does so for who never accepts."""
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 - every address of loopback is a host of its own
        listener.listen(4096)
        port = listener.getsockname()[1]
        yield [f"127.0.0.{host}:{port}" for host in range(2, 2 + SILENT)]


def limited(soft: int, hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the next process begin with these limits of open files."""
    import resource  # noqa: PLC0415 - only on Unix

    started = subprocess.Popen

    def start(command: list[str], **how: object) -> object:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        return started(command, preexec_fn=limit, **how)  # type: ignore[call-overload] # whatever it was given

    monkeypatch.setattr(subprocess, "Popen", start)


def _wait_for_a_place(program: Exporter) -> None:
    """Until the exporter has noticed that clients have gone, a new one may be cut."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            program.get("/-/healthy")
        except OSError:
            assert time.monotonic() < deadline, program.log
            time.sleep(0.1)
        else:
            return


def up(now: Scrape, targets: list[str]) -> bool:
    return all(now.value("pprof_up", target=target) == 1 for target in targets)


def fetched(now: Scrape, target: str) -> float:
    return now.value("pprof_fetches_total", target=target, profile="index", outcome="success") or 0


def goes_on(program: Exporter, targets: list[str]) -> Scrape:
    """The healthy targets are up and fetched again and again, and the page answers meanwhile."""
    before = program.wait_for(lambda now: up(now, targets), within=PATIENCE)
    again = {target: fetched(before, target) + 1 for target in targets}
    slowest = 0.0
    deadline = time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        now = program.scrape()
        slowest = max(slowest, time.monotonic() - began)
        # A machine that does something else may let a request time out, but none fails for lack of a descriptor.
        assert not any(now.find("pprof_fetch_failures_total", target=target, reason="connect") for target in targets)
        if all(fetched(now, target) >= number for target, number in again.items()):
            break
        assert time.monotonic() < deadline, program.log
        time.sleep(0.1)
    # Some milliseconds on a machine of its own; this one may have other work. Without a descriptor there is no reply.
    assert slowest < 30
    return program.wait_for(lambda now: up(now, targets), within=PATIENCE)


@pytest.mark.parametrize(("soft", "hard"), [(48, 20_000), (48, 48)])
def test_healthy_targets_stay_up_beside_many_that_hang(
    servers: Servers, silent: list[str], monkeypatch: pytest.MonkeyPatch, soft: int, hard: int
) -> None:
    good = [servers.start(healthy) for _ in range(2)]
    limited(soft, hard, monkeypatch)
    # A busy machine lets the event loop stand for a second, which would count as a connection that took too long.
    flags = ("--scrape.interval=5s", "--scrape.timeout=5s", "--scrape.profiles=heap", "--log.level=error")
    with exporter.running(*good, *silent, *flags) as program:
        now = goes_on(program, good)
        assert now.value("process_max_fds") == hard
        assert now.value("pprof_exporter_internal_errors_total") == 0
        assert "Traceback" not in program.log
        assert len(program.log.splitlines()) < LINES


def test_clients_that_hold_more_connections_than_there_are_descriptors_take_none_from_targets(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = [servers.start(healthy) for _ in range(2)]
    limited(48, 48, monkeypatch)
    with exporter.running(*good, "--scrape.interval=1s", "--log.level=error") as program:
        program.wait_for(lambda now: up(now, good), within=PATIENCE)
        host, _, port = program.url.removeprefix("http://").partition(":")
        clients = [socket.create_connection((host, int(port)), timeout=60) for _ in range(200)]
        time.sleep(1)
        for client in clients:
            client.close()
        _wait_for_a_place(program)
        now = goes_on(program, good)
        assert now.value("pprof_exporter_internal_errors_total") == 0
        assert "Traceback" not in program.log
        assert len(program.log.splitlines()) < LINES


def test_check_says_that_it_could_not_look_and_names_the_limit(servers: Servers) -> None:
    command = [sys.executable, "-c", CHECK, servers.start(healthy)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    said = " ".join((ended.stdout + ended.stderr).split())
    assert ended.returncode == 2, said
    assert "no file descriptors are free" in said
    assert "the limit of open files is 64" in said
    assert "Traceback" not in said
