"""The configuration file, in Prometheus's terms."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pprof_exporter.catalog import FAMILIES
from pprof_exporter.config.settings import ProfileSettings, Settings
from pprof_exporter.config.strict import ConfigError, Duration, DurationOrOff, Strict, load_yaml
from pprof_exporter.config.target import BadTarget, Target, parse_target

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Labels that the families of the catalogue, or Prometheus itself, give a meaning of their own.
_RESERVED = frozenset({"le", "job", "instance", *(label for family in FAMILIES for label in family.labels)})


class _Global(Strict):
    scrape_interval: Duration | None = None
    scrape_timeout: Duration | None = None
    profiling_budget: float | None = Field(default=None, gt=0, le=1)
    defer_at_most: DurationOrOff | None = None
    backoff_at_most: Duration | None = None


class _Profile(Strict):
    interval: Duration | None = None
    window: Duration | None = None
    enabled: bool | None = None


class _StaticConfig(Strict):
    targets: list[str]
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("labels")
    @classmethod
    def _usable(cls, labels: dict[str, str]) -> dict[str, str]:
        for name in labels:
            if name in _RESERVED or name.startswith("__") or not _LABEL.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a label here")
        return labels


class _ScrapeConfig(Strict):
    job_name: str = Field(min_length=1)
    scheme: Literal["http", "https"] = "http"
    path: str = "/debug/pprof/"
    static_configs: list[_StaticConfig] = Field(default_factory=list)

    def targets(self) -> list[Target]:
        """Every target of the section; one that is written as a URL keeps its own scheme and path."""
        return [
            parse_target(
                text if "://" in text else f"{self.scheme}://{text}/{self.path.lstrip('/')}", labels=static.labels
            )
            for static in self.static_configs
            for text in static.targets
        ]


class ConfigFile(Strict):
    """The whole file."""

    global_: _Global = Field(default_factory=_Global, alias="global")
    profiles: dict[str, _Profile] = Field(default_factory=dict)
    scrape_configs: list[_ScrapeConfig] = Field(default_factory=list)

    @model_validator(mode="after")
    def _jobs_differ(self) -> ConfigFile:
        names = [job.job_name for job in self.scrape_configs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two scrape_configs have the job_name {name!r}")
        return self


def load_config(path: Path, base: Settings) -> Settings:
    """Settings of the file on top of `base`, whose targets stay. Raises `ConfigError`."""
    file = load_yaml(path, ConfigFile)
    unknown = sorted(set(file.profiles) - set(base.profiles))
    if unknown:
        raise ConfigError(f"{path}: profiles.{unknown[0]}: no such profile; known are {', '.join(base.profiles)}")
    try:
        found = [target for job in file.scrape_configs for target in job.targets()]
        return check(
            replace(
                base,
                targets=(*base.targets, *found),
                profiles={name: _merged(known, file.profiles.get(name)) for name, known in base.profiles.items()},
                index_interval=file.global_.scrape_interval or base.index_interval,
                timeout=file.global_.scrape_timeout or base.timeout,
                budget=file.global_.profiling_budget or base.budget,
                backoff_at_most=file.global_.backoff_at_most or base.backoff_at_most,
                defer_at_most=base.defer_at_most if file.global_.defer_at_most is None else file.global_.defer_at_most,
            )
        )
    except (BadTarget, ConfigError) as error:
        raise ConfigError(f"{path}: {error}") from None


def check(settings: Settings) -> Settings:
    """The same settings, or `ConfigError` where parts of them contradict each other."""
    names = [target.name for target in settings.targets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"target {twice} is named twice; series of the two could not be told apart")
    for name, profile in settings.profiles.items():
        if profile.enabled and profile.window and profile.window + 1 > profile.interval:
            raise ConfigError(
                f"profiles.{name}: a window of {profile.window:g} s leaves no rest in an interval of "
                f"{profile.interval:g} s; make the interval longer"
            )
    return settings


def _merged(known: ProfileSettings, given: _Profile | None) -> ProfileSettings:
    if given is None:
        return known
    return ProfileSettings(
        interval=given.interval or known.interval,
        window=given.window or known.window,
        enabled=known.enabled if given.enabled is None else given.enabled,
    )
