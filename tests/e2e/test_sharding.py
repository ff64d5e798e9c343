"""Two exporters and one Prometheus: every target is watched by exactly one, and sums are right (docs/scaling.md)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.faults.servers import healthy, serving
from tests.lab import exporter, prometheus

TARGETS = 12
SHARDS = 2


def config(shard: int, targets: list[str]) -> str:
    """The configuration of one exporter; only the number of the shard differs."""
    job = {
        "job_name": "fleet",
        "static_configs": [{"targets": targets}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "modulus": SHARDS, "target_label": "__tmp_shard", "action": "hashmod"},
            {"source_labels": ["__tmp_shard"], "regex": str(shard), "action": "keep"},
        ],
    }
    return json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]})


def test_every_target_is_watched_by_exactly_one_of_two_exporters(tmp_path: Path) -> None:
    with serving() as servers:
        targets = [servers.start(healthy) for _ in range(TARGETS)]
        files = [tmp_path / f"shard-{shard}.yaml" for shard in range(SHARDS)]
        for shard, file in enumerate(files):
            file.write_text(config(shard, targets))
        with (
            exporter.running(f"--config.file={files[0]}") as first,
            exporter.running(f"--config.file={files[1]}") as second,
            prometheus.running(
                {
                    "global": {"scrape_interval": "1s"},
                    "scrape_configs": [
                        {
                            "job_name": "pprof-exporter",
                            "static_configs": [{"targets": [first.url[7:], second.url[7:]]}],
                        }
                    ],
                }
            ) as server,
        ):
            server.wait_for(lambda asked: asked.query("sum(pprof_up)") == [({}, TARGETS)], timeout=120)
            watched = server.query("count by (target) (pprof_up)")
            assert sorted(labels["target"] for labels, _ in watched) == sorted(targets)
            assert {count for _, count in watched} == {1}
            assert server.query("sum(pprof_exporter_targets)") == [({}, TARGETS)]
            assert server.query("count(up == 1)") == [({}, SHARDS)]
