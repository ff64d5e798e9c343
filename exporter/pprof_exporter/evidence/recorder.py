"""Evaluates the verdicts of every target, and saves the profiles that show one that turned bad."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.event_log import LOG
from pprof_exporter.evidence.policy import CHANGE_MODE, EVIDENCE_POLICIES, RETAINED_KINDS, EvidencePolicy
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence.saving import FindingSummary, count_internal, finding_record, log_saved, save_finding
from pprof_exporter.evidence_store import DropReason, EvidenceStore, Origin, ProfileRole, SavedFinding
from pprof_exporter.log_limits import LineAllowance
from pprof_exporter.scrape import Pool, TargetState
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.verdicts import BAD, TargetSnapshot, recent_change, snapshot_of, verdicts
from pprof_exporter.verdicts.snapshot import if_repeated
from pprof_exporter.verdicts.verdict import VerdictLimits

# Seconds between two evaluations of a target. One takes less than half a millisecond; most profiles come
# every 30 seconds.
_ROUND = 15.0
_EXPIRE_EVERY = 60.0
# Seconds after a change of the target in which saving waits for new profiles.
_SETTLES_WITHIN = 150.0
# Lines of the log about evidence of one target: so many in a short time, and two an hour.
_LINES_AT_ONCE = 4
_ANOTHER_LINE_EVERY = 1800.0


class EvidenceRecorder:
    """One for all targets. Saves evidence when a failure mode turns bad, and whenever it gets worse."""

    def __init__(
        self,
        pool: Pool,
        evidence_store: EvidenceStore,
        raw_profiles: RawProfiles,
        interval: float,
        pusher: Pusher | None,
    ) -> None:
        self._pool = pool
        self._clock = pool.clock
        self._store = evidence_store
        self._raw_profiles = raw_profiles
        self._interval = interval
        self._pusher = pusher
        self._bad: dict[tuple[str, str], tuple[str, float]] = {}
        """Worst level of each bad failure mode by target and mode, and when it turned bad."""
        self._saved: dict[tuple[str, str], tuple[float, str]] = {}
        self._lines: dict[str, LineAllowance] = {}
        # Older ones do not count, and to read all of them takes half a second.
        for saved in reversed(evidence_store.findings(since=self._clock.now() - interval)):
            self._remember(saved)

    async def run(self) -> None:
        """Evaluate every target once a round, until cancelled."""
        expired, reported = self._clock.now(), ""
        while True:
            states = self._pool.states
            self._forget({state.target.name for state in states})
            for state in states:
                await self._clock.sleep(_ROUND / len(states))
                try:
                    await self.assess(state)
                except Exception as error:  # noqa: BLE001 - the targets after this one are judged all the same
                    self._pool.supervisor.internal_error(error, target=state.target.name)
                    count_internal(self._store, error)
            if not states:
                await self._clock.sleep(_ROUND)
            if self._clock.now() - expired >= _EXPIRE_EVERY:
                expired = self._clock.now()
                await asyncio.to_thread(self._store.expire, expired)
            if self._store.last_trouble != reported:
                reported = self._store.last_trouble
                LOG.warning("evidence trouble", detail=reported)

    async def assess(self, state: TargetState) -> None:
        """Evaluate the verdicts of a target, and save evidence of new ones."""
        name, now = state.target.name, self._clock.now()
        snapshot = snapshot_of(state, now)
        bad = list(_occasions(snapshot))
        # A profile that would be a finding if it came again is no good one, although it is none yet.
        suspects = {about.mode for about in (*bad, *_occasions(if_repeated(snapshot)))}
        fresh = [mode for mode in suspects if not self._is_normal(name, mode, now)]
        if state.identity.whole:
            # Until then, a profile may be one after an upgrade that is not known yet.
            self._raw_profiles.mark_good(
                name, RETAINED_KINDS - {kind for mode in fresh for kind in EVIDENCE_POLICIES[mode].kinds}
            )
        modes = {about.mode for about in bad}
        for mode in EVIDENCE_POLICIES:
            if mode not in modes:
                self._bad.pop((name, mode), None)
        for about in bad:
            await self._consider(state, about, now)

    def _is_normal(self, name: str, mode: str, now: float) -> bool:
        """Whether the mode has been bad so long that it is normal for the target: its profiles then count as good."""
        known = self._bad.get((name, mode))
        return known is not None and now - known[1] >= self._interval

    async def _consider(self, state: TargetState, about: FindingSummary, now: float) -> None:
        key = (state.target.name, about.mode)
        before, since = self._bad.get(key, ("", now))
        if not _worse(about.level, before):
            return
        policy = EVIDENCE_POLICIES[about.mode]
        if policy.after_change and self._unsettled(state, policy, now):
            return
        self._bad[key] = (about.level, since)
        at, level = self._saved.get(key, (0.0, ""))
        if now - at < self._interval and not _worse(about.level, level):
            self._store.count_dropped(DropReason.INTERVAL)
            return
        await self._save(state, about, policy, now)

    def _unsettled(self, state: TargetState, policy: EvidencePolicy, now: float) -> bool:
        """Whether the target changed recently, and a profile from after the change is missing."""
        changed = max(state.identity.last_change.values(), default=0.0)
        latest = self._raw_profiles.latest(state.target.name, policy.kinds)
        return now - changed < _SETTLES_WITHIN and any(body.asked_at < changed for body in latest)

    async def _save(self, state: TargetState, about: FindingSummary, policy: EvidencePolicy, now: float) -> None:
        name = state.target.name
        newest = ProfileRole.SHOWS if policy.shown else ProfileRole.BEFORE
        bodies = [(body, newest) for body in self._raw_profiles.latest(name, policy.kinds)]
        if policy.shown:
            bodies += [(body, ProfileRole.BEFORE) for body in self._raw_profiles.good(name, policy.kinds)]
        saved = await save_finding(self._store, self._pusher, finding_record(state, about, now), bodies)
        if saved is not None:
            self._remember(saved)
            self._log(saved)

    def _remember(self, saved: SavedFinding) -> None:
        finding = saved.finding
        if finding.origin is Origin.FINDING:
            self._saved[finding.target, finding.mode] = (finding.at, finding.level)

    def _log(self, saved: SavedFinding) -> None:
        """A target that keeps changing has few lines. Its page lists everything that was saved."""
        target = saved.finding.target
        if target not in self._lines:
            self._lines[target] = LineAllowance(self._clock.steady, at_once=_LINES_AT_ONCE, every=_ANOTHER_LINE_EVERY)
        more = self._lines[target].take()
        if more is not None:
            log_saved(saved, more)

    def _forget(self, names: set[str]) -> None:
        """Drop the state of targets that are no longer watched."""
        self._raw_profiles.retain(names)
        for key in [key for key in self._bad if key[0] not in names]:
            del self._bad[key]
        for name in self._lines.keys() - names:
            del self._lines[name]
        oldest = self._clock.now() - self._interval
        for key in [key for key, (at, _) in self._saved.items() if at < oldest]:
            del self._saved[key]


def _occasions(snapshot: TargetSnapshot) -> Iterator[FindingSummary]:
    """The worst finding of each failure mode that profiles show, and a recent change."""
    for verdict in verdicts(snapshot):
        mode = verdict.failure_mode.id
        if verdict.findings and mode in EVIDENCE_POLICIES and mode != CHANGE_MODE:
            worst = verdict.findings[0]
            yield FindingSummary(Origin.FINDING, mode, verdict.level, worst.said, worst.alert)
    if not snapshot.several and (said := recent_change(snapshot, VerdictLimits())):
        yield FindingSummary(Origin.FINDING, CHANGE_MODE, Severity.INFO, said, "PprofUpgraded")


_LEVELS = (*BAD, Severity.INFO.value)


def _worse(level: str, than: str) -> bool:
    """Whether a level is worse than `than`, or `than` is none."""
    return than not in _LEVELS or _LEVELS.index(level) < _LEVELS.index(than)
