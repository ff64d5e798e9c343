"""All sources of all jobs: read on their own time, and put together to the targets that the pool watches."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import structlog

from pprof_exporter.clock import Clock
from pprof_exporter.config import (
    DiscoverySource,
    DnsSource,
    FileSource,
    HttpSource,
    Job,
    Mechanism,
    Settings,
    Target,
    TargetGroup,
)
from pprof_exporter.scrape.client.fetcher import Fetcher
from pprof_exporter.scrape.discovery.dns_sd import DnsReader, Resolve, system_resolver
from pprof_exporter.scrape.discovery.file_sd import FileReader
from pprof_exporter.scrape.discovery.groups import SourceError
from pprof_exporter.scrape.discovery.http_sd import HttpReader

# Changes that come within this time are applied at once.
_TOGETHER = 1.0
_LARGEST_LIST = 64 * 2**20


class Rejection(StrEnum):
    """Why something that was discovered is not watched."""

    INVALID = "invalid"
    """It is not an address of a target."""
    DUPLICATE = "duplicate"
    """A target of this name is watched already."""


class SourceReader(Protocol):
    """One source. `read` gives all of its groups, or raises `SourceError`; `next_in` is seconds until the next time."""

    next_in: float

    async def read(self) -> list[TargetGroup]:
        """All groups now."""
        ...


@dataclass(slots=True)
class RefreshCounters:
    """How one mechanism of one job fares."""

    refreshed: int = 0
    failed: int = 0
    last_success: float | None = None


@dataclass(slots=True)
class _Watched:
    task: asyncio.Task[None]
    groups: list[TargetGroup] = field(default_factory=list)


class Discovery:
    """Keeps the pool's targets those that are written down and those that sources list now.

    `apply` takes settings with all targets. Use inside a running event loop; `close` ends it.
    """

    def __init__(
        self, apply: Callable[[Settings], None], clock: Clock, base: Path, resolve: Resolve = system_resolver
    ) -> None:
        self.refreshes: dict[tuple[str, Mechanism], RefreshCounters] = {}
        self.found: Counter[str] = Counter()
        """Targets by job, written down or discovered."""
        self.rejected: Counter[Rejection] = Counter()
        """What is not watched now, by reason."""
        self._apply = apply
        self._clock = clock
        self._base = base
        self._resolve = resolve
        self._fetcher: Fetcher | None = None
        self._settings: Settings | None = None
        self._watched: dict[tuple[str, DiscoverySource], _Watched] = {}
        self._pending: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def use(self, settings: Settings) -> None:
        """Go by these settings from now on. A source that is in both keeps what it has found."""
        self._settings = settings
        wanted = {(job.name, source) for job in settings.jobs for source in job.sources}
        for key in set(self._watched) - wanted:
            self._watched.pop(key).task.cancel()
        for job, source in wanted - set(self._watched):
            counts = self.refreshes.setdefault((job, source.mechanism), RefreshCounters())
            task = asyncio.create_task(self._watch(job, source, counts), name=f"discovery of {job}")
            self._watched[job, source] = _Watched(task)
        for gone in set(self.refreshes) - {(job, source.mechanism) for job, source in wanted}:
            del self.refreshes[gone]
        self._put_together()

    async def close(self) -> None:
        """End everything."""
        tasks = [watched.task for watched in self._watched.values()] + ([self._pending] if self._pending else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._fetcher is not None:
            await self._fetcher.close()

    def _reader(self, source: DiscoverySource) -> SourceReader:
        match source:
            case FileSource():
                return FileReader(source, self._base)
            case DnsSource():
                return DnsReader(source, self._resolve)
            case HttpSource():
                if self._fetcher is None:
                    self._fetcher = Fetcher(self._clock, max_bytes=_LARGEST_LIST)
                return HttpReader(source, self._fetcher)

    async def _watch(self, job: str, source: DiscoverySource, counts: RefreshCounters) -> None:
        reader = self._reader(source)
        log = structlog.get_logger().bind(scrape_job=job, mechanism=str(source.mechanism))
        trouble = ""
        while True:
            try:
                groups: list[TargetGroup] | None = await reader.read()
            except SourceError as error:
                counts.failed += 1
                if str(error) != trouble:
                    trouble = str(error)
                    log.warning("discovery failed, the last good list stays in use", detail=trouble)
                groups = reader.held() if isinstance(reader, FileReader | DnsReader) else None
            else:
                counts.refreshed += 1
                counts.last_success = self._clock.now()
                trouble = ""
            watched = self._watched.get((job, source))
            if watched is not None and groups is not None and groups != watched.groups:
                watched.groups = groups
                self._soon()
            await self._clock.sleep(reader.next_in)

    def _soon(self) -> None:
        if self._pending is None or self._pending.done():
            self._pending = asyncio.create_task(self._after_a_moment(), name="discovery")

    async def _after_a_moment(self) -> None:
        await self._clock.sleep(_TOGETHER)
        self._put_together()

    def _put_together(self) -> None:
        settings = self._settings
        if settings is None:
            return
        by_name: dict[str, Target] = {target.name: target for target in settings.targets}
        self.found = Counter()
        rejected: Counter[Rejection] = Counter()
        told: set[str] = set()
        for job in settings.jobs:
            found = job.resolve(self._groups(job))
            self.found[job.name] = len(job.resolve(job.static).targets) + len(found.targets)
            for problem in found.problems:
                rejected[Rejection.INVALID] += 1
                told.add(f"{job.name}: {problem}")
            for target in found.targets:
                known = by_name.setdefault(target.name, target)
                if known is not target and known != target:
                    rejected[Rejection.DUPLICATE] += 1
                    told.add(f"{job.name}: {target.name} is already a target")
        self.rejected = rejected
        for text in sorted(told - self._told)[:10]:
            structlog.get_logger().warning("discovered target rejected", detail=text)
        self._told = told
        self._apply(replace(settings, targets=tuple(by_name.values())))

    def _groups(self, job: Job) -> list[TargetGroup]:
        return [
            group
            for source in job.sources
            if (found := self._watched.get((job.name, source)))
            for group in found.groups
        ]
