"""Requests pages at a steady pace, each in a thread of its own, and measures how long each took."""

from __future__ import annotations

import gzip
import http.client
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

PROMETHEUS = {
    # What Prometheus 3 sends.
    "Accept": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "Accept-Encoding": "gzip",
}


def read(url: str, *names: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Value of each series of these families, or of all, by name and labels, with a long timeout."""
    query = "&".join(f"name[]={name}" for name in names)
    request = urllib.request.Request(f"{url}/metrics?{query}", headers={"Accept-Encoding": "gzip"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=600) as reply:  # noqa: S310
        text = gzip.decompress(reply.read()).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@dataclass(slots=True)
class PageLoad:
    """One page: milliseconds of each reply that came, its size in bytes, and how many did not come."""

    path: str
    headers: dict[str, str]
    every: float
    took: list[float] = field(default_factory=list)
    size: int = 0
    failed: int = 0

    def quantile(self, share: float) -> float | None:
        """Milliseconds within which this share of the replies came; None: there was none."""
        took = sorted(self.took)
        return took[min(len(took) - 1, int(len(took) * share))] if took else None

    def row(self) -> str:
        """One line of a table."""
        took = sorted(self.took)
        if not took:
            return f"{self.path:<26} never answered"
        cuts = [self.quantile(share) or 0.0 for share in (0.5, 0.95, 0.99)]
        figures = "".join(f"{cut:10.1f}" for cut in (*cuts, took[-1], statistics.fmean(took)))
        return f"{self.path:<26}{figures}{len(took):8}{self.size / 2**20:9.2f}{self.failed:8}"


HEADER = (
    f"{'milliseconds':<26}"
    + "".join(
        f"{title:>{width}}"
        for title, width in (("p50", 10), ("p95", 10), ("p99", 10), ("max", 10), ("mean", 10), ("asked", 8), ("MiB", 9))
    )
    + f"{'failed':>8}"
)


@contextmanager
def requesting(url: str, pages: Iterable[PageLoad]) -> Iterator[None]:
    """Request all of these until the block ends."""
    stop = threading.Event()
    with ExitStack() as stack:
        stack.callback(stop.set)
        for page in pages:
            thread = threading.Thread(target=_request, args=(url, page, stop), daemon=True)
            thread.start()
            stack.callback(thread.join, 60)
        stack.callback(stop.set)
        yield


def _request(url: str, page: PageLoad, stop: threading.Event) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    while not stop.wait(page.every):
        began = time.perf_counter()
        try:
            connection.request("GET", page.path.split()[0], headers=page.headers)
            page.size = len(connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            page.failed += 1
            connection.close()
        else:
            page.took.append((time.perf_counter() - began) * 1000)
    connection.close()
