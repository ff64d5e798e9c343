"""What walks ask: the exporter, Prometheus and Alertmanager, where the pages have them listen, and the kernel."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from typing import Any

EXPORTER, PROMETHEUS, ALERTMANAGER = (f"http://127.0.0.1:{port}" for port in (9717, 9090, 9093))


def got(server: str, path: str) -> str:
    """The body of an answer; raise `OSError` when there is none, or one that is an error."""
    with urllib.request.urlopen(server + path, timeout=10) as reply:
        text: str = reply.read().decode()
        return text


def is_up(target: str) -> bool:
    """Whether the exporter says so of this target."""
    up = rf'^pprof_up\{{.*target="{re.escape(target)}".*\}} 1\.0$'
    return re.search(up, got(EXPORTER, "/metrics"), re.MULTILINE) is not None


def is_powerless(status: str) -> bool:
    """Whether /proc/PID/status is of a process without root, capabilities, and ways to get any, and with a filter."""
    said = dict(re.findall(r"^(\w+):\s*(\S+)", status, re.MULTILINE))
    return (int(said["CapBnd"], 16), said["NoNewPrivs"], said["Seccomp"]) == (0, "1", "2") and said["Uid"] != "0"


def has_every_profile() -> bool:
    """Whether Prometheus has a success of every profile that the target offers."""
    query = 'count(pprof_fetches_total{outcome="success"} > 0) >= count(pprof_profile_available == 1)'
    reply = json.loads(got(PROMETHEUS, f"/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
    return bool(reply["data"]["result"])


def alerts() -> list[str]:
    """The names of what Alertmanager would tell."""
    found: list[dict[str, Any]] = json.loads(got(ALERTMANAGER, "/api/v2/alerts?active=true&inhibited=false"))
    return sorted(alert["labels"]["alertname"] for alert in found)
