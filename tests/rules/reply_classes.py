"""Targets whose endpoints answer in every combination of ways, as series over time for promtool.

Each target runs through the fetch policy, the schedule and the intake of the exporter at a clock that is set. Only the
network and the decoding are left out: what they make of each reply is pinned in `test_statuses`, `test_errors`,
`test_fetcher` and `test_decode_bytes`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, product
from random import Random

from pprof_exporter.catalog import Family, Reason, ReasonGroup, fetching
from pprof_exporter.catalog.root_causes import RootCause
from pprof_exporter.catalog.vocabulary import CANARY, INDEX
from pprof_exporter.clock import ManualClock
from pprof_exporter.config import Settings, parse_target
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.exposition.target_series import TargetSeries
from pprof_exporter.profile import KINDS, DecodeError, IndexPage, KnownGoVersion, read_index
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.identity.facts import ProcessFacts
from pprof_exporter.scrape.intake import Intake
from pprof_exporter.scrape.state.observation import Observation, observe
from pprof_exporter.scrape.state.target_state import TargetState
from pprof_exporter.scrape.target.collector import Collector
from pprof_exporter.scrape.target.context import TargetContext
from pprof_exporter.scrape.target.limiter import FetchLimiter
from pprof_exporter.scrape.target.policy import FetchPolicy
from pprof_exporter.scrape.target.schedule import Schedule
from pprof_exporter.scrape.target.scraper import TargetScraper
from pprof_exporter.store import Store
from tests.recorded import RECORDINGS

HEALTHY_MINUTES = 20
MINUTES = 76
"""From the fault to the evaluation: longer than each alert waits, the half hour of a stale profile included."""
STEP = 120
"""Seconds from one scrape to the next."""

_RECORDED = RECORDINGS / "linux-go1.27.3"
_WATCHED = ("cpu", "heap", "goroutine")
_PHASES = Phases(0, 0.001, 0, 0.002, 0.001)
_FAMILIES = {
    fetching.UP,
    fetching.DOWN,
    fetching.WEDGED,
    fetching.AVAILABLE,
    fetching.FETCHES,
    fetching.FETCH_FAILURES,
    fetching.DECODE_FAILURES,
    fetching.LAST_SUCCESS,
}


class Answer(StrEnum):
    """What an endpoint answers, by the reason that the exporter has for it."""

    OK = "200 with the right content"
    PLAIN_404 = "404 of a router"
    PPROF_404 = "404 of pprof"
    REDIRECT = "302 to a login page"
    HTML = "200 with HTML"
    TEXT = "200 with other text or JSON"
    EMPTY = "200 without a body"
    UNAUTHORIZED = "401 or 403"
    METHOD = "405"
    WRITE_TIMEOUT = "400 for the WriteTimeout"
    ERROR = "500 or 503"
    BUSY = "500 for another profiler"
    SILENT = "no reply before the deadline"
    SLOW_BODY = "a body that does not end before the deadline"
    UNREACHABLE = "connection refused"
    CLOSED = "closed without a reply"
    NOT_HTTP = "another protocol"
    ENCODED = "200 in an encoding that is not known"
    CUT_GZIP = "a truncated gzip stream"
    NO_PROTO = "gzip without a profile"


_REASONS: dict[Answer, tuple[Reason, type[FetchError | DecodeError]]] = {
    Answer.PLAIN_404: (Reason.NOT_MOUNTED, FetchError),
    Answer.REDIRECT: (Reason.HTTP_3XX, FetchError),
    Answer.PPROF_404: (Reason.UNKNOWN_PROFILE, FetchError),
    Answer.HTML: (Reason.HTML, DecodeError),
    Answer.TEXT: (Reason.TEXT, DecodeError),
    Answer.EMPTY: (Reason.EMPTY, DecodeError),
    Answer.UNAUTHORIZED: (Reason.UNAUTHORIZED, FetchError),
    Answer.METHOD: (Reason.METHOD, FetchError),
    Answer.WRITE_TIMEOUT: (Reason.WRITE_TIMEOUT, FetchError),
    Answer.ERROR: (Reason.HTTP_5XX, FetchError),
    Answer.BUSY: (Reason.BUSY, FetchError),
    Answer.SILENT: (Reason.TIMEOUT_HEADER, FetchError),
    Answer.SLOW_BODY: (Reason.TIMEOUT_BODY, FetchError),
    Answer.UNREACHABLE: (Reason.CONNECT, FetchError),
    Answer.CLOSED: (Reason.CLOSED, FetchError),
    Answer.NOT_HTTP: (Reason.NOT_HTTP, FetchError),
    Answer.ENCODED: (Reason.ENCODING, FetchError),
    Answer.CUT_GZIP: (Reason.TRUNCATED, DecodeError),
    Answer.NO_PROTO: (Reason.PROTO, DecodeError),
}
_OTHER_PAGES = {Answer.PLAIN_404, Answer.REDIRECT, Answer.HTML, Answer.TEXT, Answer.EMPTY}
"""What a server without pprof answers."""
_OF_PROFILES = {Answer.CUT_GZIP, Answer.NO_PROTO, Answer.PPROF_404, Answer.WRITE_TIMEOUT, Answer.BUSY}
"""What an index page or a text cannot answer, since it is neither compressed nor a profile."""


@dataclass(frozen=True, slots=True)
class Server:
    """What each group of endpoints answers: the index page, the canary, profiles of an instant, and CPU profiles."""

    index: Answer
    canary: Answer
    instant: Answer
    cpu: Answer
    healthy_before: bool

    def answer(self, name: str) -> Answer:
        """What is answered to a fetch of this name."""
        return {INDEX: self.index, CANARY: self.canary, "cpu": self.cpu}.get(name, self.instant)


_KINDS = (
    Answer.OK,
    Answer.PLAIN_404,
    Answer.HTML,
    Answer.UNAUTHORIZED,
    Answer.ERROR,
    Answer.BUSY,
    Answer.SILENT,
    Answer.UNREACHABLE,
    Answer.CUT_GZIP,
    Answer.NO_PROTO,
)
"""One answer of each kind that the exporter or a rule tells apart; the others differ from one of them by the reason."""


def servers() -> Iterator[Server]:
    """The combinations of one answer of each kind, and each single answer beside good ones.

    Where the index page says that the target is down, nothing else is asked for. A redirect, or a page of text or
    without a body, in its place counts as one of HTML does, so that these have fewer combinations, and so have servers
    that break later.
    """
    pages = [answer for answer in Answer if answer not in _OF_PROFILES]
    for before, index in product((False, True), pages):
        if index is not Answer.OK and index not in _OTHER_PAGES:
            yield Server(index, Answer.OK, Answer.OK, Answer.OK, before)
            continue
        few = before or index in (Answer.REDIRECT, Answer.TEXT, Answer.EMPTY)
        answers = _FEW if few else _KINDS
        for instant, cpu in product(answers, answers):
            texts = [_text(instant)] if few else [answer for answer in _KINDS if answer not in _OF_PROFILES]
            for text in texts:
                yield Server(index, text, instant, cpu, before)
    for answer in Answer:
        yield Server(Answer.OK, _text(answer), answer, Answer.OK, healthy_before=False)
        yield Server(Answer.OK, Answer.OK, answer, Answer.OK, healthy_before=False)
        yield Server(Answer.OK, Answer.OK, Answer.OK, answer, healthy_before=False)


_FEW = (Answer.OK, Answer.PLAIN_404, Answer.HTML, Answer.ERROR, Answer.NO_PROTO)


def _text(instant: Answer) -> Answer:
    """What the canary answers where profiles of an instant answer this."""
    return Answer.PLAIN_404 if instant in _OF_PROFILES else instant


def expected(server: Server) -> RootCause | None:
    """The one root cause of a server, worked out from its answers alone; None: it is healthy, or has only notes."""
    if server.index is not Answer.OK and server.index not in _OTHER_PAGES:
        if server.index is Answer.SILENT:
            return RootCause.HANGS
        refused = server.index in (Answer.UNAUTHORIZED, Answer.METHOD)
        return RootCause.REFUSED if refused else RootCause.DOWN
    listed = server.index is Answer.OK
    if not listed and Answer.OK not in (server.instant, server.cpu):
        return RootCause.NOT_MOUNTED
    answers = {server.canary, server.instant, server.cpu}
    causes = {cause for answer in answers if (cause := _cause(answer, server, listed=listed)) is not None}
    if server.instant is Answer.SILENT:
        # The goroutine profile is among them.
        causes.add(RootCause.HANGS)
    return min(causes, key=list(RootCause).index, default=None)


def _cause(answer: Answer, server: Server, *, listed: bool) -> RootCause | None:
    if answer is Answer.OK:
        return None
    reason, _ = _REASONS[answer]
    if not listed and (answer in _OTHER_PAGES or answer is Answer.PPROF_404):
        # Nothing says that the server should have it, unless it had.
        return RootCause.STALE if server.healthy_before else None
    match reason.group:
        case ReasonGroup.REFUSED | ReasonGroup.NOT_MOUNTED | ReasonGroup.UNKNOWN_PROFILE:
            return RootCause.REJECTED
        case ReasonGroup.BUSY:
            return RootCause.CONFLICT
        case ReasonGroup.OTHER_PAGE | ReasonGroup.UNDECODABLE:
            return RootCause.UNREADABLE
        case _:
            return RootCause.UNREADABLE if reason is Reason.TRUNCATED else RootCause.FAILING


class _Sink:
    """Takes the series that the rules of reachability read."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, family: Family, labels: dict[str, str], value: float) -> None:
        if family in _FAMILIES and not (family is fetching.FETCHES and not value):
            own = "".join(f',{name}="{text}"' for name, text in sorted(labels.items()) if name != "target")
            self.values[f"{family.name}{{TARGET{own}}}"] = float(value)

    def add_known(self, family: Family, labels: dict[str, str], value: float | None) -> None:
        if value is not None:
            self.add(family, labels, value)

    def add_histogram(self, family: Family, labels: dict[str, str], counts: Sequence[int], total: float) -> None:
        """None is read."""


