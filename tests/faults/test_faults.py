"""What the world does wrong to a running exporter has a clear outcome, and other targets never notice.

These are whole processes on real sockets. Where else each fault is tried: docs/scaling.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pprof_exporter.catalog.vocabulary import CANARY, MEMSTATS
from pprof_exporter.profile import KINDS
from tests.faults.servers import Servers, bombs, drips_body, drips_header, healthy, resets, serving
from tests.lab import exporter
from tests.lab.exporter import Exporter, Scrape

CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 3s, profiling_budget: 1, defer_at_most: off, backoff_at_most: 1s}
profiles: {heap: {interval: 5s}, allocs: {interval: 1s}, cpu: {enabled: false}}
"""
LIMITED = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one process limit another (prlimit)")
PATIENCE = 300.0


@pytest.fixture
def servers() -> Iterator[Servers]:
    with serving() as servers:
        yield servers


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return f"--config.file={path}"


def read(now: Scrape, target: str, profile: str = "allocs") -> float:
    return now.value("pprof_fetches_total", target=target, profile=profile, outcome="success") or 0


def goes_on(program: Exporter, target: str) -> None:
    """The target is up, and is read again and again from now on."""
    before = read(program.scrape(), target)
    # On a busy machine one request in between may exceed its timeout: until the next one, the target is not up.
    after = program.wait_for(
        lambda now: read(now, target) >= before + 3 and now.value("pprof_up", target=target) == 1, within=PATIENCE
    )
    assert after.value("pprof_exporter_internal_errors_total") == 0
    assert "Traceback" not in program.log


def limit(program: Exporter, what: str, value: int) -> None:
    """Set a limit of the running process, by its name in `resource`."""
    assert sys.platform == "linux"
    import resource  # noqa: PLC0415 - only POSIX has it

    resource.prlimit(program.process.pid, getattr(resource, what), (value, value))


def test_targets_that_drip_reset_or_have_no_address_have_their_reasons_and_stopping_waits_for_none(
    servers: Servers, config: str
) -> None:
    reasons = {
        servers.start(drips_header): "timeout_header",
        servers.start(drips_body): "timeout_body",
        servers.start(resets): "truncated",
        "shop.invalid:6060": "resolve",
    }
    good = servers.start(healthy)
    with exporter.running(*reasons, good, config) as program:
        for target, reason in reasons.items():
            now = program.wait_for(
                lambda now: now.find("pprof_down_info", target=target, reason=reason) != [],  # noqa: B023
                within=PATIENCE,
            )
            assert now.value("pprof_up", target=target) == 0
        goes_on(program, good)
        assert program.stop() == 0
        assert "Traceback" not in program.log


@LIMITED
def test_bombs_are_refused_while_memory_is_short(servers: Servers, config: str) -> None:
    harmful, good = [servers.start(bombs) for _ in range(4)], servers.start(healthy)
    with exporter.running(*harmful, good, config) as program:
        program.wait_for(lambda now: read(now, good) > 0, within=PATIENCE)
        limit(program, "RLIMIT_AS", psutil.Process(program.process.pid).memory_info().vms + 400 * 2**20)
        for target in harmful:
            program.wait_for(
                lambda now: bool(
                    now.value("pprof_decode_failures_total", target=target, profile="heap", reason="too_large")  # noqa: B023
                ),
                within=PATIENCE,
            )
        goes_on(program, good)
        goes_on(program, harmful[0])


@LIMITED
def test_a_full_disk_is_told_and_costs_history_only(servers: Servers, config: str, tmp_path: Path) -> None:
    good = servers.start(healthy)
    storage = f"--storage.path={tmp_path / 'storage'}"
    with exporter.running(good, config, storage, "--log.level=error") as program:
        limit(program, "RLIMIT_FSIZE", 4096)
        program.wait_for(
            lambda now: any(value for _, value in now.find("pprof_exporter_storage_troubles_total")), within=PATIENCE
        )
        goes_on(program, good)
        assert program.stop() == 0


def test_ten_thousand_discovered_targets_and_a_half_written_file_disturb_nobody(
    servers: Servers, tmp_path: Path
) -> None:
    good, closed = servers.start(healthy), 9
    seldom = {kind: {"enabled": False} for kind in (*KINDS, CANARY, MEMSTATS)} | {"allocs": {"interval": "1h"}}
    often = {"scrape_interval": "1s", "profiles": {"allocs": {"interval": "1s"}}}
    config = {
        "global": {"scrape_interval": "1h"},
        "profiles": seldom,
        "scrape_configs": [
            {"job_name": "good", "static_configs": [{"targets": [good]}], **often},
            {"job_name": "many", "file_sd_configs": [{"files": ["targets.json"]}]},
        ],
    }
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    many = [f"127.2.{number // 250}.{number % 250 + 1}:{closed}" for number in range(10_000)]
    (tmp_path / "targets.json").write_text(json.dumps([{"targets": []}]))
    with exporter.running(f"--config.file={tmp_path / 'config.yaml'}") as program:
        program.wait_for(lambda now: read(now, good) > 0, within=PATIENCE)
        (tmp_path / "targets.json").write_text(json.dumps([{"targets": many}]))
        program.wait_for(lambda now: now.value("pprof_exporter_targets") == 10_001, within=PATIENCE)
        goes_on(program, good)

        (tmp_path / "targets.json").write_text(json.dumps([{"targets": many}])[:-20])
        program.wait_for(
            lambda now: bool(now.value("pprof_exporter_discovery_refreshes_total", outcome="failure")), within=PATIENCE
        )
        assert program.scrape().value("pprof_exporter_targets") == 10_001
        goes_on(program, good)
        assert program.stop() == 0
