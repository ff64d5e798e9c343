"""The target of a probe, as a stranger may write it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pprof_exporter.config import ANYWHERE, AllowRule, ProbeModule, Target
from pprof_exporter.scrape.probing import BadProbe
from pprof_exporter.scrape.probing.request import read_request

MODULE = ProbeModule("default", {})


def read(text: str, *, service: str = "", everywhere: AllowRule = ANYWHERE, module: ProbeModule = MODULE) -> Target:
    return read_request(text, service, module, everywhere).target


def refused(text: str, *, everywhere: AllowRule = ANYWHERE, module: ProbeModule = MODULE) -> BadProbe:
    with pytest.raises(BadProbe) as caught:
        read(text, everywhere=everywhere, module=module)
    error = caught.value
    assert error.sentence.endswith(".")
    assert len(error.sentence.splitlines()) == 1
    return error


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("shop:6060", "shop:6060", "http://shop:6060/debug/pprof/"),
        ("shop", "shop:80", "http://shop/debug/pprof/"),
        ("Shop.Example.:6060", "shop.example.:6060", "http://shop.example.:6060/debug/pprof/"),
        ("10.0.0.7:6060", "10.0.0.7:6060", "http://10.0.0.7:6060/debug/pprof/"),
        ("[2001:DB8:0::7]:6060", "[2001:db8::7]:6060", "http://[2001:db8::7]:6060/debug/pprof/"),
        ("https://shop", "shop:443", "https://shop/debug/pprof/"),
        ("HTTP://shop:1/", "shop:1", "http://shop:1/debug/pprof/"),
        ("http://shop:1/debug/pprof", "shop:1", "http://shop:1/debug/pprof/"),
        ("http://shop:1/in/debug/pprof/", "shop:1/in/debug/pprof", "http://shop:1/in/debug/pprof/"),
        ("7up.example:1", "7up.example:1", "http://7up.example:1/debug/pprof/"),
        ("xn--bcher-kva.example:1", "bücher.example:1", "http://xn--bcher-kva.example:1/debug/pprof/"),
    ],
)
def test_a_target_is_read_as_everywhere_else(text: str, name: str, url: str) -> None:
    target = read(text)
    assert (target.name, str(target.url)) == (name, url)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "/", "http://", "http:///debug/pprof", "://shop", ":6060", "shop:", "shop:0", "shop:65536"),
        *("shop:6060x", "shop:-1", "shop:+1", "shop:6060:6060", "shop:１", "ftp://shop", "file:///etc/passwd"),
        *("gopher://shop:70", "unix:///run/x.sock", "-shop:1", "sh..op:1", "shop .example:1", "a" * 64 + ":1"),
        *(".".join(["abcdefgh"] * 30) + ":1", "[::1:1", "::1", "[::1%25eth0]:1", "[fe80::1%eth0]:1", "[1.2.3.4]:1"),
        *("[::1]x:1", "a" * 600),
    ],
)
def test_what_is_no_target_is_refused_with_a_sentence(text: str) -> None:
    assert refused(text).status == 400


@pytest.mark.parametrize(
    "text",
    [
        *("2130706433:1", "0x7f000001:1", "0177.0.0.1:1", "127.1:1", "127.0.1:1", "0x7f.1:1", "127.0.0.1.:1", "1:1"),
        *("169.254.169.254.:80", "0xa9.0xfe.0xa9.0xfe:80", "2852039166:80", "0251.0376.0251.0376:80", "256.1.1.1:1"),
        *("1.2.3.4.5:1", "127.0.0.01:1", "a.0x7f:1", "0x:1", "shop.1:1"),
    ],
)
def test_odd_spellings_of_addresses_are_refused(text: str) -> None:
    error = refused(text)
    assert (error.status, "four decimal numbers" in error.sentence) == (400, True)


@pytest.mark.parametrize(
    "text",
    [
        # Full-width and circled digits, and dots of other scripts, which names are made of after normalisation.
        *(
            "１６９.254.169.254:80",
            "①②⑦.0.0.1:1",
            "169。254。169。254:80",
            "ſhop:1",
            "shop\u200b:1",
            "bücher.example:1",
        ),
        *("shop\r\nX-Evil: 1:1", "shop\x00:1", "shop\t:1", "shop:1\n", "http://shop:1\\@evil/", "shop\x7f:1"),
    ],
)
def test_nothing_but_plain_ascii_is_read(text: str) -> None:
    assert refused(text).status == 400


@pytest.mark.parametrize(
    "text",
    [
        *("http://user:hunter2@shop:1/", "user:hunter2@shop:1", "http://shop:1@169.254.169.254/hunter2", "@hunter2"),
        *("http://hunter2%40shop:1@x/", "http://shop:80\\@hunter2:1/"),
    ],
)
def test_user_and_password_are_refused_and_not_repeated(text: str) -> None:
    error = refused(text)
    assert error.status == 400
    assert "hunter2" not in error.sentence


@pytest.mark.parametrize(
    "path",
    [
        *("/debug/pprof/../../admin", "/../debug/pprof", "/./debug/pprof", "/a//debug/pprof", "/%2e%2e/debug/pprof"),
        *("/debug%2fpprof", "/x;/debug/pprof", "/x\\debug\\pprof", "//evil/debug/pprof", "/debug/pprof//"),
    ],
)
def test_a_path_has_one_reading_only(path: str) -> None:
    assert refused(f"http://shop:1{path}").status == 400


@pytest.mark.parametrize("tail", ["?", "?seconds=600", "#", "/debug/pprof/?x", "/#frag", "?a@b"])
def test_a_query_or_fragment_is_refused(tail: str) -> None:
    assert refused(f"http://shop:1{tail}").status == 400


@pytest.mark.parametrize(
    "path", ["/admin", "/latest/meta-data", "/debug/pprof/heap", "/debug/pprof2", "/debug", "/xdebug/pprof", "/metrics"]
)
def test_only_a_mount_of_pprof_is_a_path(path: str) -> None:
    error = refused(f"http://shop:1{path}")
    assert (error.status, "/debug/pprof/" in error.sentence) == (403, True)


def test_the_path_of_the_module_is_allowed_and_is_the_default() -> None:
    module = replace(MODULE, path="/internal/pprof/")
    assert str(read("shop:1", module=module).url) == "http://shop:1/internal/pprof/"
    assert read("http://shop:1/internal/pprof", module=module) == read("shop:1", module=module)
    assert refused("http://shop:1/internal", module=module).status == 403
    assert read("http://shop:1/debug/pprof", module=module).name == "shop:1"


@pytest.mark.parametrize(
    "text",
    [
        *("169.254.169.254", "http://169.254.169.254/debug/pprof", "[fd00:ec2::254]:80", "[::ffff:169.254.169.254]:80"),
        *("[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0:6060", "[::]:6060", "100.100.100.200:80"),
        *("[fe80::1]:1", "224.0.0.1:1", "[2002:a9fe:a9fe::]:80", "168.63.129.16:80"),
    ],
)
def test_an_address_that_is_forbidden_is_refused_before_anything_is_sent(text: str) -> None:
    error = refused(text)
    assert error.status == 403
    assert error.sentence.startswith("This target is not allowed: ")


def test_every_part_of_the_rules_is_asked() -> None:
    rules = AllowRule(("https",), ("*.shop.example", "10.0.0.*"), (ip_network("10.0.0.0/8"),), ((6060, 6069),))
    assert read("https://a.shop.example:6065", everywhere=rules).name == "a.shop.example:6065"
    assert read("https://A.Shop.Example.:6060", everywhere=rules).name == "a.shop.example.:6060"
    for text, word in (
        ("http://a.shop.example:6065", "scheme"),
        ("https://shop.example:6065", "host"),
        ("https://evil.example/a.shop.example", "path"),
        ("https://a.shop.example.evil:6065", "host"),
        ("https://a.shop.example:6070", "port"),
        ("https://a.shop.example", "port"),
        ("https://10.1.0.1:6060", "host"),
    ):
        error = refused(text, everywhere=rules)
        assert (error.status, word in error.sentence) == (403, True), error.sentence


def test_the_rules_of_a_module_come_on_top() -> None:
    narrow = replace(MODULE, allowed=AllowRule(hosts=("shop",)))
    assert read("shop:1", everywhere=AllowRule(hosts=("s*",)), module=narrow).name == "shop:1"
    assert refused("sun:1", everywhere=AllowRule(hosts=("s*",)), module=narrow).status == 403
    assert refused("shop:1", everywhere=AllowRule(hosts=("t*",)), module=narrow).status == 403


@pytest.mark.parametrize("service", ['shop"}', "shop\n", " ", "é", "a" * 201, "-", "a b"])
def test_a_service_is_a_plain_name(service: str) -> None:
    with pytest.raises(BadProbe, match="A service name has"):
        read("shop:1", service=service)


def test_a_service_becomes_a_label() -> None:
    assert read("shop:1", service="team/shop").labels == (("service", "team/shop"),)


def outcome(text: str) -> Target | int:
    try:
        return read(text)
    except BadProbe as error:
        return error.status


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    assert outcome(text) in (400, 403) or read(text).url.path.endswith("/debug/pprof/")


@settings(max_examples=50)
@given(st.from_regex(r"(https?://)?[a-z0-9.\[\]:x-]{1,30}(/[a-z./%]{0,20})?", fullmatch=True))
def test_what_was_read_means_the_same_when_it_is_read_again(text: str) -> None:
    found = outcome(text)
    assert found in (400, 403) or (isinstance(found, Target) and read(str(found.url)).url == found.url)
