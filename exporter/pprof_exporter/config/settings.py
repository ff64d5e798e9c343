"""Validated settings, as the rest of the program takes them. All times are seconds, all sizes bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pprof_exporter.config.audit_when import AuditWhen
from pprof_exporter.config.evidence_settings import EvidenceSettings
from pprof_exporter.config.job import Job
from pprof_exporter.config.metrics_url import MetricsPage
from pprof_exporter.config.probe_settings import Probing
from pprof_exporter.config.profiles import Overrides, ProfileSettings, check_windows
from pprof_exporter.config.target import Target, refuse_duplicates

MIB = 1024 * 1024

MIN_AUDIT_WINDOW = 3.0
"""Seconds of the shortest CPU profile with an audit: it encloses a trace of one second, with a second on each side."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may cost this process at the most."""

    concurrency: int = 256
    concurrency_per_host: int = 8
    wire_bytes: int = 32 * MIB
    inflated_bytes: int = 64 * MIB
    bytes_in_flight: int = 128 * MIB
    """Of all replies that are received or read at a time. One reply of the largest size always fits."""
    functions: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """One whole configuration. `profiles` is keyed by the name of the kind."""

    targets: tuple[Target, ...]
    profiles: dict[str, ProfileSettings]
    index_interval: float = 30
    timeout: float = 10
    metrics_page: MetricsPage = field(default_factory=MetricsPage)
    """Where a target serves its own metrics, among them the CPU seconds that it used."""
    cpu_time_metric: str = "process_cpu_seconds_total"
    audit: AuditWhen | float = AuditWhen.ON_CHANGE
    """When to audit the sampling clock with an execution trace: also every so many seconds."""
    budget: float = 0.15
    """Share of its time for which a target may be profiled."""
    defer_at_most: float = 300
    """For how long a fetch that costs the target something waits for a better moment; 0: not at all."""
    backoff_at_most: float = 600
    """The longest wait after failures in a row, before the next try."""
    limits: Limits = field(default_factory=Limits)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    jobs: tuple[Job, ...] = ()
    """Where more targets are discovered; those that a job names itself are among `targets` already."""
    probing: Probing = field(default_factory=Probing, compare=False)
    """Settings of /probe; not compared, since they concern no target that is watched."""

    def overridden(self, own: Overrides) -> Settings:
        """What holds for targets with overrides of their own; without targets and jobs."""
        return replace(
            self,
            targets=(),
            jobs=(),
            profiles=self.profiles | dict(own.profiles),
            index_interval=own.index_interval or self.index_interval,
            timeout=own.timeout or self.timeout,
            metrics_page=own.metrics_page or self.metrics_page,
        )


def check(settings: Settings) -> Settings:
    """The same settings, or `ConfigError` where parts of them contradict each other."""
    refuse_duplicates(settings.targets)
    check_windows("profiles", settings.profiles)
    for job in settings.jobs:
        check_windows(f"scrape_configs {job.name!r}: profiles", dict(job.overrides.profiles))
    for module in settings.probing.modules.values():
        check_windows(f"modules.{module.name}.profiles", module.profiles)
    return settings
