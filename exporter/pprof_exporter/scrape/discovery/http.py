"""http_sd_configs: a URL that answers with a JSON list of targets."""

from __future__ import annotations

import json
from dataclasses import replace

from yarl import URL

from pprof_exporter.config import Group, HttpSource, Secret
from pprof_exporter.scrape.discovery.groups import SourceError, read_document
from pprof_exporter.scrape.failure import FetchError
from pprof_exporter.scrape.fetch import Fetcher

_PATIENCE = 30.0


class Http:
    """One URL."""

    def __init__(self, source: HttpSource, fetcher: Fetcher) -> None:
        told = {"Accept": "application/json", "X-Prometheus-Refresh-Interval-Seconds": f"{source.refresh:g}"}
        headers = tuple((name, Secret(text)) for name, text in told.items())
        self._url = URL(source.url)
        self._fetcher = fetcher.of(replace(source.client, headers=(*source.client.headers, *headers)))
        self.next_in = source.refresh

    async def read(self) -> list[Group]:
        """The groups that the URL lists. Raises `SourceError`."""
        try:
            reply = await self._fetcher.get(self._url, patience=_PATIENCE)
            if reply.content_type != "application/json":
                raise SourceError(f"the reply is {reply.content_type}, not application/json")
            groups = read_document(json.loads(reply.body))
        except FetchError as error:
            raise SourceError(f"{error.reason}: {error.detail}") from None
        except (ValueError, RecursionError) as error:
            raise SourceError(f"not JSON: {error}") from None
        # The URL may hold a password, and the label may be mapped to one that everybody sees.
        shown = str(self._url.with_user(None))
        return [Group(group.targets, (*group.labels, ("__meta_url", shown))) for group in groups]
