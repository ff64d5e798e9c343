"""What a real Prometheus makes of the exporter, and what promtool thinks of its metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from pprof_exporter.profile import KINDS
from tests.lab import exporter, go, prometheus
from tests.lab.debian import Suite
from tests.lab.exporter import OPENMETRICS, Exporter
from tests.lab.target import Target, running

# The generation that Debian stable has is the gate; the newest is tried where it can be had.
SUITES: tuple[Suite, ...] = ("stable", "sid")


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running(go.build(go.VERSIONS[-1])) as program:
        program.control("burn", threads=1)
        program.control("rates", block=1, mutex=1)
        program.control("contend", workers=2)
        program.fault("threadcreate", "html")
        yield program


@pytest.fixture(scope="module")
def seen(target: Target) -> Iterator[Exporter]:
    """An exporter that has read every kind of profile, met a failure, and watches a target that is not there."""
    with exporter.running(target.url, "127.0.0.1:9") as program:
        begun = time.monotonic()
        program.wait_for(
            lambda now: all(
                now.value("pprof_fetches_total", target=target.url[7:], profile=name, outcome=outcome)
                for name in KINDS
                for outcome in (["failure"] if name == "threadcreate" else ["success"])
            )
        )
        assert time.monotonic() - begun < 40
        yield program


@pytest.mark.parametrize("suite", SUITES)
def test_promtool_finds_nothing_to_say(seen: Exporter, suite: Suite) -> None:
    assert prometheus.check_metrics(seen.get("/metrics")[0], suite) == ""


def test_text_and_openmetrics_parse_and_say_the_same(seen: Exporter) -> None:
    text, kind = seen.get("/metrics")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    openmetrics, kind = seen.get("/metrics", accept=OPENMETRICS)
    assert kind.startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    as_text = {sample.name for family in read_text(text) for sample in family.samples}
    families = read_openmetrics(openmetrics)  # type: ignore[no-untyped-call]  # the library has no types here
    as_openmetrics = {sample.name for family in families for sample in family.samples}
    assert as_text == as_openmetrics


@pytest.mark.parametrize("suite", SUITES)
def test_a_real_prometheus_scrapes_it(seen: Exporter, target: Target, suite: Suite) -> None:
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "pprof-exporter", "static_configs": [{"targets": [seen.url[7:]]}]}],
    }
    with prometheus.running(config, suite) as server:
        server.wait_for(lambda asked: asked.query("up") != [] and asked.query("up")[0][1] == 1)
        assert [watched["health"] for watched in server.targets()] == ["up"]
        name = target.url[7:]
        assert [value for _, value in server.query(f'pprof_up{{target="{name}"}}')] == [1]
        assert [value for _, value in server.query('pprof_up{target="127.0.0.1:9"}')] == [0]
        # How much of a processor a busy loop gets depends on what else runs; how much of that is sampled does not.
        sampled = server.query("pprof_cpu_accounted_seconds_total / on (target) pprof_cpu_used_seconds_total")
        assert [0.7 < value < 1.3 for _, value in sampled] == [True]
        assert server.query('histogram_quantile(0.95, pprof_fetch_duration_seconds_bucket{profile="heap"})')
