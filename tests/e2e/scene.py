"""Everything at once: Go programs, exporter, Prometheus with the shipped rules, Alertmanager with the shipped routes.

What takes half an hour in earnest takes half a minute here: the rules are written with `--time-scale`, the exporter and
Alertmanager have shorter intervals. Nothing else differs from what is shipped.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab import PROJECT, alertmanager, exporter, prometheus
from tests.lab import run as run_command
from tests.lab.debian import Suite
from tests.lab.exporter import Exporter
from tests.lab.receiver import Notification, Receiver, receiving
from tests.lab.service import Service

SCALE = 1 / 60
"""An hour of the rules is a minute here."""

_EVERY = "3s"
_OFTEN = ("heap", "goroutine", "canary")
_SELDOM = ("allocs", "block", "mutex", "threadcreate", "memstats", "goroutineleak")
_SETTINGS = {
    # A profile that fails is requested less and less often: at full scale too its own alert comes before it is stale.
    "profile_stale": 60,
    # CPU profiles of 2 s every 6 s, for half a minute.
    "cpu_enough_seconds": 2,
    # Half a core for 2 s.
    "cpu_used_busy": 1,
    # A profile that takes longer would not come every three seconds.
    "fetch_very_slow": 1,
}
_EXPORTER = {
    "global": {
        "scrape_interval": _EVERY,
        "scrape_timeout": "4s",
        "profiling_budget": 1,
        "defer_at_most": "off",
        # At full scale a profile that failed is requested again within the quarter of an hour that rules look back on.
        # Here the intervals are longer beside that, and the wait has to be shorter.
        "backoff_at_most": "5s",
    },
    "profiles": {
        "cpu": {"interval": "6s", "window": "2s"},
        **{name: {"interval": _EVERY} for name in _OFTEN},
        **{name: {"interval": "6s"} for name in _SELDOM},
    },
}


@dataclass(frozen=True, slots=True)
class Watch:
    """One generation of Prometheus and Alertmanager, and the receiver of its notifications."""

    suite: Suite
    server: prometheus.Prometheus
    alerts: alertmanager.Alertmanager
    receiver: Receiver

    def state(self) -> str:
        """For a message: what fires or is pending, and what was sent."""
        alerts = [_brief(labels) for labels, _ in self.server.query("ALERTS")]
        sent = [f"{one.status} {_brief(one.labels)}" for one in self.receiver.received]
        return "\n".join([f"{self.suite}, alerts:", *sorted(alerts), "sent:", *sent])


@contextlib.contextmanager
def exporting(services: Sequence[Service], folder: Path, *, window: str = "2s") -> Iterator[Exporter]:
    """The exporter, with these as targets; each has its name as label `service`.

    The sampling clock is audited in windows of 3 s and longer.
    """
    targets = [{"targets": [service.watched], "labels": {"service": service.name}} for service in services]
    config = folder / "exporter.yml"
    settings = json.loads(json.dumps(_EXPORTER))
    settings["profiles"]["cpu"]["window"] = window
    config.write_text(json.dumps({**settings, "scrape_configs": [{"job_name": "demo", "static_configs": targets}]}))
    with exporter.running(f"--config.file={config}", f"--storage.path={folder / 'store'}") as program:
        yield program


@contextlib.contextmanager
def watching(program: Exporter, folder: Path, suite: Suite) -> Iterator[Watch]:
    """Prometheus and Alertmanager of one generation, with the shipped rules and routes."""
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        templates = (PROJECT / "deploy" / "alertmanager" / "templates").glob("*.tmpl")
        alerts = stack.enter_context(alertmanager.running(routes(receiver.url), suite, templates=tuple(templates)))
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(scaled_rules(folder))],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts.url[7:]]}]}]},
            "scrape_configs": [{"job_name": "pprof", "static_configs": [{"targets": [program.url[7:]]}]}],
        }
        server = stack.enter_context(prometheus.running(config, suite))
        yield Watch(suite, server, alerts, receiver)


def firing(sent: Sequence[Notification]) -> set[tuple[str, str]]:
    """Service (or "") and name of each alert whose last notification was firing."""
    last: dict[str, Notification] = {}
    for one in sent:
        last[json.dumps(one.labels, sort_keys=True)] = one
    return {(one.labels.get("service", ""), one.name) for one in last.values() if one.status == "firing"}


def quiet_for(seconds: float, watches: Sequence[Watch]) -> None:
    """Let time pass in which no notification is sent."""
    counts = [len(watch.receiver.received) for watch in watches]
    time.sleep(seconds)
    for watch, count in zip(watches, counts, strict=True):
        assert len(watch.receiver.received) == count, watch.state()


def _brief(labels: dict[str, str]) -> str:
    known = ("__name__", "failure_mode", "instance", "job", "target")
    return " ".join(f"{name}={value}" for name, value in labels.items() if name not in known)


def scaled_rules(folder: Path) -> Path:
    """Write the shipped rules into a folder, in the time of this scene; returns their file."""
    file = folder / "pprof.rules.yaml"
    settings = [word for name, value in _SETTINGS.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "pprof_exporter", "rules", *settings, "--time-scale", str(SCALE)]
    run_command([*command, "--output", str(file)])
    return file


def routes(url: str) -> dict[str, Any]:
    """The shipped configuration, but every receiver is the webhook, and groups wait a second."""
    config: dict[str, Any] = yaml.safe_load((PROJECT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())
    config["receivers"] = [
        {"name": receiver["name"], "webhook_configs": [{"url": url, "send_resolved": True}]}
        if len(receiver) > 1
        else receiver
        for receiver in config["receivers"]
    ]
    for name in [name for name in config.get("global", {}) if name.startswith(("smtp", "slack"))]:
        del config["global"][name]
    _hurry(config["route"])
    return config


def _hurry(route: dict[str, Any]) -> None:
    route.update(group_wait="1s", group_interval="1s", repeat_interval="1h")
    for child in route.get("routes", []):
        _hurry(child)
