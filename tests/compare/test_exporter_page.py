"""Where the page of another exporter is, as a person names it."""

from __future__ import annotations

import pytest

from pprof_exporter.compare.exporter_page import NoPage, page_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        *((text, "http://exporter:9717/metrics") for text in ("exporter:9717", "http://exporter:9717/")),
        ("https://monitoring.example/pprof-exporter/", "https://monitoring.example/pprof-exporter/metrics"),
        ("https://monitoring.example/pprof-exporter/metrics", "https://monitoring.example/pprof-exporter/metrics"),
        ("https://a:b@exporter", "https://a:b@exporter/metrics"),
    ],
)
def test_an_exporter_or_its_page_may_be_named(text: str, url: str) -> None:
    assert str(page_url(text)) == url


@pytest.mark.parametrize("text", ["ftp://exporter/", "http://[::1", "http:///metrics"])
def test_what_is_no_url_is_refused(text: str) -> None:
    with pytest.raises(NoPage):
        page_url(text)
