"""What errands need of an HTTP client."""

from __future__ import annotations

from typing import Protocol

from yarl import URL

from pprof_exporter.scrape.fetch import Reply


class Getter(Protocol):
    """Makes one GET; `Fetcher` is one."""

    async def get(self, url: URL, *, query: dict[str, str] | None = None, patience: float, window: float = 0) -> Reply:
        """Fetch within `window + patience` seconds; raises `FetchError` for everything the world does wrong."""
        ...
