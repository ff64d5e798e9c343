"""The identity of a target: what its current process proves, and the epoch that it belongs to.

A new process is held open until its identity is whole, and is then compared once with what the target was before. Facts
belong to a process: they end with it, and only grow while it runs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from pprof_exporter.catalog.regressions import LEVELS, SAMPLED_PROCESSORS, USED_PROCESSORS
from pprof_exporter.config import Target
from pprof_exporter.health import KnownBug, known_bugs
from pprof_exporter.profile import (
    KnownGoVersion,
    Module,
    ModuleRole,
    System,
    VersionSource,
    combine_go_versions,
    same_path,
)
from pprof_exporter.scrape.identity.change import ChangeEvent, change_event
from pprof_exporter.scrape.identity.facts import ProcessFacts
from pprof_exporter.scrape.identity.process import ProcessEvidence, ProcessTracker, ReplyOrigin
from pprof_exporter.scrape.identity.program import (
    build_of,
    core_modules,
    foreign_modules,
    main_module,
    program_of,
    software,
)
from pprof_exporter.store import (
    Change,
    Comparison,
    Epoch,
    Fingerprint,
    Store,
    age_band,
    changed_parts,
    overlay_fingerprint,
)

# Replicas of a service share their epochs; this label of a target names the service.
_SERVICE_LABEL = "service"
_UNKNOWN = "unknown"

DEFAULT_ROUND = 30.0
"""Seconds between two rounds by default."""
_ROUNDS = 3
"""Rounds after which parts that are still unknown are given up."""
# Age of a process, in rounds, from which its rates count: by default five minutes.
_WARM = 10
# Age from which its levels count, and the CPU time that they are held against: by default half an hour.
_SETTLED = 60
# Values of a new process wait for its epoch; three rounds have about a hundred.
_MOST_HELD = 2000


class Identity:
    """The identity of one target."""

    def __init__(self, target: Target, store: Store, interval: float = DEFAULT_ROUND) -> None:
        """`interval` is the seconds between two rounds. Longer ones count as the default."""
        self._store = store
        self._target = target.name
        self._service = dict(target.labels).get(_SERVICE_LABEL, target.name)
        self._interval = min(interval, DEFAULT_ROUND)
        self.process = ProcessTracker(self._interval)
        self.version_evidence: dict[VersionSource, KnownGoVersion] = {}
        """The best of each source."""
        self.system: System | None = None
        self.modules: tuple[Module, ...] = ()
        self.mutex_profiling: bool | None = None
        self.changes: Counter[Change] = Counter()
        self.last_change: dict[Change, float] = {}
        """When each kind of change was last seen, in Unix time."""
        self.last_event: ChangeEvent | None = None
        self.epoch: Epoch | None = None
        self.comparison: Comparison | None = None
        self.comparison_due = False
        """Whether an upgrade or rollback was found since the latest comparison."""
        self.whole = False
        """Whether the identity of the current process is known as far as it will be."""
        self._began: float | None = None
        self._moved = False
        self._label = ""
        self._known = Fingerprint()
        """The latest known value of each part, of this process or an earlier one."""
        self._own = Fingerprint()
        """That of the current process when it was last compared."""
        self._fingerprint: tuple[tuple[System | None, tuple[Module, ...], KnownGoVersion], Fingerprint] | None = None
        """The latest that was made, and what of."""
        self._held: deque[tuple[str, float, float]] = deque(maxlen=_MOST_HELD)
        self._resume()

    @property
    def go(self) -> KnownGoVersion:
        """The known Go version."""
        return combine_go_versions(self.version_evidence.values())

    @property
    def go_version(self) -> str:
        """The version as a label: exact, a lower bound with +, or unknown. A lower bound stays while a process runs."""
        go = self.go
        if go.exact is not None:
            return str(go.exact).removeprefix("go")
        if self._label:
            return self._label
        return f"{str(go.at_least).removeprefix('go')}+" if go.at_least is not None else _UNKNOWN

    @property
    def program(self) -> str:
        """Base name of the program, or unknown."""
        return program_of(self.modules) or _UNKNOWN

    @property
    def build(self) -> str:
        """A digest that changes with the build of the program, or unknown: Go before 1.24 has no build id on Linux."""
        return build_of(self.modules) or _UNKNOWN

    @property
    def foreign_modules(self) -> list[str]:
        """Base names of modules that belong to neither the system nor the program; only Windows lists all modules."""
        return foreign_modules(self.modules) if self.system is System.WINDOWS else []

    @property
    def core_modules(self) -> dict[str, float]:
        """Base name of each core module of Windows, and when its file was changed (Unix time)."""
        return {name: modified.timestamp() for name, modified in core_modules(self.modules).items()}

    @property
    def known_bugs(self) -> tuple[KnownBug, ...]:
        """Bugs of Go that this target is known to have."""
        return known_bugs(self.system.value if self.system else None, self.go.exact, self.mutex_profiling)

    @property
    def fingerprint(self) -> Fingerprint:
        """What distinguishes this process from others, as far as it is known."""
        facts = self.system, self.modules, self.go
        if self._fingerprint is None or self._fingerprint[0] != facts:
            self._fingerprint = facts, software(*facts)
        return self._fingerprint[1]

    def take(self, evidence: ProcessEvidence, now: float) -> ReplyOrigin:
        """Take in what a reply proves about its process. After a new one, nothing of the process before is known."""
        mixed = self.process.several
        origin = self.process.take(evidence, now)
        if origin in (ReplyOrigin.NEW, ReplyOrigin.MIXED):
            self._forget()
            if not mixed:
                self._store.control.upgraded(self._target, evidence.at)
        if self._began is None:
            self._began = evidence.at
        return origin

    def learn_version(self, evidence: KnownGoVersion) -> None:
        """Take in evidence of the Go version."""
        if evidence.source is None:
            return
        known = self.version_evidence.get(evidence.source)
        if known is None or _is_better(evidence, known):
            self.version_evidence[evidence.source] = evidence

    def learn(self, facts: ProcessFacts) -> None:
        """Take in modules, system and version from a profile. One that shows nothing changes nothing."""
        self.system = facts.system or self.system
        if main_module(facts.modules) is not None:
            self.modules = _united(self.modules, facts.modules)
        self.learn_version(facts.version)

    def settle(self, now: float, *, complete: bool = False) -> bool:
        """Enter the epoch of the process, if its identity is whole. Returns whether an upgrade or rollback was found.

        `complete`: a whole round has been fetched, after which no other follows soon.
        """
        if self.process.several:
            return False
        fingerprint = self.fingerprint
        if not self.whole and not self._is_whole(fingerprint, now, complete=complete):
            return False
        # A part that was unknown until now belongs to the event with which the process began.
        grown = not changed_parts(self._own, fingerprint)
        at = self._began if grown and self._began is not None else now
        changes = changed_parts(self._known, fingerprint)
        earlier = self.last_event if grown and self._moved else None
        if changes:
            self._tell(change_event(at, self._known, fingerprint, changes, earlier))
            self.comparison_due = True
            if not grown:
                # The process runs on: no new one has told the control group that before and after meet here.
                self._store.control.upgraded(self._target, at)
        moved = bool(changes) and earlier is None
        self.epoch = self._store.enter(self._service, self._target, fingerprint, now, since=at, moved=moved)
        self._known = overlay_fingerprint(self._known, fingerprint)
        self._own, self._moved = fingerprint, self._moved or moved
        if not self.whole:
            self.whole = True
            self._label = "" if self.go.exact else self.go_version
        self._release()
        return bool(changes)

    def observe(self, signal: str, value: float, now: float) -> None:
        """Add a value to the statistics of the target's epoch; it waits until the epoch is known."""
        if self.process.several:
            return
        self._store.measured(signal, value)
        self._hold(now, (signal, value))

    def observe_resource(self, signal: str, value: float, now: float) -> None:
        """Add a value of one of `RESOURCES`, unless the process is too young for it.

        A process that starts loads and connects, and its caches are empty: its rates are high, its levels low.
        """
        if self.process.several:
            return
        self._store.measured(signal, value)
        began = self.process.runs_since
        age = 0.0 if began is None else (now - began) / self._interval
        values = [] if signal in LEVELS or age < _WARM else [(signal, value)]
        if age >= _SETTLED and signal in (*LEVELS, USED_PROCESSORS, SAMPLED_PROCESSORS):
            values.append((age_band(signal, age / _SETTLED), value))
        self._hold(now, *values)

    def _hold(self, now: float, *values: tuple[str, float]) -> None:
        self._held.extend((signal, value, now) for signal, value in values)
        if self.whole:
            self._release()

    def compare(self) -> None:
        """Compute the comparison with the previous epoch. May read the disk."""
        self.comparison_due = False
        self.comparison = None if self.process.several else self._store.compare(self._service, self._target)

    def _is_whole(self, fingerprint: Fingerprint, now: float, *, complete: bool) -> bool:
        """Whether everything is known, or was waited for long enough."""
        if not (fingerprint.binary or fingerprint.go):
            return False
        began = now if self._began is None else self._began
        known = self.go.exact is not None and self.system is not None and bool(fingerprint.binary)
        if self._known == Fingerprint():
            # There is nothing to compare with, so nothing to be certain about.
            if known or complete:
                return True
        elif known and (complete or now - began >= self._interval or not changed_parts(self._known, fingerprint)):
            # A change must hold for a round: it was not the reply of another process among several.
            return True
        return now - began >= _ROUNDS * self._interval

    def _tell(self, event: ChangeEvent) -> None:
        for change in event.new:
            self.changes[change] += 1
            self.last_change[change] = event.at
        self.last_event = event

    def _release(self) -> None:
        if self.epoch is None:
            return
        while self._held:
            signal, value, at = self._held.popleft()
            self._store.observe(self.epoch.id, signal, value)
            self._store.control.observe(self._target, signal, value, at)

    def _forget(self) -> None:
        """Forget what the process before taught."""
        self.version_evidence = {}
        self.system, self.modules, self.mutex_profiling = None, (), None
        self.whole, self._moved, self._began, self._label, self._own = False, False, None, "", Fingerprint()
        self._held.clear()

    def _resume(self) -> None:
        """Go on where an earlier run of the exporter ended."""
        stay = self._store.stay(self._service, self._target)
        if stay is None:
            return
        self._known = stay.fingerprint
        epochs = {epoch.id: epoch for epoch in self._store.epochs(self._service)}
        before, now = (epochs.get(one) if one is not None else None for one in (stay.before, stay.epoch))
        if before is not None and now is not None:
            changes = changed_parts(before.fingerprint, now.fingerprint)
            if changes:
                self.last_event = change_event(stay.since, before.fingerprint, now.fingerprint, changes, None)
                self.last_change = dict.fromkeys(changes, stay.since)


def _is_better(evidence: KnownGoVersion, known: KnownGoVersion) -> bool:
    """Whether evidence of the same source says more."""
    if evidence.exact is not None or known.exact is not None:
        return known.exact is None
    return known.at_least is None or (evidence.at_least is not None and evidence.at_least > known.at_least)


def _united(known: Iterable[Module], more: Iterable[Module]) -> tuple[Module, ...]:
    """All modules, each as it was listed last. A build id stays that of the first profile that has it."""
    found = {same_path(module.file): module for module in known}
    for module in more:
        before = found.get(path := same_path(module.file))
        if before is None or module.role is not ModuleRole.MAIN or not before.build_id:
            found[path] = module
    return tuple(found.values())
