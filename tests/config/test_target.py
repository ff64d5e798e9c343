"""How targets are written."""

from __future__ import annotations

import pytest

from pprof_exporter.config import BadTarget, parse_target


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("localhost:6060", "localhost:6060", "http://localhost:6060/debug/pprof/"),
        ("http://localhost:6060", "localhost:6060", "http://localhost:6060/debug/pprof/"),
        ("http://localhost:6060/", "localhost:6060", "http://localhost:6060/debug/pprof/"),
        ("http://localhost:6060/debug/pprof", "localhost:6060", "http://localhost:6060/debug/pprof/"),
        ("https://shop.example", "shop.example:443", "https://shop.example/debug/pprof/"),
        ("https://shop.example/in/pprof/", "shop.example:443/in/pprof", "https://shop.example/in/pprof/"),
        ("[::1]:6060", "[::1]:6060", "http://[::1]:6060/debug/pprof/"),
        ("10.0.0.1", "10.0.0.1:80", "http://10.0.0.1/debug/pprof/"),
        (
            "h:1/proxy/my%2Fservice/debug/pprof",
            "h:1/proxy/my%2Fservice/debug/pprof",
            "http://h:1/proxy/my%2Fservice/debug/pprof/",
        ),
        ("http://h:1/a%20b/%3F/", "h:1/a%20b/%3F", "http://h:1/a%20b/%3F/"),
        ("[fe80::1%eth0]:1", "[fe80::1%eth0]:1", "http://[fe80::1%eth0]:1/debug/pprof/"),
    ],
)
def test_every_spelling_of_a_target_is_understood(text: str, name: str, url: str) -> None:
    target = parse_target(text)
    assert target.name == name
    assert str(target.url) == url


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ftp://shop:21", "http or https"),
        ("http://", "has no host"),
        (":6060", "host"),
        ("shop:99999", "not a target"),
        ("shop:port", "not a target"),
        ("http://shop:6060/debug/pprof?seconds=3", "remove everything"),
        ("http://shop:6060/#top", "remove everything"),
        ("", "has no host"),
        ("[::1]@", r"'\[::1\]@' is not a target: it has no host"),
        ("http://[", "in brackets"),
        ("//", "has no host"),
        ("shop:0", "1 to 65535"),
        ("shop:6060x", "1 to 65535"),
        ("shop\ud800:1", "half a surrogate pair"),
        ("shop:1\x00", "control characters"),
        ("\u2100:1", "not a name that DNS can hold"),
        ("xn--:1", "not a name that DNS can hold"),
        ("http://shop/%zz", "is not an escape"),
        ("a" * 10_000_000, "more than 8192 characters"),
    ],
)
def test_what_is_not_a_target_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadTarget, match=says):
        parse_target(text)


def test_a_refusal_repeats_no_password() -> None:
    with pytest.raises(BadTarget, match="'http://scott:<secret>@shop:x' is not a target"):
        parse_target("http://scott:tiger@shop:x")


def test_credentials_are_neither_in_the_name_nor_in_the_repr() -> None:
    target = parse_target("https://scott:tiger@shop.example:8443")
    assert target.url.password == "tiger"
    assert "tiger" not in target.name + repr(target)


def test_targets_of_one_host_and_port_are_one_process() -> None:
    assert parse_target("shop:1").process == parse_target("http://shop:1/other").process


def test_labels_are_kept_in_order_of_their_names() -> None:
    assert parse_target("shop:1", labels={"b": "2", "a": "1"}).labels == (("a", "1"), ("b", "2"))
