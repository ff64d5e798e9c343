"""http_sd_configs: a URL that answers with a JSON list of targets."""

from __future__ import annotations

from dataclasses import replace

from pprof_exporter.config import HttpSource, Secret, TargetGroup
from pprof_exporter.inputs.json_document import BadJson, parse_json
from pprof_exporter.inputs.urls import parse_url
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.discovery.groups import SourceError, parse_document

_TIMEOUT = 30.0


class HttpReader:
    """One URL."""

    def __init__(self, source: HttpSource, fetcher: Fetcher) -> None:
        own = {"Accept": "application/json", "X-Prometheus-Refresh-Interval-Seconds": f"{source.refresh:g}"}
        headers = tuple((name, Secret(text)) for name, text in own.items())
        self._url = parse_url(source.url)
        self._fetcher = fetcher.bind(replace(source.client, headers=(*source.client.headers, *headers)))
        self.read_interval = source.refresh

    async def read(self) -> list[TargetGroup]:
        """The groups that the URL lists. Raises `SourceError`."""
        try:
            reply = await self._fetcher.get(self._url, timeout=_TIMEOUT)
            if reply.content_type != "application/json":
                raise SourceError(f"the reply is {reply.content_type or 'of no content type'}, not application/json")
            groups = parse_document(parse_json(reply.body))
        except FetchError as error:
            raise SourceError(f"{error.reason}: {error.detail}") from None
        except BadJson as error:
            raise SourceError(f"not JSON: {error}") from None
        # The URL may hold a password, and relabelling may copy this label to a visible one.
        shown = str(self._url.with_user(None))
        return [TargetGroup(group.targets, (*group.labels, ("__meta_url", shown))) for group in groups]
