"""Bytes of pprof to facts: `decode` reads a profile, `KINDS` says which profiles there are."""

from __future__ import annotations

from pprof_exporter.profile.aggregate import Attribution, Weight, attribute, function_weights, totals
from pprof_exporter.profile.decode import MAX_INFLATED_BYTES, decode
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.goroutines import State, by_state
from pprof_exporter.profile.index import Index, read_index
from pprof_exporter.profile.kinds import KINDS, NANOSECONDS, Kind, Span, Value
from pprof_exporter.profile.model import Function, Label, Line, Location, Mapping, Profile, Sample, ValueType
from pprof_exporter.profile.modules import Module, Role, modules
from pprof_exporter.profile.system import System, system_of

__all__ = [
    "KINDS",
    "MAX_INFLATED_BYTES",
    "NANOSECONDS",
    "Attribution",
    "DecodeError",
    "Function",
    "Index",
    "Kind",
    "Label",
    "Line",
    "Location",
    "Mapping",
    "Module",
    "Profile",
    "Role",
    "Sample",
    "Span",
    "State",
    "System",
    "Value",
    "ValueType",
    "Weight",
    "attribute",
    "by_state",
    "decode",
    "function_weights",
    "modules",
    "read_index",
    "system_of",
    "totals",
]
