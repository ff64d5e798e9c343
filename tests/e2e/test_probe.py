"""A real Prometheus discovers a real Go program and has it probed, with the shipped configuration and rules."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import PROJECT, exporter, free_port, go, prometheus
from tests.lab.debian import Suite
from tests.lab.exporter import Exporter
from tests.lab.prometheus import Prometheus
from tests.lab.target import Target, running

SUITES: tuple[Suite, ...] = ("stable", "sid")
SHIPPED = PROJECT / "deploy" / "prometheus" / "probe.yml"
RULES = PROJECT / "rules" / "pprof.rules.yaml"


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running(go.build(go.VERSIONS[-1])) as program:
        program.control("burn", threads=1)
        yield program


@pytest.fixture(scope="module")
def prober() -> Iterator[Exporter]:
    """An exporter without targets of its own."""
    with exporter.running() as program:
        yield program


def probed(program: Exporter, target: str, *, module: str = "default", timeout: float = 10) -> str:
    """The metrics of a probe by a client with a timeout of `timeout` seconds."""
    request = urllib.request.Request(
        f"{program.url}/probe?target={target}&module={module}",
        headers={"X-Prometheus-Scrape-Timeout-Seconds": str(timeout)},
    )
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        text: str = reply.read().decode()
    return text


def configuration(program: Exporter, folder: Path, *targets: str) -> dict[str, Any]:
    """The shipped configuration, with this exporter, these targets, and once a second."""
    config: dict[str, Any] = yaml.safe_load(SHIPPED.read_text())
    config["global"]["evaluation_interval"] = "1s"
    config["rule_files"] = [str(RULES)]
    config["alerting"] = {}
    listed = folder / "services.json"
    listed.write_text(json.dumps([{"targets": list(targets), "labels": {"app": "shop"}}]))
    text = json.dumps(config).replace("localhost:9717", program.url[7:])
    config = json.loads(text)
    for job in config["scrape_configs"]:
        job["scrape_interval"], job["scrape_timeout"] = "6s", "5s"
        for discovery in job.get("file_sd_configs", []):
            discovery["files"] = [str(listed)]
    return config


@pytest.mark.parametrize("suite", SUITES)
def test_prometheus_probes_what_it_discovers_and_the_rules_join(
    target: Target, prober: Exporter, suite: Suite, tmp_path: Path
) -> None:
    name, gone = target.url[7:], f"127.0.0.1:{free_port()}"
    with prometheus.running(configuration(prober, tmp_path, name, gone), suite) as server:
        server.wait_for(lambda asked: len(asked.query('up{job="pprof"} == 1')) == 2, timeout=90)
        server.wait_for(lambda asked: asked.query('pprof_cpu_profiled_seconds_total{job="pprof"}'), timeout=90)
        check_series(server, name, gone)
        server.wait_for(lambda asked: asked.query('up{job="pprof-exporter"} == 1'), timeout=90)
        check_rules(server)


def check_series(server: Prometheus, name: str, gone: str) -> None:
    """Everything has the labels that the rules join on."""
    up = {labels["instance"]: (labels, value) for labels, value in server.query("pprof_up")}
    assert {instance: value for instance, (_, value) in up.items()} == {name: 1, gone: 0}
    expected = {"__name__": "pprof_up", "job": "pprof", "instance": name, "target": name, "service": "shop"}
    assert up[name][0] == expected
    assert [labels["reason"] for labels, _ in server.query("pprof_down_info")] == ["connect"]
    assert [value > 0 for _, value in server.query("pprof_goroutines")] == [True]
    joined = server.query("pprof_goroutines and on (job, instance, target) pprof_up == 1")
    assert [labels["instance"] for labels, _ in joined] == [name]


def check_rules(server: Prometheus) -> None:
    """Every rule can be evaluated on these series: no join finds more than one partner, and none has failed."""
    rules = [rule for group in server.api("rules")["groups"] for rule in group["rules"]]
    assert rules
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] == "err"] == []
    for rule in rules:
        server.query(rule["query"])


def test_promtool_finds_nothing_to_say_about_a_probe(target: Target, prober: Exporter) -> None:
    for module in ("default", "cheap"):
        assert prometheus.check_metrics(probed(prober, target.url[7:], module=module)) == ""


def test_a_target_that_hangs_is_told_before_prometheus_gives_up(prober: Exporter) -> None:
    with running(go.build(go.VERSIONS[-1])) as program:
        name = program.url[7:]
        program.fault("index", "hang")
        text = probed(prober, name, timeout=2)
        assert f'pprof_down_info{{reason="timeout_header",target="{name}"}} 1.0' in text
        program.fault("index", "none")
        program.fault("heap", "hang")
        text = probed(prober, name, timeout=3)
        assert f'pprof_up{{target="{name}"}} 1.0' in text
        assert f'pprof_fetch_failures_total{{profile="heap",reason="timeout_header",target="{name}"}} 1.0' in text
