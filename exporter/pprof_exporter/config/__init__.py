"""What the exporter is told to do: settings, and how targets are written."""

from __future__ import annotations

from pprof_exporter.config.client import PLAIN, Authorization, BasicAuth, ClientSettings, OAuth2, Params
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
from pprof_exporter.config.metrics_page import MetricsPage, parse_metrics_page
from pprof_exporter.config.probing import ANYWHERE, DEFAULT_MODULE, Allowed, Module, Probing
from pprof_exporter.config.profiles import Overrides, ProfileSettings
from pprof_exporter.config.proxy import Proxy
from pprof_exporter.config.secret import BadSecret, Secret, fits_header, hide
from pprof_exporter.config.settings import AuditWhen, Limits, Settings
from pprof_exporter.config.stamp import Stamp, stamp
from pprof_exporter.config.strict import ConfigError, Duration, ExistingFile, Strict, load_yaml
from pprof_exporter.config.target import BadTarget, Target, parse_target
from pprof_exporter.config.tls import DEFAULT_TLS, VERSIONS, BadTls, TlsSettings, client_context, load_pair, trust

__all__ = [
    "ANYWHERE",
    "DEFAULT_MODULE",
    "DEFAULT_TLS",
    "PLAIN",
    "VERSIONS",
    "Allowed",
    "AuditWhen",
    "Authorization",
    "BadSecret",
    "BadTarget",
    "BadTls",
    "BasicAuth",
    "ClientSettings",
    "ConfigError",
    "DnsSource",
    "Duration",
    "EvidenceSettings",
    "ExistingFile",
    "FileSource",
    "Found",
    "Group",
    "HttpSource",
    "Job",
    "Limits",
    "Mechanism",
    "MetricsPage",
    "Module",
    "OAuth2",
    "Overrides",
    "Params",
    "Probing",
    "ProfileSettings",
    "Proxy",
    "PushSettings",
    "RecordType",
    "Secret",
    "Settings",
    "Source",
    "Stamp",
    "Strict",
    "Target",
    "TlsSettings",
    "check",
    "client_context",
    "fits_header",
    "hide",
    "load_config",
    "load_pair",
    "load_yaml",
    "parse_duration",
    "parse_metrics_page",
    "parse_target",
    "schema",
    "stamp",
    "trust",
]
