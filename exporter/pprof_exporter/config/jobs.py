"""`scrape_configs`, in Prometheus's terms: one model for each section, and the settings made of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.http_model import HttpClientModel, HttpUrl
from pprof_exporter.config.job import (
    OWN_PARAMS,
    OWN_TARGET_LABELS,
    DiscoverySource,
    DnsSource,
    FileSource,
    HttpSource,
    Job,
    RecordType,
    TargetGroup,
)
from pprof_exporter.config.profiles import Overrides, ProfileSettings
from pprof_exporter.config.relabel import LABEL_NAME, Action, Rule
from pprof_exporter.config.strict import Duration, Page, Strict

_SD_FILE_ENDINGS = (".json", ".yml", ".yaml")


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class ProfileModel(Strict):
    """Settings of one kind of profile."""

    interval: Duration | None = None
    window: Duration | None = None
    enabled: bool | None = None

    def merged(self, known: ProfileSettings) -> ProfileSettings:
        """The known settings, overridden by those given here."""
        return ProfileSettings(
            interval=self.interval or known.interval,
            window=self.window or known.window,
            enabled=known.enabled if self.enabled is None else self.enabled,
            beside_page=None if self.interval else known.beside_page,
        )


class StaticConfig(Strict):
    """Static targets."""

    targets: list[str]
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("labels")
    @classmethod
    def _usable(cls, labels: dict[str, str]) -> dict[str, str]:
        for name in labels:
            # Other labels of the exporter's own, such as version, become exported_version, as those of discovery do.
            if name in OWN_TARGET_LABELS or name.startswith("__") or not LABEL_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not allowed as a label name here")
        return labels

    def group(self) -> TargetGroup:
        """The same for the rest of the program."""
        return TargetGroup(tuple(self.targets), tuple(sorted(self.labels.items())))


class FileSdConfig(Strict):
    """Targets from files, reloaded when they change."""

    files: list[str] = Field(min_length=1)
    refresh_interval: Duration = Field(default=300, gt=0)

    @field_validator("files")
    @classmethod
    def _readable(cls, files: list[str]) -> list[str]:
        for name in files:
            if not name.endswith(_SD_FILE_ENDINGS):
                raise ValueError(f"{name!r} must end in {', '.join(_SD_FILE_ENDINGS)}")
            if "\0" in name:
                raise ValueError(f"{name!r}: no file has a zero byte in its name")
            if "*" in name.replace("\\", "/").rpartition("/")[0]:
                raise ValueError(f"{name!r}: * is allowed only in the last part of a path")
        return files

    def source(self) -> DiscoverySource:
        """The same for the rest of the program."""
        return FileSource(tuple(self.files), self.refresh_interval)


class HttpSdConfig(HttpClientModel):
    """Targets from a URL that returns JSON."""

    url: HttpUrl
    refresh_interval: Duration = Field(default=60, gt=0)

    def source(self) -> DiscoverySource:
        """The same for the rest of the program."""
        return HttpSource(self.url, self.refresh_interval, self.client())


class DnsSdConfig(Strict):
    """Targets from DNS."""

    names: list[str] = Field(min_length=1)
    type: Literal["A", "AAAA", "SRV"] = "SRV"
    port: int = Field(default=0, ge=0, le=65535)
    refresh_interval: Duration = Field(default=30, gt=0)

    @model_validator(mode="after")
    def _has_port(self) -> DnsSdConfig:
        if self.type != "SRV" and not self.port:
            raise ValueError(f"records of type {self.type} have no port; set port")
        return self

    def source(self) -> DiscoverySource:
        """The same for the rest of the program."""
        return DnsSource(tuple(self.names), RecordType(self.type), self.port, self.refresh_interval)


class RelabelConfig(Strict):
    """One relabelling rule, with the defaults of Prometheus."""

    source_labels: list[str] = Field(default_factory=list)
    separator: str = ";"
    regex: str = "(.*)"
    modulus: int = Field(default=0, ge=0, lt=2**64)
    target_label: str = ""
    replacement: str = "$1"
    action: Annotated[Action, BeforeValidator(_lower)] = Action.REPLACE

    @model_validator(mode="after")
    def _consistent(self) -> RelabelConfig:
        self.rule()
        return self

    def rule(self) -> Rule:
        """The same for the rest of the program."""
        return Rule(
            action=self.action,
            source_labels=tuple(self.source_labels),
            separator=self.separator,
            regex=self.regex,
            modulus=self.modulus,
            target_label=self.target_label,
            replacement=self.replacement,
        )


class ScrapeConfig(HttpClientModel):
    """One scrape job."""

    job_name: str = Field(min_length=1)
    scheme: Literal["http", "https"] = "http"
    path: str = "/debug/pprof/"
    params: dict[str, list[str]] = Field(default_factory=dict)
    metrics_page: Page | None = None
    scrape_interval: Duration | None = Field(default=None, gt=0)
    scrape_timeout: Duration | None = Field(default=None, gt=0)
    profiles: dict[str, ProfileModel] = Field(default_factory=dict)
    static_configs: list[StaticConfig] = Field(default_factory=list)
    file_sd_configs: list[FileSdConfig] = Field(default_factory=list)
    http_sd_configs: list[HttpSdConfig] = Field(default_factory=list)
    dns_sd_configs: list[DnsSdConfig] = Field(default_factory=list)
    relabel_configs: list[RelabelConfig] = Field(default_factory=list)

    @field_validator("params")
    @classmethod
    def _not_ours(cls, params: dict[str, list[str]]) -> dict[str, list[str]]:
        for name in params:
            if name in OWN_PARAMS:
                raise ValueError(f"{name} is a parameter of net/http/pprof that the exporter sets; remove it")
        return params

    def job(self, profiles: dict[str, ProfileSettings]) -> Job:
        """The same for the rest of the program; `profiles` are those of all jobs. Raises `ConfigError`."""
        check_names(self.profiles, profiles, f"scrape_configs {self.job_name!r}: profiles")
        sources: list[DiscoverySource] = [config.source() for config in self.file_sd_configs]
        sources += [config.source() for config in self.http_sd_configs]
        sources += [config.source() for config in self.dns_sd_configs]
        return Job(
            self.job_name,
            self.scheme,
            self.path,
            static=tuple(static.group() for static in self.static_configs),
            sources=tuple(sources),
            rules=tuple(config.rule() for config in self.relabel_configs),
            params=tuple((name, value) for name, values in sorted(self.params.items()) for value in values),
            client=self.client(),
            overrides=Overrides(
                self.scrape_interval,
                self.scrape_timeout,
                tuple((name, given.merged(profiles[name])) for name, given in sorted(self.profiles.items())),
                self.metrics_page,
            ),
        )


def check_names(given: dict[str, ProfileModel], known: dict[str, ProfileSettings], place: str) -> None:
    """Raise `ConfigError` if a profile is named that does not exist."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ConfigError(f"{place}.{unknown[0]}: unknown profile; choose from {', '.join(known)}")
