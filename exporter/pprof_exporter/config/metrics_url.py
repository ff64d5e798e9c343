"""Where a target serves metrics of its own: on the port of pprof or on another one, always on the same host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pprof_exporter.inputs.url_characters import escape_path

if TYPE_CHECKING:
    from yarl import URL

_WRITTEN = re.compile(r"(?::(?P<port>[1-9]\d{0,4}))?(?P<path>/[^\s?#]*)")


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """A path, and the port if it is not that of pprof. The scheme is that of pprof."""

    path: str = "/metrics"
    port: int | None = None

    def of(self, target: URL) -> URL:
        """The page of a target, which keeps its user and password."""
        url = target.with_path(escape_path(self.path), encoded=True)
        return url.with_port(self.port) if self.port else url


def parse_metrics_page(text: str) -> MetricsPage:
    """Read `/metrics` or `:8080/metrics`. Raises `ValueError` with a sentence for anything else."""
    found = _WRITTEN.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port or 0) > 65535:
        raise ValueError(f"{text!r} is not a metrics path; write for example /metrics or :8080/metrics")
    escape_path(found["path"])
    return MetricsPage(found["path"], port)
