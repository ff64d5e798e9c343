"""`probe` and `modules` of the configuration file: one model for each section, and the settings made of it."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any

from pydantic import Field, field_validator

from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.http_model import CredentialsModel
from pprof_exporter.config.probe_settings import AllowRule, ProbeModule, Probing, choose_profiles
from pprof_exporter.config.profiles import ProfileSettings
from pprof_exporter.config.strict import Duration, Strict
from pprof_exporter.config.target import DEFAULT_PATH

_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_HOST = re.compile(r"[a-z0-9_.:*-]+")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")


class AllowedModel(Strict):
    """Targets that probes may fetch from."""

    schemes: list[str] = Field(default_factory=list)
    hosts: list[str] = Field(default_factory=list)
    networks: list[str] = Field(default_factory=list)
    ports: list[str] = Field(default_factory=list)

    @field_validator("schemes")
    @classmethod
    def _known_schemes(cls, schemes: list[str]) -> list[str]:
        for scheme in schemes:
            if scheme not in ("http", "https"):
                raise ValueError(f"{scheme!r}: the scheme must be http or https")
        return schemes

    @field_validator("hosts")
    @classmethod
    def _patterns(cls, hosts: list[str]) -> list[str]:
        lower = [host.lower().rstrip(".") for host in hosts]
        for host in lower:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r}: write a name or an address; * matches anything")
        return lower

    @field_validator("networks")
    @classmethod
    def _readable_networks(cls, networks: list[str]) -> list[str]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"{error}; write for example 10.0.0.0/8 or fd00::/8") from None
        return networks

    @field_validator("ports")
    @classmethod
    def _readable_ports(cls, ports: list[str]) -> list[str]:
        for port in ports:
            _range(port)
        return ports

    def allowed(self) -> AllowRule:
        """The same for the rest of the program."""
        return AllowRule(
            tuple(self.schemes),
            tuple(self.hosts),
            tuple(ip_network(network) for network in self.networks),
            tuple(_range(port) for port in self.ports),
        )


class ModuleProfile(Strict):
    """Settings of one kind of profile in a module."""

    interval: Duration | None = Field(default=None, gt=0)
    window: Duration | None = Field(default=None, gt=0)

    def merged(self, known: ProfileSettings) -> ProfileSettings:
        """The known settings, overridden by those given here."""
        return ProfileSettings(self.interval or known.interval, self.window or known.window, known.enabled)


class ModuleModel(CredentialsModel):
    """One probe module. A proxy could connect to forbidden addresses, so there is none; nor is there oauth2."""

    collect: list[str] | None = None
    profiles: dict[str, ModuleProfile] = Field(default_factory=dict)
    timeout: Duration = Field(default=60, gt=0)
    path: str = DEFAULT_PATH
    allowed: AllowedModel = Field(default_factory=AllowedModel)

    @field_validator("path")
    @classmethod
    def _plain_path(cls, path: str) -> str:
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path!r}: write the path where pprof is mounted, as in /debug/pprof/")
        return path.rstrip("/") + "/"

    def module(self, name: str, known: dict[str, ProfileSettings]) -> ProbeModule:
        """The same for the rest of the program; `known` are the settings of all targets. Raises `ConfigError`."""
        profiles = choose_profiles(known, None if self.collect is None else tuple(self.collect))
        for place, names in (("collect", self.collect or ()), ("profiles", self.profiles)):
            unknown = next((one for one in names if one not in known), None)
            if unknown is not None:
                raise ConfigError(f"modules.{name}.{place}: unknown profile {unknown}; choose from {', '.join(known)}")
        for one, given in self.profiles.items():
            if not profiles[one].enabled:
                raise ConfigError(f"modules.{name}.profiles.{one}: the module does not collect it; add it to collect")
            profiles[one] = given.merged(profiles[one])
        return ProbeModule(name, profiles, self.path, self.timeout, self.allowed.allowed(), self.client())


class ProbeModel(Strict):
    """Settings of all probes."""

    allowed: AllowedModel = Field(default_factory=AllowedModel)
    timeout_offset: Duration = Field(default=0.5, gt=0)
    timeout: Duration = Field(default=10, gt=0)
    concurrency: int = Field(default=1000, ge=1)
    targets: int = Field(default=10_000, ge=1)
    forget_after: Duration = Field(default=3600, gt=0)
    history: int = Field(default=100, ge=1, le=10_000)


def probing(probe: ProbeModel, modules: dict[str, ModuleModel], profiles: dict[str, ProfileSettings]) -> Probing:
    """Both sections for the rest of the program. Raises `ConfigError`."""
    numbers: dict[str, Any] = {
        name: getattr(probe, name)
        for name in ("timeout_offset", "timeout", "concurrency", "targets", "forget_after", "history")
    }
    everywhere = probe.allowed.allowed()
    known = {name: model.module(name, profiles) for name, model in modules.items()}
    for module in known.values():
        if module.client.carries_secrets and not (everywhere.is_bounded or module.allowed.is_bounded):
            raise ConfigError(
                f"modules.{module.name}: anyone who reaches /probe could have its credentials sent to another host; "
                "set hosts or networks under allowed"
            )
    return Probing(known, everywhere, **numbers)


def _range(text: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(text)
    first = int(found[1]) if found else 0
    last = int(found[2] or found[1]) if found else 0
    if not 0 < first <= last < 65536:
        raise ValueError(f"{text!r}: write a port, or a range as in 6060-6069")
    return first, last
