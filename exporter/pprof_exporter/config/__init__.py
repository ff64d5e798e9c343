"""What the exporter is told to do: settings, and how targets are written."""

from __future__ import annotations

from pprof_exporter.config.duration import parse_duration
from pprof_exporter.config.file import check, load_config
from pprof_exporter.config.settings import AuditWhen, Limits, ProfileSettings, Settings
from pprof_exporter.config.strict import ConfigError, Strict, load_yaml
from pprof_exporter.config.target import BadTarget, Target, parse_target

__all__ = [
    "AuditWhen",
    "BadTarget",
    "ConfigError",
    "Limits",
    "ProfileSettings",
    "Settings",
    "Strict",
    "Target",
    "check",
    "load_config",
    "load_yaml",
    "parse_duration",
    "parse_target",
]
