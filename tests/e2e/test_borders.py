"""What a real Prometheus of two generations makes of our pages: labels that mean harm, and a page under a prefix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pprof_exporter.escaping import label_text
from tests.lab import exporter, prometheus
from tests.lab.debian import Suite

SUITES: tuple[Suite, ...] = ("stable", "sid")
TRAPS = 'a"b\\c\nd\te\r\x00\x1b]0;TITLE\x07\x7f\x85\x9b\u202e\u2066\u200b\ufeff\u2028é字🦫\\n'
PREFIX = "/pprof-exporter"


@pytest.mark.parametrize("generation", SUITES)
def test_prometheus_reads_each_label_as_it_is_shown(tmp_path: Path, generation: Suite) -> None:
    listed = tmp_path / "targets.json"
    listed.write_text(json.dumps([{"targets": ["127.0.0.1:1"], "labels": {"team": TRAPS}}]))
    config = tmp_path / "config.yml"
    config.write_text("scrape_configs: [{job_name: shop, file_sd_configs: [{files: [targets.json]}]}]\n")
    flags = (f"--config.file={config}", f"--web.external-url=https://monitoring.example{PREFIX}/")
    with exporter.running(*flags, below=PREFIX) as program:
        program.wait_for(lambda now: now.value("pprof_up", team=label_text(TRAPS)) == 0)
        assert prometheus.check_metrics(program.get("/metrics")[0], generation) == ""
        job = {
            "job_name": "pprof",
            "scrape_interval": "1s",
            "metrics_path": f"{PREFIX}/metrics",
            "static_configs": [{"targets": [program.address]}],
        }
        with prometheus.running({"scrape_configs": [job]}, generation) as server:
            ((labels, value),) = server.wait_for(lambda now: now.query("pprof_up"))
    assert (labels["team"], value) == (label_text(TRAPS), 0)
    assert "\\u202e" in labels["team"]
