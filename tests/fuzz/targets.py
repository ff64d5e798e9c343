"""Addresses of targets, as flags, lists of targets and relabelling give them, and where redirects lead."""

from __future__ import annotations

from random import Random

from pprof_exporter.config import BadTarget, parse_target
from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import below, parse_reference, parse_url
from pprof_exporter.scrape.client.dialer import tls_name
from pprof_exporter.scrape.client.http_client import HttpRequest, request_bytes
from pprof_exporter.scrape.client.route import Route
from tests.fuzz import nasty
from tests.fuzz.grammar import Grammar

_USUAL = (
    ("", "", "localhost", ":6060", "", ""),
    ("http://", "", "10.0.0.1", ":6060", "/debug/pprof/", ""),
    ("https://", "scott:tiger@", "shop.example", "", "/proxy/my%2Fservice/debug/pprof", ""),
    ("", "", "[::1]", ":6060", "/", ""),
)
_SCHEMES = ("", "", "http://", "https://", "HTTP://", "ftp://", "//", "://", "http:", "http:///")
_USERS = ("", "", "", "scott:tiger@", "@", ":@", "a:b:c@", "%40:%2F@", "[::1]@")
_HOSTS = (
    *("localhost", "10.0.0.1", "[::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[::ffff:0:a9fe:a9fe]", "[", "]", "[]"),
    *("[::1", "::1", "bücher.example", "xn--", "xn--a", "a..b", ".", "-", "_", "\u2100", "ａ.example", "a" * 300),
    *("1.2.3.4.5", "0x7f.1", "[v1.x]", "[::1]x", "*", "a b", "host.", "%41", "\u00ad", "ß", "\u0660"),
)
_PORTS = (":6060", "", ":", ":0", ":99999", ":6060x", ":-1", ":+1", ":٦٠", ":00080", ":" + "9" * 5000, ": 1", ":1:2")
_PATHS = ("", "/", "/debug/pprof/", "/a%2Fb/", "/a%20b", "/a b", "/%zz", "/../x", "//x", "/é", "/a%ff", "/;x", "/\x00")
_ENDS = ("", "", "", "?a=b", "#x", "?", "#", "\n", " ")


def _generate(random: Random) -> bytes:
    parts = [
        usual if random.random() < 0.75 else nasty.text(random, options)
        for usual, options in zip(random.choice(_USUAL), (_SCHEMES, _USERS, _HOSTS, _PORTS, _PATHS, _ENDS), strict=True)
    ]
    if random.random() < 0.05:
        random.shuffle(parts)
    return "".join(parts).encode("utf-8", "surrogatepass")


def _read(case: bytes) -> None:
    target = parse_target(case.decode("utf-8", "surrogatepass"))
    # What is shown and sent can be encoded.
    f"{target.name} {target.url} {target.process}".encode()


_LOCATIONS = ("/a%2Fb", "b?c=d", "//other/x", "?q", "#top", "../..", ".", "http:x", "a:b", "///", "/\\", "[", "@", ";")
_BASE = parse_url("http://scott:tiger@h:1/x%2Fy/z?q=1")


def _location(random: Random) -> bytes:
    if random.random() < 0.4:
        return _generate(random)
    parts = [nasty.text(random, _LOCATIONS) for _ in range(random.randint(1, 3))]
    return "".join(parts).encode("utf-8", "surrogatepass")


def _read_location(case: bytes) -> None:
    url = parse_reference(_BASE, case.decode("utf-8", "surrogatepass"))
    # What the client sends, and what it looks at before, which yarl computes when it is first asked.
    request_bytes(HttpRequest(url.with_user(None), Route()))
    f"{url.origin() == _BASE.origin()} {url.host} {url.port} {tls_name(url)} {below(url, 'heap')}".encode()


GRAMMARS = (
    Grammar("targets", _generate, _read, (BadTarget,)),
    Grammar("redirects", _location, _read_location, (BadUrl,)),
)
