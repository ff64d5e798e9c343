"""Settings from flags and YAML, and how targets are written."""

from __future__ import annotations

from pprof_exporter.config.client_settings import (
    DEFAULT_CLIENT,
    Authorization,
    BasicAuth,
    ClientSettings,
    OAuth2,
    Params,
)
from pprof_exporter.config.evidence_settings import EvidenceSettings, PushSettings
from pprof_exporter.config.file import check, load_config, schema
from pprof_exporter.config.file_stamp import FileStamp, file_stamp
from pprof_exporter.config.job import (
    DiscoverySource,
    DnsSource,
    FileSource,
    HttpSource,
    Job,
    Mechanism,
    RecordType,
    ResolvedTargets,
    TargetGroup,
)
from pprof_exporter.config.metrics_url import MetricsPage, parse_metrics_page
from pprof_exporter.config.probe_settings import ANYWHERE, DEFAULT_MODULE, AllowRule, ProbeModule, Probing
from pprof_exporter.config.profiles import Overrides, ProfileSettings
from pprof_exporter.config.proxy import Proxy
from pprof_exporter.config.secret import BadSecret, Secret, fits_header, hide
from pprof_exporter.config.settings import MIN_AUDIT_WINDOW, AuditWhen, Limits, Settings
from pprof_exporter.config.strict import ConfigError, Duration, ExistingFile, Strict, load_yaml
from pprof_exporter.config.target import BadTarget, Target, parse_target
from pprof_exporter.config.tls import DEFAULT_TLS, VERSIONS, BadTls, TlsSettings, client_context, load_pair, trust
from pprof_exporter.config.units import parse_duration

__all__ = [
    "ANYWHERE",
    "DEFAULT_CLIENT",
    "DEFAULT_MODULE",
    "DEFAULT_TLS",
    "MIN_AUDIT_WINDOW",
    "VERSIONS",
    "AllowRule",
    "AuditWhen",
    "Authorization",
    "BadSecret",
    "BadTarget",
    "BadTls",
    "BasicAuth",
    "ClientSettings",
    "ConfigError",
    "DiscoverySource",
    "DnsSource",
    "Duration",
    "EvidenceSettings",
    "ExistingFile",
    "FileSource",
    "FileStamp",
    "HttpSource",
    "Job",
    "Limits",
    "Mechanism",
    "MetricsPage",
    "OAuth2",
    "Overrides",
    "Params",
    "ProbeModule",
    "Probing",
    "ProfileSettings",
    "Proxy",
    "PushSettings",
    "RecordType",
    "ResolvedTargets",
    "Secret",
    "Settings",
    "Strict",
    "Target",
    "TargetGroup",
    "TlsSettings",
    "check",
    "client_context",
    "file_stamp",
    "fits_header",
    "hide",
    "load_config",
    "load_pair",
    "load_yaml",
    "parse_duration",
    "parse_metrics_page",
    "parse_target",
    "schema",
    "trust",
]
