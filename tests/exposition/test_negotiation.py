"""Formats and codings for the headers that scrapers really send, and for those that no scraper should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.exposition import negotiate_format, prefers_gzip

TEXT = "text/plain; version=0.0.4; charset=utf-8"
TEXT_1 = "text/plain; version=1.0.0; charset=utf-8; escaping="
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
OPENMETRICS_0 = "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping="
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        # Prometheus up to 2.30 (scrape/scrape.go, `acceptHeader`).
        (
            "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            f"{OPENMETRICS_0}underscores",
        ),
        # Prometheus 2.31 to 2.48, with 2.42 among them.
        (
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
            ),
            f"{OPENMETRICS}underscores",
        ),
        # Prometheus 2.49 to 2.55 (config.ScrapeProtocolsHeaders), without and with native histograms.
        (
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            f"{OPENMETRICS}underscores",
        ),
        (
            (
                f"{PROTOBUF};q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,"
                "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            f"{OPENMETRICS}underscores",
        ),
        # Prometheus 3, which names the escaping of versions 1.0.0.
        (
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
            ),
            f"{OPENMETRICS}allow-utf-8",
        ),
        # The same with scrape_protocols: [PrometheusText1.0.0], and with PrometheusText0.0.4 and PrometheusProto alone.
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.2,*/*;q=0.1", f"{TEXT_1}allow-utf-8"),
        ("text/plain;version=0.0.4;q=0.2,*/*;q=0.1", TEXT),
        (f"{PROTOBUF};q=0.2,*/*;q=0.1", TEXT),
        # Telegraf, VictoriaMetrics' vmagent, curl, a browser, and nothing at all.
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("", TEXT),
        # What has a weight of 0 is never sent, and no version is named that is not written.
        ("application/openmetrics-text;version=1.0.0;q=0,text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0.0,*/*", TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0.000", TEXT),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        (
            "application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.5",
            f"{OPENMETRICS}underscores",
        ),
        ("application/openmetrics-text;version=1.0", TEXT),
        ("application/openmetrics-text;version=abc", TEXT),
        ("text/plain;version=2.0.0,application/openmetrics-text;version=0.0.1;q=0.1", f"{OPENMETRICS_0}underscores"),
        # Weights decide before order, and order among equals.
        (
            "text/plain;version=0.0.4;q=0.1,application/openmetrics-text;version=1.0.0;q=0.9",
            f"{OPENMETRICS}underscores",
        ),
        ("text/plain,application/openmetrics-text;version=1.0.0", TEXT),
        ("application/openmetrics-text", f"{OPENMETRICS}underscores"),
        # Spelling.
        ('Application/OpenMetrics-Text ; Version="1.0.0" ; escaping=dots', f"{OPENMETRICS}dots"),
        ("application/openmetrics-text;version=1.0.0;escaping=values", f"{OPENMETRICS}values"),
        ("application/openmetrics-text;version=1.0.0;escaping=x\r\nSet-Cookie", f"{OPENMETRICS}underscores"),
        ("application/openmetrics-text;version=1.0.0;q=high,text/plain;q=0.1", TEXT),
        ('text/plain;x=",application/openmetrics-text;version=1.0.0,"', TEXT),
        (';;,,=;q=1,"', TEXT),
    ],
)
def test_a_format_is_chosen_as_by_prometheus(accept: str, content_type: str) -> None:
    chosen = negotiate_format(accept)
    assert chosen.content_type == content_type
    written = chosen.encode(CollectorRegistry()).decode()
    assert written.endswith("# EOF\n") is ("openmetrics" in content_type)
    if "openmetrics" in content_type:
        assert list(openmetrics_families(written)) == []  # type: ignore[no-untyped-call]  # It has no types.


@given(st.text() | st.from_regex(r"(application/openmetrics-text|text/plain|\*/\*)(;[ a-z=.0-9\"]*)*(,|$)"))
def test_any_header_gets_a_format_that_is_written(accept: str) -> None:
    known = {
        TEXT,
        *(
            prefix + escaping
            for prefix in (TEXT_1, OPENMETRICS, OPENMETRICS_0)
            for escaping in ("allow-utf-8", "underscores", "dots", "values")
        ),
    }
    assert negotiate_format(accept).content_type in known


@pytest.mark.parametrize(
    ("accept_encoding", "gzip"),
    [
        *(("gzip", True), ("x-gzip", True), ("GZIP", True), ("gzip, deflate, br", True), ("identity, gzip", True)),
        *(("", False), ("identity", False), ("deflate", False), ("br;q=1.0, zstd", False), ("gzipped", False)),
        *(("gzip;q=0", False), ("gzip;q=0.0", False), ("gzip; q=0.000", False), ("gzip;q=0, *", False)),
        *(("gzip;q=0.001", True), ("gzip ; q=0.5 , identity;q=0.4", True), ("gzip;q=0.4,identity;q=0.5", False)),
        *(("*", False), ("*;q=0", False), ("identity;q=0, *", True), ("identity;q=0", False), ("gzip, *;q=0", True)),
        *(("*;q=0, gzip", True), ("gzip;q=x", False), ("gzip;x=0", True), ("gzip;q=0, gzip", False)),
    ],
)
def test_a_page_is_compressed_only_for_who_wants_that(accept_encoding: str, *, gzip: bool) -> None:
    assert prefers_gzip(accept_encoding) is gzip
