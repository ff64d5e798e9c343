"""`pprof-exporter inspect FILE`: what a profile on disk holds."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pprof_exporter.cli.options import Parser
from pprof_exporter.cli.output import accept_any_text, complain, print_document
from pprof_exporter.escaping import json_text

if TYPE_CHECKING:
    from pprof_exporter.health import Reading
    from pprof_exporter.profile import Profile

_EVERYTHING = sys.maxsize


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; exit code 0, or 2 when the file could not be read as a profile."""
    parser = Parser(
        prog="pprof-exporter inspect",
        description="Show the content of a profile file: any profile.proto, gzipped or plain, from Go or not.",
        environ=environ,
    )
    parser.add_argument("file", metavar="FILE", help="profile file, or - for standard input")
    parser.flag("format", "Output format", default="text", choices=("text", "json"))
    parser.flag("top", "Number of functions per sample type, 0 for all", default="10", read=_count)
    options = parser.parse_args(argv)
    try:
        data = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
    except OSError as error:
        return _fail(options.file, error.strerror or str(error))
    from pprof_exporter.catalog.hints import advice_on, seen
    from pprof_exporter.profile import DecodeError, decode

    try:
        profile = decode(data, max_bytes=_EVERYTHING - 1)
    except DecodeError as error:
        problem = seen(f"{error.reason}: {error.detail}", error.hint)
        return _fail(options.file, f"{problem}. {advice_on(error.reason, error.hint)}")
    facts = describe(profile, options.top or _EVERYTHING)
    if options.format == "json":
        print_document(json_text(facts, indent=2))
    else:
        from pprof_exporter.cli.inspect_table import print_profile

        accept_any_text()
        print_profile(facts)
    return 0


def describe(profile: Profile, top: int) -> dict[str, Any]:
    """The profile as one object of plain values; the keys are a contract with scripts."""
    from pprof_exporter.health import FetchedProfile, run_checks
    from pprof_exporter.profile import modules, totals

    return {
        "sample_types": [
            {"type": kind.type, "unit": kind.unit, "total": total}
            for kind, total in zip(profile.sample_types, totals(profile), strict=True)
        ],
        "samples": profile.columns.samples,
        "locations": profile.columns.locations,
        "functions": profile.columns.functions,
        "mappings": [
            {
                "file": module.file,
                "build_id": module.build_id,
                **({"modified": module.modified.isoformat()} if module.modified else {}),
                "role": module.role.value,
            }
            for module in modules(profile.mapped_files)
        ],
        "time_nanos": profile.time_nanos,
        "duration_nanos": profile.duration_nanos,
        "period": profile.period,
        "period_type": {"type": profile.period_type.type, "unit": profile.period_type.unit},
        "default_sample_type": profile.default_sample_type,
        "comments": list(profile.comments),
        "top": {kind.type: _top(profile, i, top) for i, kind in enumerate(profile.sample_types)},
        "signals": {_signal(reading): reading.value for reading in run_checks(FetchedProfile(profile))},
    }


def _signal(reading: Reading) -> str:
    """Name of a signal: that of its family, and what distinguishes it within the family."""
    labels = ",".join(f'{name}="{value}"' for name, value in reading.labels)
    return f"{reading.family.name}{{{labels}}}" if labels else reading.family.name


def _top(profile: Profile, index: int, limit: int) -> list[dict[str, Any]]:
    from pprof_exporter.profile import function_weights

    weights = function_weights(profile, index)
    order = sorted(weights, key=lambda name: (-weights[name].flat, -weights[name].cum, name))
    return [{"function": name, "flat": weights[name].flat, "cum": weights[name].cum} for name in order[:limit]]


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is not a count; write a whole number, 0 for all")
    return int(text)


def _fail(file: str, problem: str) -> int:
    complain(f"{file}: {problem}")
    return 2
