"""Reads every source of every job at its interval, and merges the groups into the targets of the pool."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.clock import Clock
from pprof_exporter.config.job import (
    DiscoverySource,
    DnsSource,
    FileSource,
    HttpSource,
    Job,
    Mechanism,
    ResolvedTargets,
    TargetGroup,
)
from pprof_exporter.config.settings import Settings
from pprof_exporter.config.target import Target
from pprof_exporter.event_log import LOG
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.discovery.dns_sd import DnsReader, Resolve, resolve_records
from pprof_exporter.scrape.discovery.file_sd import FileReader
from pprof_exporter.scrape.discovery.groups import SourceError
from pprof_exporter.scrape.discovery.http_sd import HttpReader
from pprof_exporter.supervision import Supervisor

# Changes within this time are applied together.
_BATCH_SECONDS = 1.0
_MAX_LIST_BYTES = 64 * 2**20


class Rejection(StrEnum):
    """Why a discovered target is not watched."""

    INVALID = "invalid"
    """It is not a valid target address."""
    DUPLICATE = "duplicate"
    """Another target of this name is watched."""


class SourceReader(Protocol):
    """One source. `read_interval` is the number of seconds between two reads."""

    read_interval: float

    async def read(self) -> list[TargetGroup]:
        """All groups of the source. Raises `SourceError`."""
        ...


@dataclass(slots=True)
class RefreshCounters:
    """Counters of one mechanism of one job."""

    refreshed: int = 0
    failed: int = 0
    last_success: float | None = None

    def read(self, at: float, *, merged: bool) -> None:
        """Count a list that was read at `at` (Unix time). `merged`: the lists of its job become targets."""
        if merged:
            self.refreshed += 1
            self.last_success = at
        else:
            self.failed += 1

    def count_failure(self, _error: BaseException) -> None:
        """Count a list that could not be read, for whatever reason."""
        self.failed += 1


@dataclass(slots=True)
class _Watched:
    task: asyncio.Task[None]
    groups: list[TargetGroup] = field(default_factory=list)


class Discovery:
    """Updates the pool to the configured and the discovered targets.

    The argument `apply` receives settings with all targets. Use inside a running event loop; `close` stops it.
    """

    def __init__(
        self,
        apply: Callable[[Settings], None],
        clock: Clock,
        base: Path,
        resolve: Resolve = resolve_records,
        *,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.refreshes: dict[tuple[str, Mechanism], RefreshCounters] = {}
        self.target_counts: Counter[str] = Counter()
        """Targets by job, configured or discovered."""
        self.rejected: Counter[Rejection] = Counter()
        """Discovered targets that are not watched, by reason."""
        self._apply = apply
        self._clock = clock
        self._base = base
        self._resolve = resolve
        # The spread of restarts is no secret.
        self._supervisor = supervisor or Supervisor(clock, Random())  # noqa: S311
        self._fetcher = Fetcher(clock, max_bytes=_MAX_LIST_BYTES, troubles=self._supervisor.troubles)
        self._settings: Settings | None = None
        self._watched: dict[tuple[str, DiscoverySource], _Watched] = {}
        self._pending: asyncio.Task[None] | None = None
        self._reported: set[str] = set()
        self._resolved: dict[str, tuple[ResolvedTargets, ResolvedTargets]] = {}
        """The configured and the discovered targets of each job as they were last found."""
        self._unmerged: set[str] = set()
        """Jobs whose lists an internal error kept from becoming targets."""

    def apply(self, settings: Settings) -> None:
        """Apply new settings. A source in both the old and the new settings keeps its groups."""
        self._settings = settings
        wanted = {(job.name, source) for job in settings.jobs for source in job.sources}
        for key in set(self._watched) - wanted:
            self._watched.pop(key).task.cancel()
        for job, source in wanted - set(self._watched):
            counts = self.refreshes.setdefault((job, source.mechanism), RefreshCounters())
            task = self._supervisor.start(
                BackgroundTask.DISCOVERY,
                partial(self._watch, job, source, counts),
                on_failure=counts.count_failure,
                about=job,
            )
            self._watched[job, source] = _Watched(task)
        for gone in set(self.refreshes) - {(job, source.mechanism) for job, source in wanted}:
            del self.refreshes[gone]
        self._merge()

    async def close(self) -> None:
        """Stop all readers."""
        tasks = [watched.task for watched in self._watched.values()] + ([self._pending] if self._pending else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _reader(self, source: DiscoverySource) -> SourceReader:
        match source:
            case FileSource():
                return FileReader(source, self._base)
            case DnsSource():
                return DnsReader(source, self._resolve)
            case HttpSource():
                return HttpReader(source, self._fetcher)

    async def _watch(self, job: str, source: DiscoverySource, counts: RefreshCounters) -> None:
        reader = self._reader(source)
        log = LOG.bind(scrape_job=job, mechanism=str(source.mechanism))
        problem = ""
        while True:
            try:
                groups: list[TargetGroup] | None = await reader.read()
            except Exception as error:  # noqa: BLE001 - the next good list is taken, whatever was in this one
                counts.count_failure(error)
                if not isinstance(error, SourceError):
                    self._supervisor.internal_error(error, scrape_job=job)
                if str(error) != problem:
                    problem = str(error)
                    log.warning("discovery failed, the last good list stays in use", detail=problem)
                groups = reader.last_groups() if isinstance(reader, FileReader | DnsReader) else None
            else:
                counts.read(self._clock.now(), merged=job not in self._unmerged)
                problem = ""
            watched = self._watched.get((job, source))
            if watched is not None and groups is not None and (groups != watched.groups or job in self._unmerged):
                watched.groups = groups
                self._merge_soon()
            await self._clock.sleep(reader.read_interval)

    def _merge_soon(self) -> None:
        if self._unmerged and self._pending is not None:
            # It may wait for long after its errors, and there is a new list now.
            self._pending.cancel()
            self._pending = None
        if self._pending is None or self._pending.done():
            self._pending = self._supervisor.start(
                BackgroundTask.MERGE, self._merge_later, endless=False, on_failure=self._merge_failed
            )

    async def _merge_later(self) -> None:
        await self._clock.sleep(_BATCH_SECONDS)
        self._merge()

    def _merge_failed(self, error: BaseException) -> None:
        """No list becomes targets: none of them counts as read."""
        for (job, _), counts in self.refreshes.items():
            self._unmerged.add(job)
            counts.count_failure(error)

    def _merge(self) -> None:
        settings = self._settings
        if settings is None:
            return
        unmerged: set[str] = set()
        by_name: dict[str, Target] = {target.name: target for target in settings.targets}
        self.target_counts = Counter()
        rejected: Counter[Rejection] = Counter()
        problems: set[str] = set()
        for job in settings.jobs:
            fixed, found = self._targets_of(job, unmerged)
            self.target_counts[job.name] = len(fixed.targets) + len(found.targets)
            for problem in found.problems:
                rejected[Rejection.INVALID] += 1
                problems.add(f"{job.name}: {problem}")
            for target in found.targets:
                known = by_name.setdefault(target.name, target)
                if known is not target and known != target:
                    rejected[Rejection.DUPLICATE] += 1
                    problems.add(f"{job.name}: {target.name} is already a target")
        self.rejected = rejected
        for text in sorted(problems - self._reported)[:10]:
            LOG.warning("discovered target rejected", detail=text)
        self._reported = problems
        self._apply(replace(settings, targets=tuple(by_name.values())))
        for (name, _), counts in self.refreshes.items():
            if name in unmerged:
                counts.failed += 1
        self._unmerged = unmerged
        for name in set(self._resolved) - {job.name for job in settings.jobs}:
            del self._resolved[name]

    def _targets_of(self, job: Job, unmerged: set[str]) -> tuple[ResolvedTargets, ResolvedTargets]:
        """The configured and the discovered targets of a job; the last ones after an internal error."""
        try:
            self._resolved[job.name] = job.resolve(job.static), job.resolve(self._groups(job))
        except Exception as error:  # noqa: BLE001 - the lists of other jobs are applied
            self._supervisor.internal_error(error, scrape_job=job.name)
            unmerged.add(job.name)
        return self._resolved.get(job.name, (ResolvedTargets(), ResolvedTargets()))

    def _groups(self, job: Job) -> list[TargetGroup]:
        return [
            group
            for source in job.sources
            if (found := self._watched.get((job.name, source)))
            for group in found.groups
        ]
