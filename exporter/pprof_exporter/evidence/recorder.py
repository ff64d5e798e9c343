"""Watches the verdicts on every target, and keeps the profiles that show one which turned bad."""

from __future__ import annotations

import asyncio

import structlog

from pprof_exporter.evidence.policy import EVIDENCE_POLICIES, RETAINED_KINDS, EvidencePolicy
from pprof_exporter.evidence.push import Pusher
from pprof_exporter.evidence.saving import FindingSummary, finding_record, save_finding
from pprof_exporter.evidence_store import BodyRole, DropReason, EvidenceStore, Origin, SavedFinding
from pprof_exporter.scrape import Pool, TargetState
from pprof_exporter.scrape.state.raw_profiles import RawProfiles
from pprof_exporter.verdicts import BAD, Level, Verdict, snapshot_of, verdicts

# Each target is judged so often, which takes a fifth of a millisecond; most profiles come every 30 seconds.
_ROUND = 15.0
_EXPIRE_EVERY = 60.0
# After a change of the target its profiles come anew: for so long, those that lack are waited for.
_SETTLES_WITHIN = 150.0


class EvidenceRecorder:
    """One for all targets. The first time that a failure mode is bad counts, and each time that it gets worse."""

    def __init__(
        self, pool: Pool, evidence_store: EvidenceStore, bodies: RawProfiles, interval: float, pusher: Pusher | None
    ) -> None:
        self._pool = pool
        self._clock = pool.clock
        self._store = evidence_store
        self._bodies = bodies
        self._interval = interval
        self._pusher = pusher
        self._bad: dict[tuple[str, str], tuple[Level, float]] = {}
        """The worst level of what is bad, and since when it is bad."""
        self._kept: dict[tuple[str, str], tuple[float, str]] = {}
        for kept in reversed(evidence_store.kept()):
            self._note(kept)

    async def run(self) -> None:
        """Judge every target once a round, until cancelled."""
        expired, told = self._clock.now(), ""
        while True:
            states = self._pool.states
            self._forget({state.target.name for state in states})
            for state in states:
                await self._clock.sleep(_ROUND / len(states))
                await self.look(state)
            if not states:
                await self._clock.sleep(_ROUND)
            if self._clock.now() - expired >= _EXPIRE_EVERY:
                expired = self._clock.now()
                await asyncio.to_thread(self._store.expire, expired)
            if self._store.last_trouble != told:
                told = self._store.last_trouble
                structlog.get_logger().warning("evidence trouble", detail=told)

    async def look(self, state: TargetState) -> None:
        """Judge a target, and keep what is new."""
        name, now = state.target.name, self._clock.now()
        bad = [verdict for verdict in verdicts(snapshot_of(state, now)) if _is_worth(verdict)]
        fresh = [mode for mode in (verdict.failure_mode.id for verdict in bad) if not self._lasts(name, mode, now)]
        self._bodies.approve(name, RETAINED_KINDS - {kind for mode in fresh for kind in EVIDENCE_POLICIES[mode].kinds})
        modes = {verdict.failure_mode.id for verdict in bad}
        for mode in EVIDENCE_POLICIES:
            if mode not in modes:
                self._bad.pop((name, mode), None)
        for verdict in bad:
            await self._consider(state, verdict, now)

    def _lasts(self, name: str, mode: str, now: float) -> bool:
        """Whether it has been bad for so long that this is how the target is: then profiles are good in spite of it."""
        known = self._bad.get((name, mode))
        return known is not None and now - known[1] >= self._interval

    async def _consider(self, state: TargetState, verdict: Verdict, now: float) -> None:
        key = (state.target.name, verdict.failure_mode.id)
        before, since = self._bad.get(key, ("", now))
        if not _worse(verdict.level, before):
            return
        worth = EVIDENCE_POLICIES[verdict.failure_mode.id]
        if worth.after_change and self._unsettled(state, worth, now):
            return
        self._bad[key] = (verdict.level, since)
        at, level = self._kept.get(key, (0.0, ""))
        if now - at < self._interval and not _worse(verdict.level, level):
            self._store.drop(DropReason.INTERVAL)
            return
        await self._keep(state, verdict, worth, now)

    def _unsettled(self, state: TargetState, worth: EvidencePolicy, now: float) -> bool:
        """Whether the target was changed a short while ago, and a profile of after that is still to come."""
        changed = max(state.identity.last_change.values(), default=0.0)
        latest = self._bodies.latest(state.target.name, worth.kinds)
        return now - changed < _SETTLES_WITHIN and any(body.asked_at < changed for body in latest)

    async def _keep(self, state: TargetState, verdict: Verdict, worth: EvidencePolicy, now: float) -> None:
        name, worst = state.target.name, verdict.findings[0]
        about = FindingSummary(Origin.FINDING, verdict.failure_mode.id, verdict.level, worst.said, worst.alert)
        newest = BodyRole.SHOWS if worth.shown else BodyRole.BEFORE
        bodies = [(body, newest) for body in self._bodies.latest(name, worth.kinds)]
        if worth.shown:
            bodies += [(body, BodyRole.BEFORE) for body in self._bodies.good(name, worth.kinds)]
        kept = await save_finding(self._store, self._pusher, finding_record(state, about, now), bodies)
        if kept is not None:
            self._note(kept)

    def _note(self, kept: SavedFinding) -> None:
        finding = kept.finding
        if finding.origin is Origin.FINDING:
            self._kept[finding.target, finding.mode] = (finding.at, finding.level)

    def _forget(self, names: set[str]) -> None:
        """Let go of targets that are no longer watched."""
        self._bodies.retain(names)
        for key in [key for key in self._bad if key[0] not in names]:
            del self._bad[key]
        oldest = self._clock.now() - self._interval
        for key in [key for key, (at, _) in self._kept.items() if at < oldest]:
            del self._kept[key]


def _is_worth(verdict: Verdict) -> bool:
    worth = EVIDENCE_POLICIES.get(verdict.failure_mode.id)
    return worth is not None and worth.worth(verdict.level)


def _worse(level: Level, than: str) -> bool:
    """Whether a bad level is worse than another, or the other is none."""
    return than not in BAD or BAD.index(level) < BAD.index(Level(than))
