"""What a probe fetches, and which addresses it may connect to. All times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network

from pprof_exporter.config.client_settings import DEFAULT_CLIENT, ClientSettings
from pprof_exporter.config.profiles import ProfileSettings
from pprof_exporter.config.target import DEFAULT_PATH

DEFAULT_MODULE = "default"

# Profiles that stop the world or run a garbage collection are off unless a module enables them.
_DEFAULT = ("cpu", "heap", "allocs", "goroutine", "block", "mutex", "threadcreate", "canary")


@dataclass(frozen=True, slots=True)
class AllowRule:
    """Addresses that probes may connect to. Empty parts allow everything but reserved addresses.

    `hosts` are names and addresses as a target has them, in lower case, where `*` stands for anything. `networks` hold
    the addresses that are connected to. `ports` are ranges with both ends.
    """

    schemes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ports: tuple[tuple[int, int], ...] = ()

    @property
    def is_bounded(self) -> bool:
        """Whether hosts or networks are named, and none of these patterns stands for everybody's."""
        hosts = bool(self.hosts) and all(host.strip("*.") for host in self.hosts)
        return hosts or (bool(self.networks) and all(network.prefixlen for network in self.networks))


ANYWHERE = AllowRule()


@dataclass(frozen=True, slots=True)
class ProbeModule:
    """What a probe fetches. `profiles` is keyed by name, and has all that there are.

    `path` is where pprof is mounted, for targets that do not say; `timeout` is for the whole probe.
    """

    name: str
    profiles: dict[str, ProfileSettings]
    path: str = DEFAULT_PATH
    timeout: float = 60
    allowed: AllowRule = ANYWHERE
    client: ClientSettings = DEFAULT_CLIENT


@dataclass(frozen=True, slots=True)
class Probing:
    """Everything about /probe. `modules` are those of the configuration file."""

    modules: dict[str, ProbeModule] = field(default_factory=dict)
    allowed: AllowRule = ANYWHERE
    timeout_offset: float = 0.5
    """Seconds between the reply and the scrape timeout of Prometheus."""
    timeout: float = 10
    """For a request that states no scrape timeout."""
    concurrency: int = 1000
    targets: int = 10_000
    """Number of targets whose counters are held until the next probe."""
    forget_after: float = 3600
    history: int = 100

    def modules_with(self, profiles: dict[str, ProfileSettings]) -> dict[str, ProbeModule]:
        """Every module by its name; `profiles` are the settings that those which come along take over."""
        return {
            DEFAULT_MODULE: ProbeModule(DEFAULT_MODULE, choose_profiles(profiles, None)),
            "cheap": ProbeModule("cheap", choose_profiles(profiles, ())),
            **self.modules,
        }


def choose_profiles(profiles: dict[str, ProfileSettings], names: tuple[str, ...] | None) -> dict[str, ProfileSettings]:
    """The same settings, with these names switched on and all others off.

    None: what the default module has, less what is switched off for all targets.
    """
    return {
        name: replace(known, enabled=name in names if names is not None else name in _DEFAULT and known.enabled)
        for name, known in profiles.items()
    }
