"""Owners of ports are found from few lists of sockets, and a remembered one is never believed after it ended."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pprof_exporter.scrape.target import linux_listeners, sock_diag
from pprof_exporter.scrape.target.linux_listeners import LinuxListeners, find_owners
from pprof_exporter.scrape.target.listeners import ConnectionListeners, Listener, Listeners
from pprof_exporter.scrape.target.local_address import address_bytes, listening_on
from pprof_exporter.scrape.target.sock_diag import listening_sockets
from tests.lab import free_port
from tests.scrape.fakes import FakeClock

LINUX = pytest.mark.skipif(not psutil.LINUX, reason="/proc is of Linux")
HOST = "127.0.0.1"
THIS = os.getpid()

Counted = list[object]


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as server:
        yield server


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Grows with each search through the descriptors of all processes."""
    calls: Counted = []

    def counted(inodes: set[int]) -> dict[int, Listener]:
        calls.append(inodes)
        return find_owners(inodes)

    monkeypatch.setattr(linux_listeners, "find_owners", counted)
    return calls


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Grows with each list of all connections."""
    calls: Counted = []
    real = psutil.net_connections

    def counted(kind: str) -> object:
        calls.append(kind)
        return real(kind)

    monkeypatch.setattr(psutil, "net_connections", counted)
    return calls


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def pid_of(listeners: Listeners, port: int, host: str = HOST, *, fresh: bool = False) -> int | None:
    owner = listeners.owner(host, port, fresh=fresh)
    return owner.pid if owner else None


def accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def connection(port: int, pid: int | None) -> object:
    """A socket that listens, as psutil describes it."""
    return SimpleNamespace(fd=-1, laddr=SimpleNamespace(ip=HOST, port=port), status=psutil.CONN_LISTEN, pid=pid)


@LINUX
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_proc_names_the_owner_of_a_port(clock: FakeClock, family: socket.AddressFamily) -> None:
    if family is socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6")
    with socket.create_server(("", 0), family=family) as server:
        found = LinuxListeners(clock).owner(HOST, port_of(server), fresh=False)
        inode = os.fstat(server.fileno()).st_ino
        assert found == Listener(THIS, server.fileno(), f"socket:[{inode}]")
        assert found.still_listens()
    assert not found.still_listens()


@LINUX
@pytest.mark.parametrize("kind", [LinuxListeners, ConnectionListeners])
@pytest.mark.parametrize(
    ("bound", "served"),
    [
        ("127.0.0.1", {"127.0.0.1", "localhost"}),
        ("127.8.8.8", {"127.8.8.8"}),
        ("0.0.0.0", {"127.0.0.1", "127.8.8.8", "localhost"}),  # noqa: S104
        ("::1", {"::1", "0:0:0:0:0:0:0:1", "localhost"}),
        ("::", {"::1", "0:0:0:0:0:0:0:1", "127.0.0.1", "127.8.8.8", "localhost"}),
        ("::ffff:127.0.0.1", {"127.0.0.1", "localhost"}),
    ],
)
def test_a_socket_gets_the_connections_to_its_address(
    clock: FakeClock, kind: type[LinuxListeners | ConnectionListeners], bound: str, served: set[str]
) -> None:
    family = socket.AF_INET6 if ":" in bound else socket.AF_INET
    if family is socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6")
    with socket.socket(family) as server:
        if family is socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((bound, 0))
        server.listen()
        for host in ("127.0.0.1", "127.8.8.8", "::1", "0:0:0:0:0:0:0:1", "localhost"):
            assert pid_of(kind(clock), port_of(server), host) == (THIS if host in served else None)
            if host != "localhost":
                assert accepts(host, port_of(server)) == (host in served), "as the kernel does"


@LINUX
def test_the_socket_of_an_address_goes_before_one_of_all() -> None:
    bound = {
        (bytes(16), 6060): ["all"],
        (bytes(4), 6060): ["all of IPv4"],
        (address_bytes("127.0.0.2"), 6060): ["this"],
    }
    assert listening_on(bound, "127.0.0.2", 6060) == ["this"]
    assert listening_on(bound, "127.0.0.3", 6060) == ["all of IPv4"]
    assert listening_on(bound, "::1", 6060) == ["all"]
    assert listening_on(bound, "127.0.0.2", 6061) == []


@LINUX
def test_connections_are_no_listeners(clock: FakeClock, listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()) as client:
        assert pid_of(LinuxListeners(clock), port_of(client)) is None
        assert pid_of(LinuxListeners(clock), port_of(listening)) == THIS


@LINUX
def test_one_search_is_for_all_ports(clock: FakeClock, searches: Counted) -> None:
    servers = [socket.create_server((HOST, 0)) for _ in range(50)]
    try:
        listeners = LinuxListeners(clock)
        for _ in range(20):
            assert {pid_of(listeners, port_of(server)) for server in servers} == {THIS}
            clock.time += 30
        assert len(searches) == 1
    finally:
        for server in servers:
            server.close()


@LINUX
def test_a_new_target_takes_one_more_search(clock: FakeClock, listening: socket.socket, searches: Counted) -> None:
    listeners = LinuxListeners(clock)
    assert pid_of(listeners, port_of(listening)) == THIS
    with socket.create_server((HOST, 0)) as other:
        for _ in range(10):
            assert pid_of(listeners, port_of(other)) == THIS
            assert pid_of(listeners, port_of(listening)) == THIS
            clock.time += 30
    assert len(searches) == 2


@LINUX
def test_a_port_without_a_socket_takes_no_search_and_is_found_at_once_later(
    clock: FakeClock, listening: socket.socket, searches: Counted
) -> None:
    listeners, port = LinuxListeners(clock), free_port()
    assert pid_of(listeners, port_of(listening)) == THIS
    for _ in range(100):
        assert pid_of(listeners, port) is None
        clock.time += 1
    assert len(searches) == 1
    with socket.create_server((HOST, port)):
        assert pid_of(listeners, port) == THIS


@LINUX
def test_a_socket_of_another_user_is_searched_ever_more_seldom(
    clock: FakeClock, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: Counted = []

    def invisible(inodes: set[int]) -> dict[int, Listener]:
        searches.append(inodes)
        return {}

    listeners = LinuxListeners(clock)
    with monkeypatch.context() as patch:
        patch.setattr(linux_listeners, "find_owners", invisible)
        for _ in range(24 * 6):
            assert pid_of(listeners, port_of(listening)) is None
            clock.time += 600
    assert len(searches) <= 30, "ever more seldom, up to once an hour in a day"
    clock.time += 3600
    assert pid_of(listeners, port_of(listening)) == THIS


@LINUX
def test_another_search_does_not_lengthen_the_wait(
    clock: FakeClock, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = os.fstat(listening.fileno()).st_ino

    def partly(inodes: set[int]) -> dict[int, Listener]:
        return {inode: owner for inode, owner in find_owners(inodes).items() if inode != hidden}

    listeners = LinuxListeners(clock)
    with monkeypatch.context() as patch:
        patch.setattr(linux_listeners, "find_owners", partly)
        assert pid_of(listeners, port_of(listening)) is None
        for _ in range(10):
            with socket.create_server((HOST, 0)) as other:
                assert pid_of(listeners, port_of(other)) == THIS
    clock.time += 60
    assert pid_of(listeners, port_of(listening)) == THIS


@LINUX
def test_a_closed_socket_is_forgotten(clock: FakeClock) -> None:
    listeners = LinuxListeners(clock)
    ports = []
    for _ in range(5):
        with socket.create_server((HOST, 0)) as server:
            ports.append(port_of(server))
            assert pid_of(listeners, ports[-1]) == THIS
    assert [pid_of(listeners, port) for port in ports] == [None] * 5
    assert not {port for _, port in listeners._inodes} & set(ports)
    assert listeners._owners.keys() <= listeners._all_inodes()


@LINUX
def test_several_sockets_of_one_process_are_one_owner(clock: FakeClock) -> None:
    port = free_port()
    with (
        socket.create_server((HOST, port), reuse_port=True),
        socket.create_server((HOST, port), reuse_port=True),
    ):
        assert pid_of(LinuxListeners(clock), port) == THIS


@LINUX
@pytest.mark.parametrize("missing", ["", "tcp6"], ids=["both tables", "without IPv6"])
def test_without_socket_diagnostics_the_tables_tell(
    clock: FakeClock, listening: socket.socket, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refused(*_arguments: object) -> None:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    by_diagnostics = listening_sockets()
    monkeypatch.setattr(sock_diag, "_ask", refused)
    tables = tuple(table for table in sock_diag._TABLES if table.name != missing)
    monkeypatch.setattr(sock_diag, "_TABLES", (*tables, *([Path("/proc/net/tcp7")] if missing else [])))
    port = port_of(listening)
    endpoint = address_bytes(HOST), port
    assert listening_sockets()[endpoint] == by_diagnostics[endpoint] == [os.fstat(listening.fileno()).st_ino]
    with socket.create_connection(listening.getsockname()) as client:
        assert pid_of(LinuxListeners(clock), port_of(client)) is None
        assert pid_of(LinuxListeners(clock), port) == THIS


@LINUX
def test_a_kernel_without_diagnostics_of_a_protocol_says_so() -> None:
    with pytest.raises(OSError, match="no socket diagnostics"):
        list(sock_diag._ask(socket.AF_APPLETALK))


@LINUX
def test_the_sockets_of_many_replies_are_read(clock: FakeClock) -> None:
    with contextlib.ExitStack() as sockets:
        servers = [sockets.enter_context(socket.create_server((HOST, 0))) for _ in range(700)]
        found = listening_sockets()
        assert all(found[address_bytes(HOST), port_of(one)] == [os.fstat(one.fileno()).st_ino] for one in servers)


def test_connections_are_listed_once_while_a_process_runs(
    clock: FakeClock, listening: socket.socket, lists: Counted
) -> None:
    listeners = ConnectionListeners(clock)
    with socket.create_server((HOST, 0)) as other:
        for _ in range(100):
            assert {pid_of(listeners, port_of(server)) for server in (listening, other)} == {THIS}
            clock.time += 0.04
    assert len(lists) == 1
    assert listeners.look_again_after == 600


def test_a_port_without_a_listener_is_looked_up_ever_more_seldom(clock: FakeClock, lists: Counted) -> None:
    listeners, port = ConnectionListeners(clock), free_port()
    for _ in range(3600):
        assert pid_of(listeners, port) is None
        clock.time += 1
    assert len(lists) == 4 + 59, "after 5, 10, 20, 40 s, then once a minute"


def test_many_ports_without_a_listener_share_the_lists(clock: FakeClock, lists: Counted) -> None:
    listeners = ConnectionListeners(clock)
    for _ in range(60):
        assert {pid_of(listeners, port) for port in range(1, 9)} == {None}
        clock.time += 60
    assert len(lists) <= 60


@pytest.mark.parametrize("came_up", [False, True], ids=["alone", "with the target"])
def test_a_service_that_starts_later_is_found_soon(clock: FakeClock, lists: Counted, *, came_up: bool) -> None:
    listeners, port = ConnectionListeners(clock), free_port()
    for _ in range(100):
        assert pid_of(listeners, port) is None
        clock.time += 60
    with socket.create_server((HOST, port)):
        clock.time += 2 if came_up else 60
        assert pid_of(listeners, port, fresh=came_up) == THIS


def test_a_process_that_ended_is_looked_up_at_once(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "LINUX", False)
    pids = {6060: 900, 6061: 901}
    lists: Counted = []

    def listed(_kind: str) -> list[object]:
        lists.append(pids.copy())
        return [connection(port, pid) for port, pid in pids.items()]

    monkeypatch.setattr(psutil, "net_connections", listed)
    monkeypatch.setattr(psutil, "pid_exists", lambda pid: pid in pids.values())
    listeners = ConnectionListeners(clock)
    assert pid_of(listeners, 6060) == 900
    pids.update({6060: 950, 6061: 951})
    assert (pid_of(listeners, 6060), pid_of(listeners, 6061)) == (950, 951)
    assert len(lists) == 2


@pytest.mark.parametrize("pids", [(900, 901), (900, None)], ids=["two", "one is hidden"])
def test_two_processes_on_one_port_are_no_owner(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, pids: tuple[int | None, ...]
) -> None:
    monkeypatch.setattr(psutil, "net_connections", lambda _kind: [connection(6060, pid) for pid in pids])
    monkeypatch.setattr(psutil, "pid_exists", lambda _pid: True)
    assert pid_of(ConnectionListeners(clock), 6060) is None


def test_a_process_of_another_user_is_unknown(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    lists: Counted = []

    def listed(_kind: str) -> list[object]:
        lists.append(None)
        return [connection(6060, None)]

    monkeypatch.setattr(psutil, "net_connections", listed)
    listeners = ConnectionListeners(clock)
    assert pid_of(listeners, 6060) is None


@LINUX
def test_processes_that_end_during_a_search_are_left_out(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[str], list[str]] = os.listdir
    inode = os.fstat(listening.fileno()).st_ino
    monkeypatch.setattr(os, "listdir", lambda path: [*real(path), "4194305"] if path == "/proc" else real(path))
    assert find_owners({inode})[inode].pid == THIS
