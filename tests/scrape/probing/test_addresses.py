"""Addresses to which no probe connects, in all the forms that lead there."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.config import ANYWHERE, AllowRule
from pprof_exporter.scrape.probing.addresses import why_forbidden

METADATA = IPv4Address("169.254.169.254")
FORBIDDEN = [
    "0.0.0.0",  # noqa: S104
    *("0.1.2.3", "255.255.255.255", "224.0.0.1", "239.255.255.250"),
    *("169.254.169.254", "169.254.170.2", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("::", "ff02::1", "fe80::1", "fe80::1%eth0", "febf::1"),
    *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42"),
]
FINE = ["127.0.0.1", "10.0.0.7", "192.168.1.1", "100.64.0.1", "203.0.113.9", "::1", "fd12:3456::1", "2001:db8::1"]


def named(*networks: str) -> AllowRule:
    return AllowRule(networks=tuple(ip_network(network) for network in networks))


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_has_to_be_named_is_refused(address: str) -> None:
    problem = why_forbidden(ip_address(address), (ANYWHERE,))
    assert problem is not None
    assert problem.startswith(f"{ip_address(address)} is ")


@pytest.mark.parametrize("address", FINE)
def test_other_addresses_are_fine(address: str) -> None:
    assert why_forbidden(ip_address(address), (ANYWHERE, ANYWHERE)) is None


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "::ffff:0:169.254.169.254",
        "::ffff:0:a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        # NAT64 under prefixes of 48, 56 and 64 bits (RFC 6052, section 2.2).
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:12a9:fe:a9fe::",
        "64:ff9b:1:1:a9:fea9:fe00:0",
        # ISATAP, local and global.
        "fd12::5efe:169.254.169.254",
        "2001:db8::200:5efe:a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        # Teredo holds the address of its client inverted.
        "2001:0:cb00:7101:0:0:5601:5601",
        "::ffff:0.0.0.0",
        "::ffff:224.0.0.1",
    ],
)
def test_no_form_of_ipv6_hides_an_ipv4_address(address: str) -> None:
    assert why_forbidden(IPv6Address(address), (ANYWHERE,)) is not None


@given(st.sampled_from([METADATA, IPv4Address("100.100.100.200"), IPv4Address("168.63.129.16")]), st.data())
def test_no_bits_around_it_hide_a_metadata_address(address: IPv4Address, data: st.DataObject) -> None:
    number = int(address)
    low = data.draw(st.integers(0, 2**80 - 1))
    forms = (
        int(IPv6Address("::ffff:0:0")) + number,
        int(IPv6Address("64:ff9b::")) + number,
        int(IPv6Address("64:ff9b:1::")) + (low >> 32 << 32) + number,
        int(IPv6Address("2002::")) + (number << 80) + low,
        int(IPv6Address("2001::")) + (low << 16 & 0xFFFFFFFFFFFFFFFF << 32) + (number ^ 0xFFFFFFFF),
    )
    for form in forms:
        assert why_forbidden(IPv6Address(form), (ANYWHERE,)) is not None, IPv6Address(form)


def test_only_a_network_as_narrow_as_the_forbidden_one_allows_it() -> None:
    assert why_forbidden(METADATA, (named("0.0.0.0/0"),)) is not None
    assert why_forbidden(METADATA, (named("169.0.0.0/8"),)) is not None
    assert why_forbidden(METADATA, (named("169.254.0.0/16"),)) is None
    assert why_forbidden(IPv4Address("169.254.9.9"), (named("169.254.9.0/24"),)) is None
    assert why_forbidden(IPv6Address("fd00:ec2::254"), (named("fd00::/8"),)) is not None
    assert why_forbidden(IPv6Address("fe80::7"), (named("fe80::/64"),)) is None


def test_a_name_for_one_form_allows_no_other() -> None:
    assert why_forbidden(IPv6Address("2002:a9fe:a9fe::1"), (named("2002::/16"),)) is not None


def test_with_networks_only_those_are_allowed_and_every_rule_must_agree() -> None:
    ten, narrow = named("10.0.0.0/8"), named("10.1.0.0/16", "::1/128")
    inside, outside = IPv4Address("10.1.0.1"), IPv4Address("10.2.0.1")
    assert why_forbidden(inside, (ten, narrow)) is None
    assert why_forbidden(outside, (ten, ANYWHERE)) is None
    assert why_forbidden(outside, (ten, narrow)) == "10.2.0.1 is not in the allowed networks"
    assert why_forbidden(IPv6Address("::1"), (ten, narrow)) is not None


def test_a_mapped_address_is_in_the_network_of_the_address_that_it_stands_for() -> None:
    mapped = IPv6Address("::ffff:10.1.2.3")
    assert why_forbidden(mapped, (named("10.0.0.0/8"),)) is None
    assert why_forbidden(mapped, (named("192.168.0.0/16"),)) is not None


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_and_its_mapped_form_are_judged_alike(number: int) -> None:
    plain, mapped = IPv4Address(number), IPv6Address(number + (0xFFFF << 32))
    assert (why_forbidden(plain, (ANYWHERE,)) is None) == (why_forbidden(mapped, (ANYWHERE,)) is None)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_not_allowed_by_name_is_never_an_error(address: IPv4Address | IPv6Address) -> None:
    everything = AllowRule(networks=(IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
    assert (why_forbidden(address, (ANYWHERE,)) is None) == (why_forbidden(address, (everything,)) is None)
