"""One request with its redirects: its current URL, whether credentials are sent, and its phases."""

from __future__ import annotations

import time

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import parse_reference
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.phases import Phases, Stopwatch
from pprof_exporter.scrape.client.reserved_addresses import RedirectGuard

REDIRECT_STATUSES = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 10
_MAX_SHOWN = 200


class Connection:
    """A request that begins at `url`; `asked_at` is Unix time."""

    def __init__(self, url: URL, asked_at: float) -> None:
        self.asked_at = asked_at
        self.url = url.with_user(None)
        self.stopwatch = Stopwatch()
        self.same_origin = True
        """Whether every redirect kept scheme, host and port. Credentials are sent only then."""
        self.guard = RedirectGuard()
        self.latest_redirect = ""
        """Status and location of the latest redirect, for people."""
        self._earlier: list[Stopwatch] = []

    def follow_redirect(self, location: str, status: int) -> None:
        """Follow a redirect. Raises `FetchError` if its URL is unusable, or after too many redirects."""
        redirect = f"HTTP {status}: {location[:_MAX_SHOWN]}"
        if len(self._earlier) == _MAX_REDIRECTS:
            raise FetchError(Reason.HTTP_3XX, f"more than {_MAX_REDIRECTS} redirects, the last was {redirect}")
        try:
            url = parse_reference(self.url, location).with_user(None)
        except BadUrl:
            raise FetchError(Reason.HTTP_3XX, f"{redirect}, which is not an http or https URL") from None
        self.same_origin = self.same_origin and url.origin() == self.url.origin()
        self.url = url
        self.guard.redirected = True
        self.latest_redirect = redirect
        self.stopwatch.ended = time.perf_counter()
        self._earlier.append(self.stopwatch)
        self.stopwatch = Stopwatch()

    def phases(self, window: float) -> Phases:
        """The phases of all requests, added up."""
        return sum((watch.phases(0) for watch in self._earlier), self.stopwatch.phases(window))
