"""`pprof-exporter rules`: the recording rules and alerts, for Prometheus to load."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pprof_exporter.cli.options import Parser, threshold
from pprof_exporter.cli.output import complain, print_document, say


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; exit code 0, or 2 when the file cannot be written."""
    parser = Parser(
        prog="pprof-exporter rules",
        description="Write the recording rules and alerts for Prometheus, to load with rule_files.",
        environ=environ,
    )
    parser.add_argument(
        "--set",
        dest="set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=threshold,
        help="change a threshold",
    )
    parser.add_argument("--list-thresholds", action="store_true", help="list all thresholds with their reasons")
    parser.flag("runbook-url", "URL prefix of runbooks; the name of the alert is appended", default="")
    parser.flag(
        "time-scale", "Factor for all ranges and waits, to test alerts within minutes", default="1", read=_scale
    )
    parser.flag("output", "Output file, - for standard output", default="-")
    options = vars(parser.parse_args(argv))
    if options["list_thresholds"]:
        from pprof_exporter.catalog.thresholds import THRESHOLDS

        for one in THRESHOLDS:
            say(f"{one.name}={one.value:.12g}  # {one.unit or 'number'}: {one.reason}")
        return 0
    from pprof_exporter.rules import GROUPS, RuleOptions, render_rules

    chosen = RuleOptions(dict(options["set"]), options["runbook-url"], options["time-scale"])
    text = render_rules(GROUPS, chosen)
    if options["output"] == "-":
        print_document(text)
        return 0
    try:
        Path(options["output"]).write_text(text, encoding="utf-8")
    except OSError as error:
        complain(f"{options['output']}: {error.strerror or error}")
        return 2
    return 0


def _scale(text: str) -> float:
    scale = 0.0
    with contextlib.suppress(ValueError):
        scale = float(text)
    if not 0 < scale <= 100:
        raise ValueError(f"{text!r}: write a number above 0 and up to 100")
    return scale