class _NoClient:
    async def get(self, *_: object, **__: object) -> Reply:
        raise NotImplementedError


class Simulation:
    """Runs targets one after the other, each from time 0."""

    def __init__(self) -> None:
        self._store = Store.open(None, 0)
        self._index: IndexPage = read_index((_RECORDED / "index.html").read_bytes())
        profiles = {
            name: dataclasses.replace(settings, interval=60, enabled=name in (*_WATCHED, CANARY))
            for name, settings in default_profiles().items()
        }
        self._target = parse_target("shop:6060")
        self._settings = Settings((self._target,), profiles, index_interval=60)
        self._observed: dict[str, Observation] = {}

    def series(self, server: Server) -> dict[str, list[float | None]]:
        """The values of each series, one for each scrape; None while it is absent."""
        clock = ManualClock()
        state = TargetState(self._target, self._settings, self._store, clock)
        context = TargetContext(
            self._target, self._settings, _NoClient(), FetchLimiter(self._settings.limits), clock, state
        )
        scraper = TargetScraper(context, Random(1))
        policy = FetchPolicy(context, scraper.collectors, Random(1))
        due = {collector: Schedule(collector.name, collector.interval, now=0) for collector in scraper.collectors}
        page = Schedule(INDEX, scraper.index.interval, now=0)
        fault = HEALTHY_MINUTES * 60 if server.healthy_before else 0
        taken: list[dict[str, float]] = []
        recoveries = state.recoveries
        while len(taken) <= (fault + MINUTES * 60) // STEP:
            clock.at = min(page.due, len(taken) * STEP, *(schedule.due for schedule in due.values()))
            broken = clock.at >= fault
            if page.due <= clock.at:
                self._ask(context.intake, state, INDEX, server.index if broken else Answer.OK)
                page.advance(clock.at)
            for collector, schedule in due.items():
                if schedule.due > clock.at:
                    continue
                if policy.allows(collector, running=False):
                    answer = server.answer(collector.name) if broken else Answer.OK
                    self._run(context.intake, state, policy, collector, answer)
                if recoveries != state.recoveries:
                    recoveries = state.recoveries
                    policy.on_recovery()
                schedule.advance(clock.at)
            if len(taken) * STEP <= clock.at:
                sink = _Sink()
                TargetSeries(sink, state, clock.at).add()
                taken.append(sink.values)
        names = sorted(set().union(*taken))
        return {name: [values.get(name) for values in taken] for name in names}

    def _run(
        self, intake: Intake, state: TargetState, policy: FetchPolicy, collector: Collector, answer: Answer
    ) -> None:
        if self._ask(intake, state, collector.name, answer):
            policy.succeeded(collector)
        else:
            policy.failed(collector)

    def _ask(self, intake: Intake, state: TargetState, name: str, answer: Answer) -> bool:
        now = intake._clock.now()
        if answer is not Answer.OK:
            reason, error = _REASONS[answer]
            if name == CANARY:
                unanswered = reason.group in (ReasonGroup.TIMEOUT, ReasonGroup.SERVER_ERROR, ReasonGroup.UNREACHABLE)
                if unanswered:
                    intake.canary(state.canary.during, None)
                else:
                    intake.no_canary()
            intake.failed(name, error(reason, ""))
            return False
        if name == INDEX:
            intake.index(self._index, now, _PHASES)
        elif name == CANARY:
            intake.canary(state.canary.during, 0.004)
            intake.latency_without_modules(now, _PHASES)
        else:
            profile = state.profiles[name]
            intake.profile(profile, self._observation(name, now), _PHASES)
        return True

    def _observation(self, name: str, now: float) -> Observation:
        if name not in self._observed:
            kind = KINDS[name]
            file = {"cpu": "cpu_burn1.pb.gz"}.get(name, f"{name}.pb.gz")
            reply = Reply((_RECORDED / file).read_bytes(), _PHASES, 0)
            found = observe(kind, reply, window=kind.window, previous=None, used=None, max_bytes=2**26)
            nothing = tuple(None for _ in kind.values)
            # Without an identity of the process, which no rule here reads.
            facts = ProcessFacts(None, (), KnownGoVersion())
            self._observed[name] = dataclasses.replace(found, by_function=nothing, readings=(), facts=facts)
        return dataclasses.replace(self._observed[name], at=now)


def promtool_values(values: Sequence[float | None]) -> str:
    """The values in promtool's notation; runs are written short."""
    written: list[str] = []
    for at, (value, run) in enumerate((value, len(list(group))) for value, group in groupby(values)):
        if value is None:
            # A series that ends is marked, as a scrape without it does.
            written.append("stale" if at else "_")
            written += [f"_x{run - 1}"] if run > 1 else []
        else:
            written.append(f"{value:g}x{run - 1}" if run > 1 else f"{value:.12g}")
    return " ".join(written)
