"""Addresses, in every notation, to which nobody but the configuration may send a request.

Cloud services at these addresses give credentials to anyone who can make a machine send them a request.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohappyeyeballs import AddrInfoType
from yarl import URL

from pprof_exporter.scrape.client.errors import HttpError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

RESERVED_NETWORKS: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an address of this host or network (RFC 1122)"),
        ("255.255.255.255/32", "the broadcast address"),
        ("224.0.0.0/4", "for multicast (RFC 5771)"),
        # All big clouds have their metadata at 169.254.169.254; AWS has credentials of containers at 169.254.170.2
        # and .23, Scaleway its metadata at 169.254.42.42.
        ("169.254.0.0/16", "link-local (RFC 3927), as cloud metadata services are"),
        # https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
        ("100.100.100.200/32", "the metadata service of Alibaba Cloud"),
        # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        ("168.63.129.16/32", "the host agent of Azure"),
        # Metadata of Oracle Cloud Infrastructure Classic.
        ("192.0.0.192/32", "the metadata service of Oracle Cloud"),
        ("::/128", "the unspecified address"),
        ("ff00::/8", "for multicast (RFC 4291)"),
        ("fe80::/10", "link-local (RFC 4291)"),
        # https://docs.aws.amazon.com/whitepapers/latest/ipv6-on-aws/supporting-amazon-vpc-services.html
        ("fd00:ec2::/32", "a service of AWS, such as its metadata service"),
        # https://cloud.google.com/compute/docs/metadata/querying-metadata
        ("fd20:ce::254/128", "the metadata service of Google Cloud"),
        # https://docs.oracle.com/en-us/iaas/Content/Compute/Tasks/gettingmetadata.htm
        ("fd00:c1::a9fe:a9fe/128", "the metadata service of Oracle Cloud"),
        ("fd00:42::42/128", "the metadata service of Scaleway"),
    )
)
_LOOPBACK: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), "loopback, and so of the exporter's own host") for network in ("127.0.0.0/8", "::1/128")
)

# Networks whose addresses hold an IPv4 address in the last 32 bits, to which a gateway forwards: NAT64 (RFC 6052,
# RFC 8215), IPv4-translated (RFC 2765, section 2.1) and IPv4-compatible addresses (RFC 4291).
_EMBEDDED_IPV4 = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
_REAL_IPV6 = (IPv6Address("::"), IPv6Address("::1"))
# A prefix within the local one of NAT64 may be shorter than 96 bits: then the address stands before its end, around
# eight bits of zero (RFC 6052, section 2.2). How many of its bits stand before these, for 48, 56 and 64 bits.
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_BITS_BEFORE = (16, 8, 0)
# The interface identifiers of ISATAP (RFC 5214, section 6.1), with any prefix; the bit that differs says "global".
_ISATAP = (0x00005EFE, 0x02005EFE)
_NUMBERS = re.compile(r"\d[0-9A-Fa-fxX]*(\.\d[0-9A-Fa-fxX]*){0,3}", re.ASCII)


def forms_of(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 addresses in it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    # Without the zone (`%eth0`), which is not part of the address.
    bare = IPv6Address(int(address))
    if bare.ipv4_mapped is not None:
        # The system connects to the IPv4 address itself.
        yield bare.ipv4_mapped
        return
    yield bare
    if bare.sixtofour is not None:
        yield bare.sixtofour
    if bare.teredo is not None:
        yield from bare.teredo
    if bare in _REAL_IPV6:
        return
    number = int(bare)
    if any(bare in network for network in _EMBEDDED_IPV4) or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)
    if bare in _LOCAL_NAT64:
        for before in _BITS_BEFORE:
            after = 32 - before
            first = (number >> 64) & ((1 << before) - 1)
            yield IPv4Address(first << after | (number >> (56 - after)) & ((1 << after) - 1))


def literal_host(host: str) -> Address | None:
    """The address that the host of a URL names as numbers, in any notation of the C library; None for a name."""
    bare = host.strip("[]").rstrip(".")
    try:
        return ip_address(bare)
    except ValueError:
        pass
    # `0x7f.1`, `2130706433`, `0177.0.0.1`; inet_aton stops reading at white space.
    if _NUMBERS.fullmatch(bare) is None:
        return None
    try:
        return IPv4Address(socket.inet_aton(bare))
    except (OSError, ValueError):
        return None


class RedirectRefused(HttpError):
    """A redirect led to an address that the configured target has nothing to do with."""


class RedirectGuard:
    """Keeps a request with its redirects away from addresses of another kind than that of its target.

    Loopback, link-local and metadata addresses are reached by a redirect only from a target that is configured to be at
    one of the same kind. Everything else is an address like others.
    """

    def __init__(self) -> None:
        self.redirected = False
        self._kinds: set[str] = set()

    def allowed(self, addresses: Sequence[AddrInfoType]) -> list[AddrInfoType]:
        """Those of the addresses to which the request may connect. Raises `RedirectRefused` if it is none."""
        kinds = {address: reserved_for(ip_address(address[4][0])) for address in addresses}
        if not self.redirected:
            self._kinds.update(kinds.values())
            return list(addresses)
        left = [address for address in addresses if kinds[address] in self._kinds or not kinds[address]]
        if not left:
            first = addresses[0]
            raise RedirectRefused(f"{first[4][0]} is {kinds[first]}, and the target is not")
        return left

    def allow_through_proxy(self, url: URL) -> None:
        """The same for a request through a proxy, which resolves names by itself. Raises `RedirectRefused`."""
        address = literal_host(url.host or "")
        if address is None:
            return
        kind = reserved_for(address)
        if not self.redirected:
            self._kinds.add(kind)
        elif kind and kind not in self._kinds:
            raise RedirectRefused(f"{address} is {kind}, and the target is not")


def reserved_for(address: Address) -> str:
    """What an address is reserved for; "" if it is one like others."""
    return next(
        (
            what
            for form in forms_of(address)
            for network, what in (*RESERVED_NETWORKS, *_LOOPBACK)
            if form.version == network.version and form in network
        ),
        "",
    )
