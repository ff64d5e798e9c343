"""The way of one request with its redirects: where it is, whether credentials may go along, and what it took."""

from __future__ import annotations

import time

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.phases import Phases, Stopwatch, start_stopwatch

REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_MOST = 10
_SHOWN = 200


class Connection:
    """Begins at a URL, at a Unix time."""

    def __init__(self, url: URL, asked_at: float) -> None:
        self.asked_at = asked_at
        self.url = url.with_user(None)
        self.watch = start_stopwatch()
        self.at_home = True
        """Whether no redirect led away from the scheme, host and port that were asked first: credentials stay there."""
        self._before: list[Stopwatch] = []

    def go_on(self, location: str, status: int) -> None:
        """Follow a redirect. Raises `FetchError` if it leads nowhere, or they go on for ever."""
        said = f"HTTP {status}: {location[:_SHOWN]}"
        if len(self._before) == _MOST:
            raise FetchError(Reason.NOT_MOUNTED, f"more than {_MOST} redirects, the last was {said}")
        try:
            url = self.url.join(URL(location)).with_user(None)
            leads = url.scheme in ("http", "https") and bool(url.host)
        except ValueError:
            leads = False
        else:
            self.at_home = self.at_home and leads and url.origin() == self.url.origin()
            self.url = url
        if not leads:
            raise FetchError(Reason.NOT_MOUNTED, f"{said}, which is not an http or https URL")
        self.watch.ended = time.perf_counter()
        self._before.append(self.watch)
        self.watch = start_stopwatch()

    def phases(self, window: float) -> Phases:
        """Those of all requests together."""
        return sum((watch.phases(0) for watch in self._before), self.watch.phases(window))
