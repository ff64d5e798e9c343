"""http_sd_configs: a URL that answers with a JSON list of targets."""

from __future__ import annotations

import json

import aiohttp
from yarl import URL

from pprof_exporter import __version__
from pprof_exporter.config import Group, HttpSource
from pprof_exporter.scrape.discovery.groups import SourceError, read_document

_PATIENCE = aiohttp.ClientTimeout(total=30)
_LARGEST = 64 * 2**20


class Http:
    """One URL."""

    def __init__(self, source: HttpSource, session: aiohttp.ClientSession) -> None:
        self._source = source
        self._session = session
        self.next_in = source.refresh

    async def read(self) -> list[Group]:
        """The groups that the URL lists. Raises `SourceError`."""
        source = self._source
        headers = {
            "Accept": "application/json",
            "User-Agent": f"pprof-exporter/{__version__}",
            "X-Prometheus-Refresh-Interval-Seconds": f"{source.refresh:g}",
        }
        try:
            async with self._session.get(source.url, headers=headers, timeout=_PATIENCE) as reply:
                if reply.status != 200:
                    raise SourceError(f"HTTP {reply.status}")
                if reply.content_type != "application/json":
                    raise SourceError(f"the reply is {reply.content_type}, not application/json")
                body = bytearray()
                async for piece in reply.content.iter_any():
                    body += piece
                    if len(body) > _LARGEST:
                        raise SourceError(f"more than {_LARGEST} bytes")
                groups = read_document(json.loads(body))
        except (aiohttp.ClientError, OSError, ValueError, RecursionError) as error:
            raise SourceError(str(error) or type(error).__name__) from None
        # The URL may hold a password, and the label may be mapped to one that everybody sees.
        shown = str(URL(source.url).with_user(None))
        return [Group(group.targets, (*group.labels, ("__meta_url", shown))) for group in groups]
