"""Settings from flags and YAML, and how targets are written.

What reads YAML is imported from `config.file` and `config.strict`: pydantic takes 11 MiB, and without a configuration
file nothing needs it. The rest is loaded when it is used, so that a flag is read without all that a target has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pprof_exporter.lazy_face import lazy_face

if TYPE_CHECKING:
    from pprof_exporter.config.audit_when import AuditWhen
    from pprof_exporter.config.client_settings import (
        DEFAULT_CLIENT,
        Authorization,
        BasicAuth,
        ClientSettings,
        OAuth2,
        Params,
    )
    from pprof_exporter.config.config_error import ConfigError
    from pprof_exporter.config.evidence_settings import EvidenceSettings, PushSettings
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
    from pprof_exporter.config.settings import MIN_AUDIT_WINDOW, Limits, Settings, check
    from pprof_exporter.config.target import BadTarget, Target, parse_target
    from pprof_exporter.config.tls import (
        DEFAULT_TLS,
        BadTls,
        TlsSettings,
        client_context,
        load_pair,
        tls_version,
        trust,
    )
    from pprof_exporter.config.units import parse_duration

__all__ = [
    "ANYWHERE",
    "DEFAULT_CLIENT",
    "DEFAULT_MODULE",
    "DEFAULT_TLS",
    "MIN_AUDIT_WINDOW",
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
    "EvidenceSettings",
    "FileSource",
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
    "Target",
    "TargetGroup",
    "TlsSettings",
    "check",
    "client_context",
    "fits_header",
    "hide",
    "load_pair",
    "parse_duration",
    "parse_metrics_page",
    "parse_target",
    "tls_version",
    "trust",
]

__getattr__ = lazy_face(
    __name__,
    {
        "audit_when": "AuditWhen",
        "client_settings": "DEFAULT_CLIENT Authorization BasicAuth ClientSettings OAuth2 Params",
        "config_error": "ConfigError",
        "evidence_settings": "EvidenceSettings PushSettings",
        "job": "DiscoverySource DnsSource FileSource HttpSource Job Mechanism RecordType ResolvedTargets TargetGroup",
        "metrics_url": "MetricsPage parse_metrics_page",
        "probe_settings": "ANYWHERE DEFAULT_MODULE AllowRule ProbeModule Probing",
        "profiles": "Overrides ProfileSettings",
        "proxy": "Proxy",
        "secret": "BadSecret Secret fits_header hide",
        "settings": "MIN_AUDIT_WINDOW Limits Settings check",
        "target": "BadTarget Target parse_target",
        "tls": "DEFAULT_TLS BadTls TlsSettings client_context load_pair tls_version trust",
        "units": "parse_duration",
    },
)
