"""The HTTP server: /metrics, /probe, HTML pages, and access control."""

from __future__ import annotations

from pprof_exporter.config.listen_address import BadAddress, Listen, is_loopback, parse_listen
from pprof_exporter.web.access import AccessRules
from pprof_exporter.web.app import Readiness, build_app
from pprof_exporter.web.bearer_token import Bearer
from pprof_exporter.web.evidence_access import EvidenceAccess
from pprof_exporter.web.listen import start_sites
from pprof_exporter.web.replies import PagePaths
from pprof_exporter.web.security import WebConfigError, WebSecurity, load_web_config
from pprof_exporter.web.web_settings import WebConfig

__all__ = [
    "AccessRules",
    "BadAddress",
    "Bearer",
    "EvidenceAccess",
    "Listen",
    "PagePaths",
    "Readiness",
    "WebConfig",
    "WebConfigError",
    "WebSecurity",
    "build_app",
    "is_loopback",
    "load_web_config",
    "parse_listen",
    "start_sites",
]
