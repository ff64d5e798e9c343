"""How often each profile is fetched, and what a job may override. All times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.metrics_url import MetricsPage


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """How often one kind of profile is fetched, and for how long it runs."""

    interval: float
    window: float = 0
    enabled: bool = True
    beside_page: float | None = None
    """The longest interval while the target's metrics page tells the same. None: there is no such page, or the user
    set the interval."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the targets of a job do differently from all others; None and empty are as for all."""

    index_interval: float | None = None
    timeout: float | None = None
    profiles: tuple[tuple[str, ProfileSettings], ...] = ()
    metrics_page: MetricsPage | None = None


NO_OVERRIDES = Overrides()


def check_windows(place: str, profiles: Mapping[str, ProfileSettings]) -> None:
    """Raise `ConfigError` unless each window ends before the next begins. `place` is where the settings are written."""
    for name, profile in profiles.items():
        if profile.enabled and profile.window and profile.window + 1 > profile.interval:
            raise ConfigError(
                f"{place}.{name}: a window of {profile.window:g} s does not fit into an interval of "
                f"{profile.interval:g} s; increase the interval or shorten the window"
            )
