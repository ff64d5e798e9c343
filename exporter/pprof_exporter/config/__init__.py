"""What the exporter is told to do: settings, and how targets are written."""

from __future__ import annotations

from pprof_exporter.config.duration import parse_duration
from pprof_exporter.config.evidence import EvidenceSettings, PushSettings
from pprof_exporter.config.file import check, load_config, schema
from pprof_exporter.config.job import (
    DnsSource,
    FileSource,
    Found,
    Group,
    HttpSource,
    Job,
    Mechanism,
    RecordType,
    Source,
)
from pprof_exporter.config.profiles import Overrides, ProfileSettings
from pprof_exporter.config.settings import AuditWhen, Limits, Settings
from pprof_exporter.config.strict import ConfigError, Strict, load_yaml
from pprof_exporter.config.target import BadTarget, Target, parse_target

__all__ = [
    "AuditWhen",
    "BadTarget",
    "ConfigError",
    "DnsSource",
    "EvidenceSettings",
    "FileSource",
    "Found",
    "Group",
    "HttpSource",
    "Job",
    "Limits",
    "Mechanism",
    "Overrides",
    "ProfileSettings",
    "PushSettings",
    "RecordType",
    "Settings",
    "Source",
    "Strict",
    "Target",
    "check",
    "load_config",
    "load_yaml",
    "parse_duration",
    "parse_target",
    "schema",
]
