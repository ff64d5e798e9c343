"""A client that holds the result of each request, so that a round can be written to a capture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from yarl import URL

from pprof_exporter.capture.format import (
    FILE_NAMES,
    METRICS_PAGE,
    MUTEX_RATE,
    WITHOUT_MODULES,
    RecordedCanary,
    RecordedFetch,
)
from pprof_exporter.catalog import UNANSWERED, Outcome, Reason, ReasonGroup
from pprof_exporter.catalog.vocabulary import CANARY, INDEX, MEMSTATS, TRACE
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import KINDS, DecodeError, check_cmdline
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter, Reply
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.scrape.target.round import Round

_CANARY = "cmdline"
_IN_TEXT = {"heap": MEMSTATS, "mutex": MUTEX_RATE, "threadcreate": WITHOUT_MODULES}
_BY_PATH = {kind.path: name for name, kind in KINDS.items()} | {TRACE: TRACE, "": INDEX}


class RecordingClient:
    """Fetches from one target through another getter, and holds the latest result of each request."""

    def __init__(self, getter: Getter, target: Target, settings: Settings, clock: Clock) -> None:
        self._getter = getter
        self._clock = clock
        self._root = target.url
        self._page = settings.metrics_page.of(target.url)
        self.during: Callable[[], During] = lambda: During.REST
        """The activity of the target now, for canary requests."""
        self.fetches: dict[str, RecordedFetch] = {}
        self.bodies: dict[str, bytes] = {}
        """Reply bodies by file name."""
        self.canary: list[RecordedCanary] = []

    def follow(self, round_: Round) -> None:
        """Learn from a round what runs while a canary is timed, and which reply could not be decoded."""
        self.during = lambda: round_.state.canary.during
        round_.on_undecodable = self.mark_undecodable

    def start_round(self) -> None:
        """Begin another round."""
        self.fetches, self.bodies, self.canary = {}, {}, []

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,  # noqa: ARG002 - see below
    ) -> Reply:
        """Fetch through the other getter, and record the result: the whole body, also where an excerpt is enough.

        Raises `FetchError`.
        """
        asked_at, during = self._clock.now(), self.during()
        name = self._name(url, query)
        try:
            reply = await self._getter.get(url, query=query, timeout=timeout, window=window)
        except FetchError as error:
            if error.reason.group is ReasonGroup.OWN:
                # Nothing about the target, now or when the capture is read.
                raise
            if name == _CANARY:
                if error.reason in UNANSWERED:
                    self.canary.append(RecordedCanary(during, None))
            elif name:
                outcome = Outcome.BUSY if error.reason is Reason.BUSY else Outcome.FAILURE
                self.bodies.pop(FILE_NAMES.get(name, ""), None)
                self.fetches[name] = RecordedFetch(
                    name, None, asked_at, window, None, outcome, error.reason, error.detail, error.hint
                )
            raise
        if name == _CANARY:
            # As in the exporter: if a window began or ended meanwhile, the request counts for neither state.
            if self.during() is during and _is_cmdline(reply):
                self.canary.append(RecordedCanary(during, reply.phases.total))
        elif name:
            self._record(name, reply, window)
        return reply

    def mark_undecodable(self, name: str, error: DecodeError) -> None:
        """Record that the reply was not a valid profile."""
        name = WITHOUT_MODULES if name == CANARY else name
        came = self.fetches.get(name)
        if came is not None:
            self.fetches[name] = replace(
                came, outcome=Outcome.FAILURE, reason=error.reason, detail=error.detail, hint=error.hint
            )

    def _record(self, name: str, reply: Reply, window: float) -> None:
        file = FILE_NAMES.get(name)
        if file is not None:
            self.bodies[file] = reply.body
        self.fetches[name] = RecordedFetch(name, file, reply.asked_at, window, reply.phases, Outcome.SUCCESS)

    def _name(self, url: URL, query: dict[str, str] | None) -> str:
        """What the request fetches; "" if it is not recorded."""
        if url == self._page:
            return METRICS_PAGE
        path = url.path.removeprefix(self._root.path)
        if path == _CANARY:
            return _CANARY
        if query and "debug" in query:
            return _IN_TEXT.get(path, "")
        return _BY_PATH.get(path, "")


def _is_cmdline(reply: Reply) -> bool:
    """Whether pprof can have sent it: anything else is no canary, as in the exporter."""
    try:
        check_cmdline(reply.body, reply.content_type)
    except DecodeError:
        return False
    return True
