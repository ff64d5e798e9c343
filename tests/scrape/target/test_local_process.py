"""The process that listens on a port of this machine is found, described, and never taken for its successor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from pprof_exporter.profile import BuildInfo, GoVersion, KnownGoVersion
from pprof_exporter.scrape.target import linux_listeners, local_process
from pprof_exporter.scrape.target.linux_listeners import LinuxListeners
from pprof_exporter.scrape.target.listeners import ConnectionListeners
from pprof_exporter.scrape.target.local_address import is_this_machine, own_addresses
from pprof_exporter.scrape.target.local_process import LocalProcess, LocalProcesses
from tests.lab import free_port
from tests.scrape.fakes import FakeClock

LOCAL = "127.0.0.1"
CHILD = """
import os, socket, sys
port = int(sys.argv[1])
with socket.socket() as listening:
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    print("listens", flush=True)
    command = sys.stdin.readline().split()
if command[:1] == ["exec"]:
    os.execv(command[1], [command[1], *sys.orig_argv[1:]])
print("closed", flush=True)
sys.stdin.readline()
"""


@dataclass(frozen=True, slots=True)
class Child:
    """A process of its own that listens on a port until it is told otherwise."""

    process: subprocess.Popen[str]
    stdin: IO[str]
    stdout: IO[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def tell(self, command: str) -> None:
        """`close` ends listening, `exec PROGRAM` replaces the program by another that listens."""
        self.stdin.write(f"{command}\n")
        self.stdin.flush()
        assert self.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Starts children on a port; the program is Python, or a copy of it."""
    with contextlib.ExitStack() as children:

        def started(port: int, program: Path | str = sys.executable) -> Child:
            process = subprocess.Popen(
                [program, "-S", "-c", CHILD, str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONHOME": sys.base_prefix},
            )
            children.enter_context(process)
            children.callback(process.kill)
            assert process.stdin
            assert process.stdout
            assert process.stdout.readline() == "listens\n"
            return Child(process, process.stdin, process.stdout)

        yield started


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def processes(clock: FakeClock) -> LocalProcesses:
    return LocalProcesses(clock)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever the descriptors of all processes, or the connections of the system, are listed."""
    ways: list[str] = []

    def counted(place: object, name: str) -> None:
        real = getattr(place, name)

        def called(asked: object) -> Any:
            ways.append(name)
            return real(asked)

        monkeypatch.setattr(place, name, called)

    counted(psutil, "net_connections")
    counted(linux_listeners, "find_owners")
    return ways


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Content of the binaries whose build information was read; each is taken for one of Go 1.27.<number>."""
    contents: list[bytes] = []

    def counted(file: Path) -> BuildInfo:
        contents.append(file.read_bytes())
        return BuildInfo(f"go1.27.{len(contents)}")

    monkeypatch.setattr(local_process, "read_build_info", counted)
    return contents


def copied_to(copy: Path, extra: bytes = b"") -> Path:
    """A copy of the interpreter, with more bytes at its end."""
    fresh = copy.with_suffix(".new")
    shutil.copy(Path(sys.executable).resolve(), fresh)
    with fresh.open("ab") as file:
        file.write(extra)
    return fresh.replace(copy)


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def pid_of(found: LocalProcess | None) -> int | None:
    return found.pid if found else None


async def test_the_process_is_described(processes: LocalProcesses, start: Callable[..., Child], port: int) -> None:
    child = start(port)
    known = psutil.Process(child.pid)
    found = await processes.find(LOCAL, port)
    assert found is not None
    assert (found.pid, found.started, found.executable) == (child.pid, known.create_time(), known.exe())
    assert 0 <= found.cpu_seconds <= sum(known.cpu_times()[:2])
    assert found.go == KnownGoVersion(), "Python is no Go program"


async def test_a_restart_is_seen_at_once(processes: LocalProcesses, start: Callable[..., Child], port: int) -> None:
    for _ in range(3):
        child = start(port)
        assert pid_of(await processes.find(LOCAL, port)) == child.pid
        child.end()
        assert await processes.find(LOCAL, port) is None


async def test_a_restart_between_two_looks_is_seen_at_once(
    processes: LocalProcesses, start: Callable[..., Child], port: int
) -> None:
    for _ in range(3):
        child = start(port)
        assert pid_of(await processes.find(LOCAL, port)) == child.pid
        child.end()


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere no system call tells that a socket was closed")
async def test_a_port_that_another_process_took_is_seen_at_once(
    processes: LocalProcesses, start: Callable[..., Child], port: int
) -> None:
    first = start(port)
    assert pid_of(await processes.find(LOCAL, port)) == first.pid
    first.tell("close")
    assert await processes.find(LOCAL, port) is None
    second = start(port)
    assert pid_of(await processes.find(LOCAL, port)) == second.pid
    assert first.process.poll() is None


async def test_a_process_that_waits_for_its_parent_does_not_listen(
    processes: LocalProcesses, start: Callable[..., Child], port: int
) -> None:
    child = start(port)
    assert await processes.find(LOCAL, port) is not None
    child.process.kill()
    await asyncio.to_thread(os.waitid, os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert await processes.find(LOCAL, port) is None


@pytest.mark.parametrize("fresh", [False, True])
async def test_sockets_are_listed_once_while_the_process_runs(
    processes: LocalProcesses,
    start: Callable[..., Child],
    port: int,
    lists: list[str],
    clock: FakeClock,
    *,
    fresh: bool,
) -> None:
    child = start(port)
    for _ in range(500):
        assert pid_of(await processes.find(LOCAL, port, fresh=fresh)) == child.pid
        clock.time += 17
    assert len(lists) == 1


async def test_sockets_are_listed_once_for_each_process_after_it(
    processes: LocalProcesses, start: Callable[..., Child], port: int, lists: list[str], clock: FakeClock
) -> None:
    for number in range(1, 4):
        child = start(port)
        for _ in range(20):
            assert pid_of(await processes.find(LOCAL, port)) == child.pid
            clock.time += 60
        assert len(lists) == number
        child.end()
        for _ in range(20):
            assert await processes.find(LOCAL, port) is None
            clock.time += 60
        assert len(lists) == number, "a port without a socket needs no search"


async def test_many_targets_share_a_list(processes: LocalProcesses, lists: list[str]) -> None:
    with contextlib.ExitStack() as sockets:
        servers = [sockets.enter_context(socket.create_server((LOCAL, 0))) for _ in range(20)]
        ports = [port_of(server) for server in servers]
        found = await asyncio.gather(*(processes.find(LOCAL, port) for port in ports * 10))
    assert {pid_of(one) for one in found} == {os.getpid()}
    assert len(lists) == 1


async def test_a_list_is_not_believed_about_a_process_that_ended_since(
    processes: LocalProcesses, start: Callable[..., Child], port: int
) -> None:
    child = start(port)
    with socket.create_server((LOCAL, 0)) as other:
        assert pid_of(await processes.find(LOCAL, port_of(other))) == os.getpid()
        child.end()
        restarted = start(port)
        assert pid_of(await processes.find(LOCAL, port)) == restarted.pid


async def test_two_processes_on_one_port_are_seen_within_a_minute(
    processes: LocalProcesses, start: Callable[..., Child], port: int, clock: FakeClock
) -> None:
    child = start(port)
    assert pid_of(await processes.find(LOCAL, port)) == child.pid
    start(port)
    clock.time += 60
    assert await processes.find(LOCAL, port) is None
    child.end()
    assert await processes.find(LOCAL, port) is not None


async def test_the_start_does_not_move_with_the_clock_of_the_system(
    processes: LocalProcesses, start: Callable[..., Child], port: int, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(port)
    before = await processes.find(LOCAL, port)
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 1)
    clock.time += 61
    after = await processes.find(LOCAL, port)
    assert before is not None
    assert after is not None
    assert before.started == after.started


async def test_the_build_of_a_file_is_read_once(
    processes: LocalProcesses, start: Callable[..., Child], tmp_path: Path, reads: list[bytes]
) -> None:
    program = copied_to(tmp_path / "program")
    for _ in range(2):
        port = free_port()
        child = start(port, program)
        for _ in range(3):
            found = await processes.find(LOCAL, port)
            assert found is not None
            assert found.executable == str(program)
            assert found.go.exact == GoVersion(1, 27, 1)
        child.end()
    assert len(reads) == 1


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the file that runs cannot be opened after it was replaced")
async def test_a_file_that_was_replaced_describes_the_next_process_alone(
    processes: LocalProcesses, start: Callable[..., Child], port: int, tmp_path: Path, reads: list[bytes]
) -> None:
    program = copied_to(tmp_path / "program", b"old")
    old = start(port, program)
    copied_to(program, b"new")
    found = await processes.find(LOCAL, port)
    assert found is not None
    assert (found.pid, found.executable, found.go.exact) == (old.pid, str(program), GoVersion(1, 27, 1))
    old.end()
    new = start(port, program)
    found = await processes.find(LOCAL, port)
    assert found is not None
    assert (found.pid, found.executable, found.go.exact) == (new.pid, str(program), GoVersion(1, 27, 2))
    assert [content[-3:] for content in reads] == [b"old", b"new"]


async def test_a_process_that_replaced_its_program_has_the_new_one(
    processes: LocalProcesses, start: Callable[..., Child], port: int, tmp_path: Path, reads: list[bytes]
) -> None:
    child = start(port, copied_to(tmp_path / "first", b"first"))
    before = await processes.find(LOCAL, port)
    child.tell(f"exec {copied_to(tmp_path / 'second', b'second')}")
    after = await processes.find(LOCAL, port)
    assert before is not None
    assert after is not None
    assert (before.pid, before.started) == (after.pid, after.started)
    assert Path(after.executable).name == "second"
    assert after.go.exact == GoVersion(1, 27, 2)
    assert [content.endswith(b"second") for content in reads] == [False, True]


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a process keeps its program, or its file cannot be replaced")
async def test_a_program_that_was_replaced_at_its_path_is_seen_within_a_minute(
    processes: LocalProcesses,
    start: Callable[..., Child],
    port: int,
    tmp_path: Path,
    reads: list[bytes],
    clock: FakeClock,
) -> None:
    program = copied_to(tmp_path / "program", b"old")
    child = start(port, program)
    before = await processes.find(LOCAL, port)
    child.tell(f"exec {copied_to(program, b'new')}")
    clock.time += 61
    after = await processes.find(LOCAL, port)
    assert before is not None
    assert after is not None
    assert (before.pid, before.executable) == (after.pid, after.executable)
    assert (before.go.exact, after.go.exact) == (GoVersion(1, 27, 1), GoVersion(1, 27, 2))
    assert [content[-3:] for content in reads] == [b"old", b"new"]


async def test_a_binary_that_cannot_be_read_has_no_version(
    processes: LocalProcesses, start: Callable[..., Child], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_file: Path) -> None:
        raise PermissionError

    start(port)
    monkeypatch.setattr(local_process, "read_build_info", denied)
    found = await processes.find(LOCAL, port)
    assert found is not None
    assert found.executable
    assert found.go == KnownGoVersion()


@pytest.mark.skipif(not psutil.LINUX, reason="the links of /proc are of Linux")
async def test_a_process_whose_links_are_not_shown_has_no_program(
    processes: LocalProcesses, start: Callable[..., Child], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.readlink

    def denied(path: str) -> str:
        if path.endswith("/exe"):
            raise PermissionError
        return real(path)

    child = start(port)
    monkeypatch.setattr(os, "readlink", denied)
    for _ in range(2):
        found = await processes.find(LOCAL, port)
        assert found is not None
        assert (found.pid, found.executable, found.go) == (child.pid, "", KnownGoVersion())


@pytest.mark.parametrize("name", ["Process.cpu_times", "Process.create_time"])
@pytest.mark.parametrize(
    "error", [psutil.AccessDenied(1), psutil.NoSuchProcess(1), psutil.ZombieProcess(1), PermissionError()]
)
async def test_what_the_system_denies_is_unknown(
    processes: LocalProcesses,
    start: Callable[..., Child],
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: Exception,
) -> None:
    def denied(*_arguments: object) -> None:
        raise error

    child = start(port)
    with monkeypatch.context() as patch:
        patch.setattr(f"psutil.{name}", denied)
        assert await processes.find(LOCAL, port) is None
    assert pid_of(await processes.find(LOCAL, port)) == child.pid


@pytest.mark.parametrize(
    "error", [psutil.AccessDenied(1), psutil.NoSuchProcess(1), psutil.ZombieProcess(1), PermissionError()]
)
async def test_sockets_that_the_system_does_not_list_are_unknown(
    clock: FakeClock, start: Callable[..., Child], port: int, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def denied(*_arguments: object) -> None:
        raise error

    child = start(port)
    for listeners, listing in (
        (LinuxListeners(clock), (linux_listeners, "find_owners")),
        (ConnectionListeners(clock), (psutil, "net_connections")),
    ):
        processes = LocalProcesses(clock, listeners)
        with monkeypatch.context() as patch:
            patch.setattr(*listing, denied)
            assert await processes.find(LOCAL, port) is None
        assert pid_of(await processes.find(LOCAL, port)) == child.pid


@pytest.mark.skipif(not psutil.LINUX, reason="only on Linux is every address of 127.0.0.0/8 there")
@pytest.mark.parametrize("listeners", [LinuxListeners, ConnectionListeners])
async def test_targets_on_one_port_of_several_addresses_have_their_own_process(
    clock: FakeClock, start: Callable[..., Child], port: int, listeners: type[LinuxListeners | ConnectionListeners]
) -> None:
    processes = LocalProcesses(clock, listeners(clock))
    with socket.create_server(("127.0.0.2", port)):
        child = start(port)
        for _ in range(2):
            assert pid_of(await processes.find("127.0.0.2", port)) == os.getpid()
            assert pid_of(await processes.find(LOCAL, port)) == child.pid
            assert await processes.find("127.0.0.3", port) is None


@pytest.fixture
def threads(processes: LocalProcesses, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Grows with each search in a thread."""
    searched: list[tuple[str, int]] = []
    real = processes._search

    def counted(place: tuple[str, int], *, fresh: bool) -> object:
        searched.append(place)
        return real(place, fresh=fresh)

    monkeypatch.setattr(processes, "_search", counted)
    return searched


async def test_a_process_that_was_found_takes_no_thread(
    processes: LocalProcesses, start: Callable[..., Child], port: int, threads: list[tuple[str, int]], clock: FakeClock
) -> None:
    child = start(port)
    for _ in range(5):
        assert pid_of(await processes.find(LOCAL, port)) == child.pid
        clock.time += 30 if psutil.LINUX else 100
    assert threads == [(LOCAL, port)]
    assert pid_of(await processes.find(LOCAL, port, fresh=True)) == child.pid
    assert threads == [(LOCAL, port)] * 2


async def test_a_search_for_one_target_holds_up_no_other(
    processes: LocalProcesses, start: Callable[..., Child], port: int, clock: FakeClock
) -> None:
    child = start(port)
    assert pid_of(await processes.find(LOCAL, port)) == child.pid
    clock.time += processes._listeners.look_again_after
    with processes._searching:
        assert pid_of(await asyncio.wait_for(processes.find(LOCAL, port), 5)) == child.pid


async def test_no_more_processes_are_remembered_than_are_monitored(
    processes: LocalProcesses, start: Callable[..., Child], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_process, "_MAX_OWNERS", 2)
    start(port)
    with socket.create_server(("", 0)) as server:
        for number in range(1, 9):
            assert pid_of(await processes.find(f"127.0.0.{number}", port_of(server))) == os.getpid()
    assert len(processes._owners) == 2


async def test_other_machines_have_no_local_process(
    processes: LocalProcesses, start: Callable[..., Child], port: int, lists: list[str]
) -> None:
    start(port)
    assert await processes.find("shop.example", port) is None
    assert await processes.find("203.0.113.77", port) is None
    assert lists == []


async def test_without_the_addresses_of_this_machine_nothing_is_known(
    processes: LocalProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(psutil, "net_if_addrs", refused)
    assert await processes.find("203.0.113.77", 6060) is None


def test_every_address_of_this_machine_is_here() -> None:
    entries = [entry for entries in psutil.net_if_addrs().values() for entry in entries]
    own = [entry.address for entry in entries if entry.family in (socket.AF_INET, socket.AF_INET6)]
    assert own
    assert all(is_this_machine(address, own_addresses) for address in own)
    assert not is_this_machine("203.0.113.77", own_addresses)


async def test_the_addresses_of_this_machine_are_listed_once_a_minute(
    processes: LocalProcesses, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[float] = []

    def interfaces() -> dict[str, list[Any]]:
        listed.append(clock.time)
        return {}

    monkeypatch.setattr(psutil, "net_if_addrs", interfaces)
    for _ in range(120):
        assert await processes.find("203.0.113.77", 6060) is None
        assert await processes.find(LOCAL, free_port()) is None
        clock.time += 1
    assert len(listed) == 2
