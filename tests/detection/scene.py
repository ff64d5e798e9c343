"""One batch: services, an exporter, Prometheus with the shipped rules, Alertmanager with the shipped routes."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from tests.detection.acts import changed
from tests.detection.gateway import Gateway
from tests.detection.profiles import on_windows
from tests.detection.programs import Service
from tests.detection.scenario import Batch, Life, Pace, Scenario
from tests.e2e.scene import routes
from tests.lab import alertmanager, exporter, prometheus
from tests.lab import run as run_command
from tests.lab.exporter import Exporter
from tests.lab.receiver import Receiver, receiving
from tests.lab.rewrite import PROFILES

_OFTEN = ("heap", "goroutine", "canary")
_SELDOM = ("allocs", "block", "mutex", "threadcreate", "memstats", "goroutineleak")
_SETTINGS: Mapping[str, float] = {
    # A profile that fails is requested less and less often: with shipped intervals too its own alert comes before it is
    # stale.
    "profile_stale": 60,
    # At shipped intervals 5 s of 75 s in half an hour of CPU profiles, here of 10 s to 24 s.
    "cpu_enough_seconds": 1,
    # Half a core in windows of 4 s.
    "cpu_used_busy": 2,
}
"""Thresholds that do not scale by themselves, since they are about the intervals of the exporter."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What runs."""

    lives: Mapping[str, Life]
    """By the name of the scenario."""
    program: Exporter
    server: prometheus.Prometheus
    receiver: Receiver


@contextlib.contextmanager
def living(scenario: Scenario, pace: Pace) -> Iterator[Life]:
    """The services of a scenario and its gateway, ended with the block."""
    slug = "".join(letter if letter.isalnum() else "-" for letter in scenario.name.lower())
    arguments = (f"-shape={scenario.shape}", *scenario.arguments)
    builds = scenario.builds or (scenario.build,) * scenario.replicas
    services = [
        Service(f"{slug}-{number}", build, arguments, scenario.environment) for number, build in enumerate(builds, 1)
    ]
    gateway = Gateway((services[0].address,)) if scenario.gateway else None
    life = Life(services, gateway, pace)
    try:
        for service in services:
            service.start()
        if gateway is not None:
            gateway.open()
        if scenario.windows:
            changed(on_windows(), *PROFILES)(life)
        yield life
    finally:
        life.end()


@contextlib.contextmanager
def watching(batch: Batch, scenarios: Sequence[Scenario], folder: Path) -> Iterator[Scene]:
    """Start everything of a batch; the exporter has seen nothing yet when faults from the start begin."""
    with contextlib.ExitStack() as stack:
        lives = {one.name: stack.enter_context(living(one, batch.pace)) for one in scenarios}
        for one in scenarios:
            if one.from_start:
                one.begin(lives[one.name])
        file = folder / "exporter.yml"
        file.write_text(json.dumps(_configuration(batch.pace, lives)))
        program = stack.enter_context(exporter.running(f"--config.file={file}", f"--storage.path={folder / 'store'}"))
        receiver = stack.enter_context(receiving())
        alerts = stack.enter_context(alertmanager.running(routes(receiver.url)))
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(_rules(batch.pace, folder))],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts.url[7:]]}]}]},
            "scrape_configs": [{"job_name": "pprof", "static_configs": [{"targets": [program.url[7:]]}]}],
        }
        yield Scene(lives, program, stack.enter_context(prometheus.running(config)), receiver)


def _configuration(pace: Pace, lives: Mapping[str, Life]) -> dict[str, Any]:
    every, seldom = f"{pace.interval}s", f"{2 * pace.interval}s"
    return {
        "global": {
            "scrape_interval": f"{pace.index}s",
            "scrape_timeout": "4s",
            "profiling_budget": 1,
            "defer_at_most": "off",
            # With shipped intervals a profile that failed is requested again within the quarter of an hour that rules
            # look back on. Here the intervals are longer beside that, and the wait has to be shorter.
            "backoff_at_most": "5s",
        },
        "profiles": {
            "cpu": {"interval": f"{pace.cpu_interval}s", "window": f"{pace.cpu_window}s"},
            **{name: {"interval": every} for name in _OFTEN},
            **{name: {"interval": seldom} for name in _SELDOM},
        },
        "scrape_configs": [
            {
                "job_name": "detection",
                "static_configs": [
                    {"targets": life.watched, "labels": {"service": name}} for name, life in lives.items()
                ],
            }
        ],
    }


def _rules(pace: Pace, folder: Path) -> Path:
    """Write the shipped rules into a folder, in the time of this pace; returns their file."""
    file = folder / "pprof.rules.yaml"
    known = {name: value for name, value in _SETTINGS.items() if name in THRESHOLDS_BY_NAME}
    settings = [word for name, value in known.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "pprof_exporter", "rules", *settings, "--time-scale", str(pace.scale)]
    run_command([*command, "--output", str(file)])
    return file
