"""Addresses, in every notation, to which a probe connects only if the configuration allows them.

Cloud services at these addresses give credentials to anyone who can make a machine send them a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from pprof_exporter.config import AllowRule

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FORBIDDEN: tuple[tuple[Network, str], ...] = tuple(
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

# Networks whose addresses hold an IPv4 address in the last 32 bits, to which a gateway forwards: NAT64 (RFC 6052,
# RFC 8215) and IPv4-compatible addresses (RFC 4291).
_EMBEDDED_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
_REAL_IPV6 = (IPv6Address("::"), IPv6Address("::1"))


def why_forbidden(address: Address, rules: tuple[AllowRule, ...]) -> str | None:
    """Why a probe may not connect to an address, as a sentence without a full stop; None if it may.

    Every rule must allow the address. A forbidden address needs a network in the rules that is not larger than the
    forbidden one: 0.0.0.0/0 does not allow 169.254.169.254.
    """
    forms = tuple(_forms(address))
    named = [network for rule in rules for network in rule.networks]
    for form in forms:
        for forbidden, what in _FORBIDDEN:
            if form in forbidden and not any(form in one and one.prefixlen >= forbidden.prefixlen for one in named):
                return f"{address} is {what}"
    if any(rule.networks and not any(form in one for form in forms for one in rule.networks) for rule in rules):
        return f"{address} is not in the allowed networks"
    return None


def _forms(address: Address) -> Iterator[Address]:
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
    if bare not in _REAL_IPV6 and any(bare in network for network in _EMBEDDED_IPV4):
        yield IPv4Address(int(bare) & 0xFFFFFFFF)
