"""Raw profiles that show a finding, kept on disk: one folder with a manifest for each, within a bound."""

from __future__ import annotations

from pprof_exporter.evidence.finding import MANIFEST, Body, File, Finding, Kept, Origin, Process, Role
from pprof_exporter.evidence.ring import Drop, Policy, Pushed, Ring, Trouble

__all__ = [
    "MANIFEST",
    "Body",
    "Drop",
    "File",
    "Finding",
    "Kept",
    "Origin",
    "Policy",
    "Process",
    "Pushed",
    "Ring",
    "Role",
    "Trouble",
]
