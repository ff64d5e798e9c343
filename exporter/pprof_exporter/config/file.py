"""The configuration file, in Prometheus's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.evidence_model import EvidenceModel
from pprof_exporter.config.job import Job
from pprof_exporter.config.jobs import ProfileModel, ScrapeConfig, check_names
from pprof_exporter.config.probe_modules import ModuleModel, ProbeModel, probing
from pprof_exporter.config.settings import Limits, Settings, check
from pprof_exporter.config.strict import Duration, DurationOrOff, Page, Size, Strict, load_yaml
from pprof_exporter.config.target import Target


class _Global(Strict):
    scrape_interval: Duration | None = Field(default=None, gt=0)
    scrape_timeout: Duration | None = Field(default=None, gt=0)
    profiling_budget: float | None = Field(default=None, gt=0, le=1)
    defer_at_most: DurationOrOff | None = None
    backoff_at_most: Duration | None = None
    metrics_page: Page | None = None


class _Limits(Strict):
    concurrency: int | None = Field(default=None, ge=1)
    concurrency_per_host: int | None = Field(default=None, ge=1)
    wire_bytes: Size | None = Field(default=None, ge=1)
    inflated_bytes: Size | None = Field(default=None, ge=1)
    bytes_in_flight: Size | None = Field(default=None, ge=1)
    functions: int | None = Field(default=None, ge=1)

    def merged(self, known: Limits) -> Limits:
        return replace(known, **self.model_dump(exclude_none=True))


class ConfigFile(Strict):
    """Configuration file of pprof-exporter."""

    global_: _Global = Field(default_factory=_Global, alias="global")
    profiles: dict[str, ProfileModel] = Field(default_factory=dict)
    limits: _Limits = Field(default_factory=_Limits)
    evidence: EvidenceModel | None = None
    scrape_configs: list[ScrapeConfig] = Field(default_factory=list)
    probe: ProbeModel = Field(default_factory=ProbeModel)
    modules: dict[str, ModuleModel] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _jobs_differ(self) -> ConfigFile:
        names = [job.job_name for job in self.scrape_configs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two scrape_configs have the job_name {name!r}; rename one")
        return self


def load_config(path: Path, base: Settings, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings of the file on top of `base`, whose targets stay. Raises `ConfigError`.

    `environ` are the environment variables that the file may refer to.
    """
    file = load_yaml(path, ConfigFile, environ)
    try:
        check_names(file.profiles, base.profiles, "profiles")
        profiles = {
            name: file.profiles[name].merged(known) if name in file.profiles else known
            for name, known in base.profiles.items()
        }
        jobs = tuple(config.job(profiles) for config in file.scrape_configs)
        given = file.global_
        return check(
            replace(
                base,
                targets=(*base.targets, *(target for job in jobs for target in _static(job))),
                profiles=profiles,
                index_interval=given.scrape_interval or base.index_interval,
                timeout=given.scrape_timeout or base.timeout,
                budget=given.profiling_budget or base.budget,
                backoff_at_most=given.backoff_at_most or base.backoff_at_most,
                defer_at_most=base.defer_at_most if given.defer_at_most is None else given.defer_at_most,
                metrics_page=given.metrics_page or base.metrics_page,
                limits=file.limits.merged(base.limits),
                evidence=file.evidence.settings(path.parent) if file.evidence else base.evidence,
                jobs=jobs,
                probing=probing(file.probe, file.modules, profiles),
            )
        )
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return {"title": "pprof-exporter configuration", **ConfigFile.model_json_schema(by_alias=True)}


def _static(job: Job) -> tuple[Target, ...]:
    found = job.resolve(job.static)
    if found.problems:
        raise ConfigError(f"scrape_configs {job.name!r}: {found.problems[0]}")
    return found.targets
