"""How often each profile is fetched, and what a job may override. All times are seconds."""

from __future__ import annotations

from dataclasses import dataclass

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
