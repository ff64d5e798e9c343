"""What the exporter answers over HTTP."""

from __future__ import annotations

from pprof_exporter.web.access import Access
from pprof_exporter.web.app import Readiness, build_app
from pprof_exporter.web.desk import Desk
from pprof_exporter.web.listen import BadAddress, Listen, parse_listen, start_sites
from pprof_exporter.web.security import Bearer, WebConfigError, WebSecurity, load_web_config

__all__ = [
    "Access",
    "BadAddress",
    "Bearer",
    "Desk",
    "Listen",
    "Readiness",
    "WebConfigError",
    "WebSecurity",
    "build_app",
    "load_web_config",
    "parse_listen",
    "start_sites",
]
