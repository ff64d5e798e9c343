"""Where a probe really connects, whatever a name resolves to and a redirect says."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_network
from typing import Any

import pytest
from aiohappyeyeballs import AddrInfoType
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import ANYWHERE, AllowRule, Authorization, ClientSettings, Secret
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter
from pprof_exporter.scrape.probing.probe_client import ProbeClient
from pprof_exporter.scrape.probing.probe_log import ProbeLog
from pprof_exporter.scrape.probing.sockets import AddressGuard, guard_connections, guarded_socket
from tests.scrape.client.test_fetcher import HEAD, Server, sends, serving

HELLO = sends(HEAD + b"Content-Length: 5\r\n\r\nhello")


class Resolver:
    """Answers each question with the next list of addresses, and then with the last."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int) -> list[AddrInfoType]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [_resolved(address, port) for address in addresses]


def _resolved(address: str, port: int) -> AddrInfoType:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port)


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(SystemClock(), max_bytes=100_000, socket_factory=guarded_socket)


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Addresses to which a connection was tried."""
    tried: list[Any] = []
    loop = asyncio.SelectorEventLoop
    real = loop.sock_connect

    async def connect(self: asyncio.SelectorEventLoop, sock: socket.socket, address: Any) -> None:
        tried.append(address)
        await real(self, sock, address)

    monkeypatch.setattr(loop, "sock_connect", connect)
    return tried


def resolving(fetcher: Fetcher, *answers: list[str]) -> None:
    fetcher.dialer.resolver = Resolver(*answers)


async def get(fetcher: Getter, url: URL | str, *rules: AllowRule) -> bytes:
    """The body that a probe with these rules gets."""
    clock = SystemClock()
    client = ProbeClient(fetcher, clock)
    client.log, client.guard, client.deadline = ProbeLog(clock), AddressGuard(rules or (ANYWHERE,)), clock.steady() + 5
    with guard_connections(client.guard):
        return (await client.get(URL(url), timeout=5)).body


async def reason(fetcher: Fetcher, url: URL | str, *rules: AllowRule) -> Reason:
    with pytest.raises(FetchError) as caught:
        await get(fetcher, url, *rules)
    return caught.value.reason


def named(server: Server) -> URL:
    """The server under a name that only the resolver of a test knows."""
    return server.url.with_host("shop.example")


async def test_an_allowed_address_is_connected_to(fetcher: Fetcher, connects: list[Any]) -> None:
    async with serving(HELLO) as server:
        assert await get(fetcher, server.url) == b"hello"
    assert [address[0] for address in connects] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "0.1.2.3", "fe80::1", "::"],
)
async def test_a_name_that_resolves_to_a_forbidden_address_is_not_connected_to(
    fetcher: Fetcher, connects: list[Any], address: str
) -> None:
    resolving(fetcher, [address])
    assert await reason(fetcher, "http://metadata.example/debug/pprof/") is Reason.FORBIDDEN
    assert connects == []


async def test_a_name_that_resolves_to_something_else_the_second_time_gains_nothing(
    fetcher: Fetcher, connects: list[Any]
) -> None:
    resolving(fetcher, ["127.0.0.1"], ["169.254.169.254"])
    async with serving(HELLO) as server:
        assert await get(fetcher, named(server)) == b"hello"
        assert await reason(fetcher, named(server)) is Reason.FORBIDDEN
    assert {address[0] for address in connects} == {"127.0.0.1"}


async def test_of_several_addresses_only_the_allowed_ones_are_tried(fetcher: Fetcher, connects: list[Any]) -> None:
    resolving(fetcher, ["169.254.169.254", "fd00:ec2::254", "127.0.0.1"])
    async with serving(HELLO) as server:
        assert await get(fetcher, named(server)) == b"hello"
    assert {address[0] for address in connects} == {"127.0.0.1"}


async def test_several_addresses_that_are_all_forbidden_are_none(fetcher: Fetcher, connects: list[Any]) -> None:
    resolving(fetcher, ["169.254.169.254", "fd00:ec2::254", "fe80::1"])
    assert await reason(fetcher, "http://metadata.example/debug/pprof/") is Reason.FORBIDDEN
    assert connects == []


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"])
async def test_an_odd_spelling_that_got_this_far_leads_nowhere(
    fetcher: Fetcher, connects: list[Any], host: str
) -> None:
    """Some systems resolve these, as numbers."""
    assert await reason(fetcher, f"http://{host}/debug/pprof/") in (Reason.FORBIDDEN, Reason.RESOLVE, Reason.CONNECT)
    assert connects == []


async def test_networks_hold_for_what_a_name_resolves_to(fetcher: Fetcher, connects: list[Any]) -> None:
    rules = AllowRule(networks=(ip_network("10.0.0.0/8"),))
    async with serving(HELLO) as server:
        resolving(fetcher, ["127.0.0.1"])
        assert await reason(fetcher, named(server), rules) is Reason.FORBIDDEN
    assert connects == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(fetcher: Fetcher, connects: list[Any], status: int) -> None:
    async with serving(HELLO) as elsewhere:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with serving(sends(moved)) as server:
            assert await reason(fetcher, server.url) is Reason.HTTP_3XX
        assert elsewhere.requests == []
    assert len(connects) == 1


async def test_credentials_go_where_a_probe_may_go_and_nowhere_else(fetcher: Fetcher) -> None:
    asking = fetcher.bind(ClientSettings(auth=Authorization("Bearer", Secret("token"))))
    async with serving(HELLO) as server:
        assert await get(asking, server.url, AllowRule(networks=(ip_network("127.0.0.0/8"),))) == b"hello"
        assert "Authorization: Bearer token" in server.requests[0]
        resolving(fetcher, ["127.0.0.1"])
        with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
            await get(asking, named(server), AllowRule(networks=(ip_network("10.0.0.0/8"),)))
        assert len(server.requests) == 1


def test_what_is_no_address_is_refused_whoever_let_it_pass() -> None:
    guard = AddressGuard((ANYWHERE,))
    with guard_connections(guard), pytest.raises(PermissionError):
        guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("2852039166", 80)))
    assert guard.refused == "2852039166 is not an address"


async def test_without_rules_nothing_is_connected_to(fetcher: Fetcher, connects: list[Any]) -> None:
    async with serving(HELLO) as server:
        with pytest.raises(FetchError):
            await fetcher.get(server.url, timeout=5)
    assert connects == []


async def test_a_connection_that_is_refused_is_not_called_forbidden(fetcher: Fetcher) -> None:
    async with serving(HELLO) as server:
        gone = server.url
    assert await reason(fetcher, gone) is Reason.CONNECT
