"""Bytes of pprof to facts: `decode` reads a profile, `KINDS` lists the kinds of profiles.

A module is loaded with its first name: a flag that names kinds of profiles is checked without what reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pprof_exporter.lazy_face import lazy_face

if TYPE_CHECKING:
    from pprof_exporter.profile.aggregate import FunctionWeight, attribute, function_weights, totals
    from pprof_exporter.profile.build_info import BuildInfo, read_build_info
    from pprof_exporter.profile.decoding import MAX_INFLATED_BYTES, decode
    from pprof_exporter.profile.dump import GoroutineDump, goroutines_by_creator, longest_waits, read_dump
    from pprof_exporter.profile.errors import DecodeError
    from pprof_exporter.profile.function_names.renames import current_name, under_current_names
    from pprof_exporter.profile.goroutines import GoroutineState, goroutines_by_state, proven_leaks
    from pprof_exporter.profile.goversion import (
        GoVersion,
        KnownGoVersion,
        VersionSource,
        combine_go_versions,
        go_version_from_binary,
        go_version_from_index,
        go_version_from_metrics,
        go_version_from_profile,
        go_version_from_trace,
    )
    from pprof_exporter.profile.index import IndexPage, read_index
    from pprof_exporter.profile.kinds import (
        GOROUTINELEAK,
        KINDS,
        NANOSECONDS,
        Attribution,
        GrowthRule,
        Kind,
        SampleValue,
        Span,
    )
    from pprof_exporter.profile.liveness import check_cmdline, check_threads
    from pprof_exporter.profile.loaded_modules import Module, ModuleRole, modules, same_path
    from pprof_exporter.profile.memstats import MemStats, read_memstats
    from pprof_exporter.profile.model import Function, Label, Line, Location, Mapping, Sample, ValueType
    from pprof_exporter.profile.mutex_rate import read_mutex_rate
    from pprof_exporter.profile.openmetrics_page import CPU_SECONDS, TargetMetrics, read_page
    from pprof_exporter.profile.profile import Profile
    from pprof_exporter.profile.reader.choice import READER, ReaderName
    from pprof_exporter.profile.system import System, system_of
    from pprof_exporter.profile.trace import Trace, UnsupportedTrace, read_trace

__all__ = [
    "CPU_SECONDS",
    "GOROUTINELEAK",
    "KINDS",
    "MAX_INFLATED_BYTES",
    "NANOSECONDS",
    "READER",
    "Attribution",
    "BuildInfo",
    "DecodeError",
    "Function",
    "FunctionWeight",
    "GoVersion",
    "GoroutineDump",
    "GoroutineState",
    "GrowthRule",
    "IndexPage",
    "Kind",
    "KnownGoVersion",
    "Label",
    "Line",
    "Location",
    "Mapping",
    "MemStats",
    "Module",
    "ModuleRole",
    "Profile",
    "ReaderName",
    "Sample",
    "SampleValue",
    "Span",
    "System",
    "TargetMetrics",
    "Trace",
    "UnsupportedTrace",
    "ValueType",
    "VersionSource",
    "attribute",
    "check_cmdline",
    "check_threads",
    "combine_go_versions",
    "current_name",
    "decode",
    "function_weights",
    "go_version_from_binary",
    "go_version_from_index",
    "go_version_from_metrics",
    "go_version_from_profile",
    "go_version_from_trace",
    "goroutines_by_creator",
    "goroutines_by_state",
    "longest_waits",
    "modules",
    "proven_leaks",
    "read_build_info",
    "read_dump",
    "read_index",
    "read_memstats",
    "read_mutex_rate",
    "read_page",
    "read_trace",
    "same_path",
    "system_of",
    "totals",
    "under_current_names",
]

__getattr__ = lazy_face(
    __name__,
    {
        "aggregate": "FunctionWeight attribute function_weights totals",
        "build_info": "BuildInfo read_build_info",
        "decoding": "MAX_INFLATED_BYTES decode",
        "dump": "GoroutineDump goroutines_by_creator longest_waits read_dump",
        "errors": "DecodeError",
        "function_names.renames": "current_name under_current_names",
        "goroutines": "GoroutineState goroutines_by_state proven_leaks",
        "goversion": "GoVersion KnownGoVersion VersionSource combine_go_versions go_version_from_binary "
        "go_version_from_index go_version_from_metrics go_version_from_profile go_version_from_trace",
        "index": "IndexPage read_index",
        "kinds": "GOROUTINELEAK KINDS NANOSECONDS Attribution GrowthRule Kind SampleValue Span",
        "liveness": "check_cmdline check_threads",
        "memstats": "MemStats read_memstats",
        "model": "Function Label Line Location Mapping Sample ValueType",
        "loaded_modules": "Module ModuleRole modules same_path",
        "mutex_rate": "read_mutex_rate",
        "openmetrics_page": "CPU_SECONDS TargetMetrics read_page",
        "profile": "Profile",
        "reader.choice": "READER ReaderName",
        "system": "System system_of",
        "trace": "Trace UnsupportedTrace read_trace",
    },
)
