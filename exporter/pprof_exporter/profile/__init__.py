"""Bytes of pprof to facts: `decode` reads a profile, `KINDS` lists the kinds of profiles."""

from __future__ import annotations

from pprof_exporter.profile.aggregate import Attribution, Weight, attribute, function_weights, totals
from pprof_exporter.profile.decode import MAX_INFLATED_BYTES, decode
from pprof_exporter.profile.dump import Dump, creators, longest_wait, read_dump
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.goroutines import State, by_state
from pprof_exporter.profile.goversion import (
    GoVersion,
    GoVersionEvidence,
    combine,
    from_index,
    from_metrics,
    from_profile,
    from_trace,
)
from pprof_exporter.profile.index import Index, read_index
from pprof_exporter.profile.kinds import KINDS, NANOSECONDS, Kind, Rise, Span, Value
from pprof_exporter.profile.memstats import MemStats, read_memstats
from pprof_exporter.profile.model import Function, Label, Line, Location, Mapping, Profile, Sample, ValueType
from pprof_exporter.profile.modules import Module, ModuleRole, modules
from pprof_exporter.profile.mutex_rate import read_mutex_rate
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
    "Dump",
    "Function",
    "GoVersion",
    "GoVersionEvidence",
    "Index",
    "Kind",
    "Label",
    "Line",
    "Location",
    "Mapping",
    "MemStats",
    "Module",
    "ModuleRole",
    "Profile",
    "Rise",
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
    "creators",
    "decode",
    "from_index",
    "from_metrics",
    "from_profile",
    "from_trace",
    "function_weights",
    "longest_wait",
    "modules",
    "read_dump",
    "read_index",
    "read_memstats",
    "read_mutex_rate",
    "read_page",
    "read_trace",
    "system_of",
    "totals",
]
