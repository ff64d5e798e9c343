"""URLs: a path is sent as it is written, and what is no URL is refused in a sentence."""

from __future__ import annotations

import pytest

from pprof_exporter.inputs.url_characters import BadUrl, shown
from pprof_exporter.inputs.urls import below, parse_reference, parse_url


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("http://h/a%2Fb", "/a%2Fb"),
        ("http://h/a%2fb/%7E", "/a%2fb/%7E"),
        ("http://h", "/"),
        ("http://h/a b/é", "/a%20b/%C3%A9"),
        ("http://h/a/../b//c", "/a/../b//c"),
        ("http://h/x?a=b%2Fc&d=/", "/x?a=b%2Fc&d=/"),
        ("http://h/x#y", "/x"),
    ],
)
def test_a_path_is_sent_as_it_is_written(text: str, sent: str) -> None:
    assert parse_url(text).raw_path_qs == sent


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("h:6060", "begin with http"),
        ("ftp://h", "http or https"),
        ("http://", "no host"),
        ("http://@", "no host"),
        ("http://[::1]@", "no host"),
        ("http://[", "in brackets"),
        ("http://[x]/", "no IPv6 address"),
        ("http://[fe80::1%]/", "no IPv6 address"),
        ("http://h:0/", "1 to 65535"),
        ("http://h:99999/", "1 to 65535"),
        ("http://h:6060x/", "1 to 65535"),
        ("http://h:" + "9" * 5_000, "1 to 65535"),
        ("http://h:\u0661/", "1 to 65535"),
        ("http://\u2100/", "DNS can hold"),
        ("http://" + "ä" * 100 + "/", "DNS can hold"),
        ("http://" + "a" * 64 + "/", "not a name"),
        ("http://a..b/", "not a name"),
        ("http://a b/", "not a name"),
        ("http://h/%zz", "'%zz' is not an escape"),
        ("http://h/%", "'%' is not an escape"),
        ("http://h/\x00", "control characters"),
        ("http://h/\ud800", "surrogate"),
        ("http://h/" + "a" * 10_000_000, "more than 8192 characters"),
    ],
)
def test_what_is_no_url_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(BadUrl, match=says) as caught:
        parse_url(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/a%2Fb", "http://h:1/a%2Fb"),
        ("b%2Fc", "http://h:1/x/b%2Fc"),
        ("?q=%2F", "http://h:1/x/y?q=%2F"),
        ("//other/z", "http://other/z"),
        ("https://u:p@other/a%2Fb", "https://u:p@other/a%2Fb"),
        ("../z", "http://h:1/z"),
        ("", "http://h:1/x/y"),
        ("#top", "http://h:1/x/y"),
    ],
)
def test_a_redirect_leads_where_it_says(location: str, leads: str) -> None:
    assert str(parse_reference(parse_url("http://h:1/x/y"), location)) == leads


@pytest.mark.parametrize("location", ["mailto:a@b", "javascript:x", "http://[", "/%zz", "//", "\ud800", "/\n"])
def test_a_redirect_that_leads_nowhere_is_refused(location: str) -> None:
    with pytest.raises(BadUrl):
        parse_reference(parse_url("http://h"), location)


def test_below_a_mount_point_its_path_stays() -> None:
    assert below(parse_url("http://h/a%2Fb/../debug/pprof/"), "heap").raw_path == "/a%2Fb/../debug/pprof/heap"


def test_a_message_shows_neither_a_password_nor_ten_megabytes() -> None:
    assert shown("http://scott:tiger@[") == "'http://scott:<secret>@['"
    assert shown("scott:tiger@h:x") == "'scott:<secret>@h:x'"
    assert shown("[::1]@") == "'[::1]@'"
    assert shown("\ud800") == r"'\ud800'"
    assert len(shown("a" * 10_000_000)) < 300
