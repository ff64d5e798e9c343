"""The first lines of a request: a path as it is written, wherever it comes from."""

from __future__ import annotations

import pytest
from yarl import URL

from pprof_exporter.config import parse_metrics_page, parse_target
from pprof_exporter.inputs.urls import below, parse_url
from pprof_exporter.scrape.client.http_client import HttpRequest, request_bytes
from pprof_exporter.scrape.client.route import Route

TARGET = parse_target("http://h:6060/proxy/my%2Fservice/debug/pprof/").url


def head(url: URL, proxy: URL | None = None) -> list[str]:
    """The request line and the header Host."""
    return request_bytes(HttpRequest(url, Route(proxy=proxy))).decode().split("\r\n")[:2]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (TARGET, "GET /proxy/my%2Fservice/debug/pprof/ HTTP/1.1"),
        (below(TARGET, "heap").with_query({"debug": "1"}), "GET /proxy/my%2Fservice/debug/pprof/heap?debug=1 HTTP/1.1"),
        (parse_metrics_page("/a%2Fb/metrics").of(TARGET), "GET /a%2Fb/metrics HTTP/1.1"),
        (parse_metrics_page(":8080/a b".replace(" ", "%20")).of(TARGET), "GET /a%20b HTTP/1.1"),
        (parse_url("http://h/sd?of=a%2Fb&x=%41"), "GET /sd?of=a%2Fb&x=%41 HTTP/1.1"),
    ],
)
def test_a_path_is_sent_as_it_is_written(url: URL, line: str) -> None:
    assert head(url)[0] == line


def test_a_proxy_gets_it_as_it_is_written_too() -> None:
    line, _ = head(TARGET, parse_url("http://proxy:3128"))
    assert line == "GET http://h:6060/proxy/my%2Fservice/debug/pprof/ HTTP/1.1"


@pytest.mark.parametrize(
    ("target", "host"),
    [("[fe80::1%eth0]:6060", "[fe80::1]:6060"), ("http://[fe80::1%25eth0]/x", "[fe80::1]"), ("[::1]:1", "[::1]:1")],
)
def test_the_zone_of_an_address_stays_here(target: str, host: str) -> None:
    assert head(parse_target(target).url)[1] == f"Host: {host}"
