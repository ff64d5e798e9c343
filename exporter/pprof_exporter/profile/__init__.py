"""Bytes of pprof to facts: `decode` reads a profile, `KINDS` says which profiles there are."""

from __future__ import annotations

from pprof_exporter.profile.aggregate import Attribution, Weight, attribute, function_weights, totals
from pprof_exporter.profile.decode import MAX_INFLATED_BYTES, decode
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.goroutines import State, by_state
from pprof_exporter.profile.goversion import (
    GoVersionEvidence,
    combine,
    from_index,
    from_metrics,
    from_profile,
    from_trace,
)
from pprof_exporter.profile.index import Index, read_index
from pprof_exporter.profile.kinds import KINDS, NANOSECONDS, Kind, Span, Value
from pprof_exporter.profile.memstats import MemStats, read_memstats
from pprof_exporter.profile.model import Function, Label, Line, Location, Mapping, Profile, Sample, ValueType
from pprof_exporter.profile.modules import Module, Role, modules
from pprof_exporter.profile.openmetrics_page import CPU_SECONDS, TargetMetrics, read_page
from pprof_exporter.profile.system import System, system_of
from pprof_exporter.profile.trace import Trace, UnsupportedTrace, read_trace

__all__ = [
    "CPU_SECONDS",
    "KINDS",
    "MAX_INFLATED_BYTES",
    "NANOSECONDS",
    "Attribution",
    "DecodeError",
    "Function",
    "GoVersionEvidence",
    "Index",
    "Kind",
    "Label",
    "Line",
    "Location",
    "Mapping",
    "MemStats",
    "Module",
    "Profile",
    "Role",
    "Sample",
    "Span",
    "State",
    "System",
    "TargetMetrics",
    "Trace",
    "UnsupportedTrace",
    "Value",
    "ValueType",
    "Weight",
    "attribute",
    "by_state",
    "combine",
    "decode",
    "from_index",
    "from_metrics",
    "from_profile",
    "from_trace",
    "function_weights",
    "modules",
    "read_index",
    "read_memstats",
    "read_page",
    "read_trace",
    "system_of",
    "totals",
]
