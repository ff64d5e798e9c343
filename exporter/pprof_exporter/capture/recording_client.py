"""A client that keeps what each request brought, so that a round can be written down."""

from __future__ import annotations

from collections.abc import Callable

from yarl import URL

from pprof_exporter.capture.format import (
    FILES,
    METRICS,
    MUTEX_RATE,
    WITHOUT_MODULES,
    RecordedCanary,
    RecordedFetch,
)
from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.vocabulary import INDEX, MEMSTATS, TRACE
from pprof_exporter.clock import Clock
from pprof_exporter.config import Settings, Target
from pprof_exporter.profile import KINDS, DecodeError
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter, Reply
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.scrape.target.round import Round

_CANARY = "cmdline"
_IN_TEXT = {"heap": MEMSTATS, "mutex": MUTEX_RATE, "threadcreate": WITHOUT_MODULES}
_BY_PATH = {kind.path: name for name, kind in KINDS.items()} | {TRACE: TRACE, "": INDEX}


class RecordingClient:
    """Asks one target through another getter. Of each thing it keeps what the latest request brought."""

    def __init__(self, getter: Getter, target: Target, settings: Settings, clock: Clock) -> None:
        self._getter = getter
        self._clock = clock
        self._root = target.url
        self._page = settings.metrics_page.of(target.url)
        self.during: Callable[[], During] = lambda: During.REST
        """What goes on now."""
        self.fetches: dict[str, RecordedFetch] = {}
        self.bodies: dict[str, bytes] = {}
        """By the name of the file."""
        self.canary: list[RecordedCanary] = []

    def follow(self, round_: Round) -> None:
        """Learn from a round what runs while a canary is timed, and which reply could not be decoded."""
        self.during = lambda: round_.state.canary.during
        round_.on_undecodable = self.refuse

    def forget(self) -> None:
        """Begin another round."""
        self.fetches, self.bodies, self.canary = {}, {}, []

    async def get(self, url: URL, *, query: dict[str, str] | None = None, timeout: float, window: float = 0) -> Reply:
        """Fetch as ever, and note what came; raises `FetchError`."""
        asked_at, during = self._clock.now(), self.during()
        name = self._name(url, query)
        try:
            reply = await self._getter.get(url, query=query, timeout=timeout, window=window)
        except FetchError as error:
            if name == _CANARY:
                self.canary.append(RecordedCanary(during, None))
            elif name:
                outcome = Outcome.BUSY if error.reason is Reason.BUSY else Outcome.FAILURE
                self.bodies.pop(FILES.get(name, ""), None)
                self.fetches[name] = RecordedFetch(
                    name, None, asked_at, window, None, outcome, error.reason, error.detail
                )
            raise
        if name == _CANARY:
            # As for the exporter itself: a window that began or ended meanwhile makes it neither.
            if self.during() is during:
                self.canary.append(RecordedCanary(during, reply.phases.total))
        elif name:
            self._note(name, reply, window)
        return reply

    def refuse(self, name: str, error: DecodeError) -> None:
        """Note that what came was no profile."""
        came = self.fetches.get(name)
        if came is not None:
            self.fetches[name] = RecordedFetch(
                name, came.file, came.asked_at, came.window, came.phases, Outcome.FAILURE, error.reason, error.detail
            )

    def _note(self, name: str, reply: Reply, window: float) -> None:
        file = FILES.get(name)
        if file is not None:
            self.bodies[file] = reply.body
        self.fetches[name] = RecordedFetch(name, file, reply.asked_at, window, reply.phases, Outcome.SUCCESS)

    def _name(self, url: URL, query: dict[str, str] | None) -> str:
        """What is asked for; "" if that is nothing to keep."""
        if url == self._page:
            return METRICS
        path = url.path.removeprefix(self._root.path)
        if path == _CANARY:
            return _CANARY
        if query and "debug" in query:
            return _IN_TEXT.get(path, "")
        return _BY_PATH.get(path, "")
