"""Settings under which what was read once still stands at the end: nobody comes again in half a minute."""

from __future__ import annotations

from dataclasses import replace

from pprof_exporter.config import ProfileSettings, Settings

_FOR_EVER = 1e12


def lasting(settings: Settings, *, audit: float | None = None) -> Settings:
    """The same settings without intervals; `audit` is seconds between two audits, None leaves them as they are."""
    profiles: dict[str, ProfileSettings] = {
        name: replace(profile, interval=_FOR_EVER) for name, profile in settings.profiles.items()
    }
    return replace(
        settings,
        profiles=profiles,
        index_interval=_FOR_EVER,
        audit=settings.audit if audit is None else audit,
    )
