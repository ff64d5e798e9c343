"""Which process of a target a reply came from, by the facts that prove a new one.

A process is known by its start time, its build, its Go version, and counters that never fall while it runs. What no
process can do again is to come back after it ended: if it seems to, several processes answer at the address.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from pprof_exporter.profile import GoVersion
from pprof_exporter.scrape.identity.counter_tracks import CounterTracks, has_fallen

# The start time moves by a second when the clock of the host is corrected (/proc/stat btime).
_SAME_START = 2.0
# Seconds for which an ended process is remembered.
_MEMORY = 900.0
# After this many rounds without a contradiction, one process is left at the address.
_CALM_ROUNDS = 10
# A restart counts after so many rounds: one that is proven, one that the address of several processes would show too,
# and such a one after which yet another process came. By then six turns have shown several processes, or did not.
_PROVEN_ROUNDS, _HELD_ROUNDS, _DOUBTED_ROUNDS = 1, 5, 30
_RESTARTS_KEPT = 64
# A build that comes back once may be a rollback.
_BUILD_RETURNS = 2
# Replicas may start within the same two seconds. A host whose clock is corrected moves the start by a whole second, or
# once by any time; replicas move it at every turn.
_OTHER_START = 0.05
_START_TURNS = 4
# The clock of the exporter was set back: times of requests do not order replies any more.
_CLOCK_JUMP = 300.0


class ReplyOrigin(Enum):
    """What a reply means for the process of its target."""

    SAME = auto()
    """It came from the current process, or proves nothing."""
    NEW = auto()
    """It came from a new process: what the process before taught is over."""
    STALE = auto()
    """It was requested before the current process was first seen, and came from the one before."""
    MIXED = auto()
    """Several processes answer at this address."""


@dataclass(frozen=True, slots=True)
class ProcessEvidence:
    """What one reply tells about its process. `at` is the Unix time of the request."""

    at: float
    started: Mapping[str, float] = field(default_factory=dict)
    """Start of the process in Unix time, by source."""
    build: str = ""
    """The build of the program; "" if the reply does not tell."""
    go: Mapping[str, GoVersion] = field(default_factory=dict)
    """Exact Go version, by source: a metrics page may be that of another program."""
    go_at_least: GoVersion | None = None
    """The oldest Go version that the program can be of."""
    counters: Mapping[str, float] = field(default_factory=dict)
    """Counters since the start of the process, by name; they never fall."""


@dataclass(slots=True)
class _Process:
    """What is known of one process."""

    began: float
    started: dict[str, float] = field(default_factory=dict)
    build: str = ""
    go: dict[str, GoVersion] = field(default_factory=dict)
    go_at_least: GoVersion | None = None
    foreign_go: set[GoVersion] = field(default_factory=set)
    """Exact versions that are those of another program."""
    counters: dict[str, float] = field(default_factory=dict)
    counted_at: dict[str, float] = field(default_factory=dict)
    """When the value of each counter arrived (Unix time)."""
    foreign_builds: set[str] = field(default_factory=set)
    """Builds of the file at its path after it was replaced there: Go reads the build id from the path."""
    seen: float = 0.0
    """When it last answered (Unix time)."""
    ended: float = 0.0

    def learn(self, evidence: ProcessEvidence, now: float) -> None:
        self.seen = now
        self.started.update(evidence.started)
        if evidence.build not in self.foreign_builds:
            self.build = self.build or evidence.build
        self.go.update(evidence.go)
        self.go_at_least = max(filter(None, (self.go_at_least, evidence.go_at_least)), default=None)
        for name, value in evidence.counters.items():
            if value >= self.counters.get(name, value):
                self.counters[name], self.counted_at[name] = value, now

    def same_start(self, evidence: ProcessEvidence) -> bool | None:
        """Whether the start times agree; None without a common source."""
        common = [(self.started[source], at) for source, at in evidence.started.items() if source in self.started]
        return all(abs(one - other) <= _SAME_START for one, other in common) if common else None

    def started_before(self, evidence: ProcessEvidence) -> bool:
        """Whether the evidence is of a process that started after this one."""
        return any(at > self.started.get(source, at) + _SAME_START for source, at in evidence.started.items())

    def other_build(self, evidence: ProcessEvidence) -> bool:
        build = evidence.build
        return bool(build and self.build and build != self.build and build not in self.foreign_builds)

    def other_go(self, evidence: ProcessEvidence) -> bool:
        return any(self.go.get(source, version) != version for source, version in evidence.go.items())

    def older_go(self, evidence: ProcessEvidence) -> GoVersion | None:
        """An exact version that is older than what the program can be of, known and told together."""
        bounds = [bound for bound in (self.go_at_least, evidence.go_at_least) if bound is not None]
        exact = {*self.go.values(), *evidence.go.values()} - self.foreign_go
        return next((one for one in exact for bound in bounds if one.line < bound.line), None)

    def fell(self, evidence: ProcessEvidence) -> bool:
        """Whether a counter is lower than before.

        Not if the request was on its way when the higher value arrived: on a busy machine, the reply to an earlier
        request may come later.
        """
        return any(
            has_fallen(self.counters.get(name, value), value)
            and not 0 < self.counted_at.get(name, evidence.at) - evidence.at < _CLOCK_JUMP
            for name, value in evidence.counters.items()
        )

    def contradicts(self, evidence: ProcessEvidence) -> bool:
        return (
            self.same_start(evidence) is False
            or self.other_build(evidence)
            or self.other_go(evidence)
            or self.older_go(evidence) is not None
            or self.fell(evidence)
        )


@dataclass(slots=True)
class _Restart:
    """A restart that is not counted yet; it counts once it is `rounds` old."""

    at: float
    rounds: int


class ProcessTracker:
    """Tells the processes of one target apart, and counts restarts. Feed it in the order of arrival."""

    def __init__(self, interval: float) -> None:
        """`interval` is the seconds between two rounds: a restart counts once it is confirmed by later ones."""
        self._interval = interval
        self._current: _Process | None = None
        self._ended: deque[_Process] = deque(maxlen=64)
        self._unconfirmed: list[_Restart] = []
        self._lost_at: float | None = None
        """When a connection last failed, or a reply was cut (Unix time)."""
        self._restarts = 0
        self._restarted_at = deque[float](maxlen=_RESTARTS_KEPT)
        self._build_returns: deque[float] = deque(maxlen=_BUILD_RETURNS)
        self._start_turns: deque[float] = deque(maxlen=_START_TURNS)
        self._tracks: dict[frozenset[str], CounterTracks] = {}
        """By the names of the counters, which come in different replies."""
        self.starts_confirmed = 0
        """How often a reply told the start of the current process."""
        self._mixed_at: float | None = None
        self._older_go: GoVersion | None = None
        """The version that ended the process before, if it was too old."""

    @property
    def began(self) -> float | None:
        """When the current process was first seen (Unix time); None before any reply."""
        return self._current.began if self._current else None

    @property
    def started(self) -> float | None:
        """Unix time at which the current process started; None: unknown."""
        return min(self._current.started.values(), default=None) if self._current else None

    @property
    def runs_since(self) -> float | None:
        """When the current process started, or was first seen if that is unknown (Unix time)."""
        current = self._current
        return min((*current.started.values(), current.began)) if current else None

    @property
    def several(self) -> bool:
        """Whether several processes answer at this address."""
        return self._mixed_at is not None

    @property
    def restarts(self) -> int:
        """Confirmed restarts."""
        return self._restarts

    def restarts_since(self, at: float) -> int:
        """Confirmed restarts since `at` (Unix time); 64 are remembered."""
        return sum(one >= at for one in self._restarted_at)

    def doubts(self, evidence: ProcessEvidence) -> bool:
        """Whether only a start time can tell if this is a new process.

        Go reads the build id from the path of the program (runtime/pprof.elfBuildID). After an update of the package,
        a process that still runs the old program shows the build id of the new one. And a version that is too old for
        the program may be that of a metrics page of another program.
        """
        current = self._current
        if current is None or evidence.at < current.began or not current.started:
            return False
        if current.same_start(evidence) is not None:
            return False
        return current.other_build(evidence) or current.older_go(evidence) is not None

    def excuse(self, evidence: ProcessEvidence) -> None:
        """Record that these facts do not prove a new process, since the start time is the same."""
        current = self._current
        if current is None:
            return
        if current.other_build(evidence):
            current.foreign_builds.add(evidence.build)
        older = current.older_go(evidence)
        if older is not None:
            current.foreign_go.add(older)

    def connection_lost(self, now: float) -> None:
        """Record a failed connection or a reply that was cut: a process may have ended."""
        for tracks in self._tracks.values():
            tracks.connection_lost()
        self._lost_at = now
        self._confirm(now)

    def take(self, evidence: ProcessEvidence, now: float) -> ReplyOrigin:
        """Take in what a reply proves; `now` is Unix time."""
        if self._mixed_at is not None:
            return self._while_mixed(evidence, now)
        current = self._current
        if current is None:
            self._begin(evidence, now)
            return ReplyOrigin.SAME
        if evidence.at < current.began - _CLOCK_JUMP:
            current.began = evidence.at
        if evidence.at < current.began:
            return ReplyOrigin.STALE
        older = current.older_go(evidence)
        if older is not None and older == self._older_go:
            # It did not end with the process, so it is no version of this program.
            current.foreign_go.add(older)
        if self._alternates(current, evidence, now) or self._returns(current, evidence, now):
            self._mixed_at = now
            self._unconfirmed.clear()
            return ReplyOrigin.MIXED
        if not current.contradicts(evidence):
            current.learn(evidence, now)
            self._prove(evidence)
            self._confirm(now)
            self.starts_confirmed += bool(evidence.started)
            return ReplyOrigin.SAME
        self._older_go = older
        self._confirm(now)
        for restart in self._unconfirmed:
            if restart.rounds != _PROVEN_ROUNDS:
                restart.rounds = _DOUBTED_ROUNDS
        # Processes behind one address have earlier starts too, other builds and lower counters, but end no connection.
        lost = self._lost_at is not None and self._lost_at >= current.seen
        proven = lost or current.started_before(evidence)
        self._unconfirmed.append(_Restart(now, _PROVEN_ROUNDS if proven else _HELD_ROUNDS))
        self._end(current, now)
        self._begin(evidence, now)
        return ReplyOrigin.NEW

    def _while_mixed(self, evidence: ProcessEvidence, now: float) -> ReplyOrigin:
        """Until all replies agree for a while."""
        current = self._current
        assert current is not None and self._mixed_at is not None  # noqa: S101, PT018 - set together
        if current.contradicts(evidence):
            self._mixed_at = now
            self._end(current, now)
            self._begin(evidence, now)
            return ReplyOrigin.MIXED
        current.learn(evidence, now)
        if now - self._mixed_at <= _CALM_ROUNDS * self._interval:
            return ReplyOrigin.MIXED
        self._mixed_at = None
        self._ended.clear()
        self._build_returns.clear()
        self._start_turns.clear()
        self._tracks.clear()
        return ReplyOrigin.NEW

    def _begin(self, evidence: ProcessEvidence, now: float) -> None:
        self._current = _Process(evidence.at)
        self._current.learn(evidence, now)

    def _end(self, process: _Process, now: float) -> None:
        process.ended = now
        self._ended.append(process)

    def _prove(self, evidence: ProcessEvidence) -> None:
        """A start after those of all processes before proves the restarts that lower counters only suggest."""
        known = [one for one in self._ended if not one.started.keys().isdisjoint(evidence.started)]
        if known and all(one.started_before(evidence) for one in known):
            for restart in self._unconfirmed:
                restart.rounds = _PROVEN_ROUNDS

    def _confirm(self, now: float) -> None:
        """Count the restarts that are old enough: what comes back meanwhile was no restart."""
        due = [one for one in self._unconfirmed if now - one.at >= one.rounds * self._interval]
        self._restarts += len(due)
        self._restarted_at.extend(one.at for one in due)
        self._unconfirmed = [one for one in self._unconfirmed if one not in due]

    def _returns(self, current: _Process, evidence: ProcessEvidence, now: float) -> bool:
        """Whether a process answers that had ended."""
        recent = [one for one in self._ended if now - one.ended <= _MEMORY]
        if current.same_start(evidence) is False and any(one.same_start(evidence) for one in recent):
            return True
        if evidence.started or not current.other_build(evidence):
            return False
        return any(one.build == evidence.build for one in recent) and self._often(self._build_returns, now)

    def _alternates(self, current: _Process, evidence: ProcessEvidence, now: float) -> bool:
        """Whether start times that are close together, or counters, come from several processes by turns."""
        moved = (abs(at - current.started.get(source, at)) for source, at in evidence.started.items())
        if any(_OTHER_START < by <= _SAME_START and abs(by - 1) > _OTHER_START for by in moved):
            return self._often(self._start_turns, now)
        if not evidence.counters or current.started:
            # Start times are certain, counters are not.
            return False
        tracks = self._tracks.setdefault(frozenset(evidence.counters), CounterTracks())
        return tracks.alternate(evidence.counters, now)

    def _often(self, returns: deque[float], now: float) -> bool:
        returns.append(now)
        return len(returns) == returns.maxlen and now - returns[0] <= _MEMORY
