"""A redirect leads to no address that the configured target has nothing to do with, whatever notation it is in."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from aiohappyeyeballs import AddrInfoType
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.config import ClientSettings
from pprof_exporter.config.proxy import Proxy
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.dialer import literal_address
from pprof_exporter.scrape.client.reserved_addresses import RedirectGuard, RedirectRefused, literal_host, reserved_for
from tests.scrape.client.servers import failure, get, serving, to

FOLLOWING = ClientSettings(follow_redirects=True)
FAR = "192.0.2.7"
"""An address like others, where a server of a test seems to be."""
METADATA = "169.254.169.254"


class Names:
    """A name server with one address for each name; other hosts are resolved by the system."""

    def __init__(self, **names: str) -> None:
        self.names = {name.replace("_", "."): address for name, address in names.items()}

    async def resolve(self, host: str, port: int) -> list[AddrInfoType]:
        if host in self.names:
            return literal_address(self.names[host], port)
        return [*await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses to which a connection was tried. What goes to `FAR` reaches loopback; nothing leaves the machine."""
    addresses: list[str] = []
    loop = asyncio.SelectorEventLoop
    real = loop.sock_connect

    async def connect(self: asyncio.SelectorEventLoop, sock: socket.socket, address: Any) -> None:
        addresses.append(address[0])
        here = "127.0.0.1" if address[0] == FAR else address[0]
        if not ip_address(here).is_loopback:
            raise OSError("no test leaves this machine")
        await real(self, sock, (here, *address[1:]))

    monkeypatch.setattr(loop, "sock_connect", connect)
    return addresses


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"),
        *(METADATA, "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[fe80::1]", "[fd00:ec2::254]"),
        *("[::ffff:0:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[::]", "100.100.100.200"),
        "0.0.0.0",  # noqa: S104 - a URL, not bound
        *("inside.example", "inside.example.", "metadata.example"),
    ],
)
async def test_a_far_target_cannot_send_a_fetch_to_the_exporters_own_host_or_link(
    fetcher: Fetcher, tried: list[str], host: str
) -> None:
    fetcher.dialer.resolver = Names(
        shop_example=FAR, inside_example="127.0.0.1", inside_example_="127.0.0.1", metadata_example=METADATA
    )
    async with serving() as server, serving() as secret:
        server.replies[server.url.path] = to(f"http://{host}:{secret.url.port}/latest/meta-data/")
        error = await failure(fetcher, FOLLOWING, server.url.with_host("shop.example"))
    assert error.reason is Reason.HTTP_3XX
    assert "and the target is not" in error.detail or "which is not an http or https URL" in error.detail
    assert tried == [FAR]
    assert secret.asked == []


async def test_a_redirect_between_hosts_like_others_is_followed(fetcher: Fetcher, tried: list[str]) -> None:
    fetcher.dialer.resolver = Names(shop_example=FAR, other_example=FAR)
    async with serving() as server:
        server.replies[server.url.path] = to(f"http://other.example:{server.url.port}/there")
        assert await get(fetcher, FOLLOWING, server.url.with_host("shop.example")) == b"here"
    assert tried == [FAR, FAR]


async def test_a_local_target_may_redirect_to_its_own_host_and_outwards(fetcher: Fetcher, tried: list[str]) -> None:
    fetcher.dialer.resolver = Names(shop_example=FAR)
    async with serving() as server:
        server.replies[server.url.path] = to(f"http://localhost:{server.url.port}/a")
        server.replies["/a"] = to(f"http://shop.example:{server.url.port}/b")
        assert await get(fetcher, FOLLOWING, server.url) == b"here"
    assert tried[-1] == FAR


async def test_a_local_target_cannot_redirect_to_metadata(fetcher: Fetcher, tried: list[str]) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to(f"http://{METADATA}/latest/")
        error = await failure(fetcher, FOLLOWING, server.url)
    assert error.detail == (
        "HTTP 302: http://169.254.169.254/latest/, which is not followed: 169.254.169.254 is link-local (RFC 3927), as "
        "cloud metadata services are, and the target is not"
    )
    assert tried == ["127.0.0.1"]


async def test_of_a_name_with_several_addresses_only_those_like_the_target_are_tried() -> None:
    guard = RedirectGuard()
    assert guard.allowed(literal_address(FAR, 80)) == literal_address(FAR, 80)
    guard.redirected = True
    mixed = [*literal_address(METADATA, 80), *literal_address("192.0.2.8", 80), *literal_address("::1", 80)]
    assert guard.allowed(mixed) == literal_address("192.0.2.8", 80)


async def test_through_a_proxy_a_redirect_to_a_literal_address_is_refused_too(
    fetcher: Fetcher, tried: list[str]
) -> None:
    async with serving() as proxy:
        settings = ClientSettings(follow_redirects=True, proxy=Proxy(proxy.url.origin()))
        proxy.replies["/debug/pprof/heap"] = to("http://0xa9fea9fe/latest/")
        error = await failure(fetcher, settings, URL("http://shop.example/debug/pprof/heap"))
    assert "169.254.169.254 is link-local" in error.detail
    assert len(proxy.asked) == 1


def test_a_proxy_that_is_asked_for_its_own_kind_is_asked() -> None:
    guard = RedirectGuard()
    guard.allow_through_proxy(URL("http://127.0.0.1/"))
    guard.redirected = True
    guard.allow_through_proxy(URL("http://127.1/"))
    guard.allow_through_proxy(URL("http://shop.example/"))
    with pytest.raises(RedirectRefused):
        guard.allow_through_proxy(URL("http://[fe80::1]/"))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        *(("127.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("017700000001", "127.0.0.1")),
        *(("169.254.169.254.", METADATA), ("[::1]", "::1"), ("[fe80::1%eth0]", "fe80::1%eth0")),
        *(("shop.example", None), ("1password.example", None), ("", None), ("4294967296", None), ("1.2.3.4.5", None)),
    ],
)
def test_numbers_that_name_a_host_are_read_as_the_c_library_reads_them(host: str, address: str | None) -> None:
    assert literal_host(host) == (ip_address(address) if address else None)


@given(st.sampled_from([METADATA, "127.0.0.1", "100.100.100.200", "168.63.129.16", "0.0.0.0"]), st.data())  # noqa: S104
def test_no_bits_around_it_make_a_reserved_address_one_like_others(text: str, data: st.DataObject) -> None:
    number = int(IPv4Address(text))
    high, low = data.draw(st.integers(0, 2**64 - 1)), data.draw(st.integers(0, 2**80 - 1))
    nat64 = int(IPv6Address("64:ff9b:1::"))
    forms = (
        int(IPv6Address("::ffff:0:0")) + number,
        int(IPv6Address("::ffff:0:0:0")) + number,
        int(IPv6Address("64:ff9b::")) + number,
        int(IPv6Address("2002::")) + (number << 80) + low,
        int(IPv6Address("2001::")) + (low << 16 & 0xFFFFFFFFFFFFFFFF << 32) + (number ^ 0xFFFFFFFF),
        (high << 64) + (0x5EFE << 32) + number,
        (high << 64) + (0x02005EFE << 32) + number,
        nat64 + (low >> 32 << 32) + number,
        nat64 + ((number >> 16) << 64) + ((number & 0xFFFF) << 40) + low % 2**40,
        nat64 + ((number >> 24) << 64) + ((number & 0xFFFFFF) << 32) + low % 2**32,
        nat64 + (number << 24) + low % 2**24,
    )
    for form in forms:
        assert reserved_for(IPv6Address(form)), IPv6Address(form)
