"""`pprof-exporter check TARGET...`: one round, a verdict for each failure mode, and an exit code for a pipeline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pprof_exporter import __version__
from pprof_exporter.check.exit_codes import NOT_CHECKED, FailOn
from pprof_exporter.cli.options import Parser, threshold, whole
from pprof_exporter.cli.output import accept_any_text, complain, print_document
from pprof_exporter.cli.round_options import add_round_flags, looks_like_a_path, round_settings, undiscovered_jobs
from pprof_exporter.config import ConfigError, parse_duration

if TYPE_CHECKING:
    from pprof_exporter.check.report import CheckReport, TargetAssessor, TargetReport
    from pprof_exporter.config import Settings

_STDIN = "-"
_FORMATS = ("table", "json", "junit", "markdown", "github")
_DESCRIPTION = """\
Fetch every profile of TARGETs once, or read saved profiles, and check each failure mode against the thresholds of the
alerts.

A TARGET is one of: HOST:PORT, or the URL where net/http/pprof is mounted; a profile file, or - for standard input;
a folder with profiles of one program; a capture.

exit codes:
  0  no findings at or above the level of --fail-on
  1  findings
  2  a target or file could not be checked, or invalid arguments
"""


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; the exit codes are those of its description."""
    options = _parser(environ).parse_args(argv)
    values = vars(options)
    files = [text for text in options.targets if text == _STDIN or Path(text).exists()]
    missing = next((text for text in options.targets if text not in files and looks_like_a_path(text)), None)
    if missing is not None:
        return _fail(f"{missing}: no such file or folder")
    try:
        settings = round_settings(options, [text for text in options.targets if text not in files])
    except ConfigError as error:
        return _fail(str(error))
    if not files and not settings.targets:
        return _fail("no targets. Name a target, as in `pprof-exporter check localhost:6060`, or a file.")
    if left_out := undiscovered_jobs(settings):
        complain(left_out)
    from pprof_exporter.check.report import CheckReport, TargetAssessor, targets_worst_first

    assessor = TargetAssessor(dict(options.set), dict(options.label))
    found = [one for text in files for one in _saved(text, assessor)]
    if settings.targets:
        import asyncio

        found += asyncio.run(_live(settings, assessor, values))
    report = CheckReport(targets_worst_first(found), values["fail-on"], values["runbook-url"], values["exporter-url"])
    _print(report, values["format"], environ)
    return report.exit_code


def _parser(environ: Mapping[str, str]) -> Parser:
    parser = Parser(prog="pprof-exporter check", description=_DESCRIPTION, environ=environ)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="target, file, folder or capture")
    parser.flag("format", "Output format", default="table", choices=_FORMATS)
    parser.flag(
        "fail-on",
        "Minimum level of a finding for exit code 1: critical, warning or never; info is the same as warning",
        default="warning",
        read=FailOn,
        choices=tuple(FailOn),
    )
    parser.flag("rounds", "Number of rounds; growth needs more than one", default="1", read=whole)
    parser.flag("every", "Interval between rounds", default="30s", read=parse_duration)
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], type=threshold, help="change a threshold"
    )
    parser.flag("runbook-url", "URL prefix of runbooks; the name of the alert is appended", default="")
    parser.flag(
        "exporter-url", "URL of an exporter of the same targets, for links to saved profiles and runbooks", default=""
    )
    add_round_flags(parser)
    return parser


def _saved(text: str, assessor: TargetAssessor) -> list[TargetReport]:
    from pprof_exporter.check.saved import check_bodies, check_path

    if text != _STDIN:
        return check_path(Path(text), assessor)
    return [check_bodies("standard input", {"": sys.stdin.buffer.read()}, assessor)]


async def _live(settings: Settings, assessor: TargetAssessor, values: Mapping[str, Any]) -> list[TargetReport]:
    from pprof_exporter.check.live import check_live
    from pprof_exporter.cli.output import rounds_shown
    from pprof_exporter.clock import SystemClock
    from pprof_exporter.scrape.target.round import RoundPlan

    plan = RoundPlan(values["rounds"], values["every"])
    with rounds_shown("checking", [target.name for target in settings.targets], plan.rounds) as on_round:
        return await check_live(settings, assessor, plan, SystemClock(), on_round)


def _print(report: CheckReport, form: str, environ: Mapping[str, str]) -> None:
    from pprof_exporter.check.formats import check_github, check_json, check_junit, check_markdown

    match form:
        case "json":
            print_document(check_json(report, __version__))
        case "junit":
            print_document(check_junit(report))
        case "markdown":
            print_document(check_markdown(report) + "\n")
        case "github":
            print_document("\n".join(check_github(report)))
            _add_step_summary(report, environ.get("GITHUB_STEP_SUMMARY", ""))
        case _:
            from pprof_exporter.cli.verdict_table import print_tables

            accept_any_text()
            print_tables(report)


def _add_step_summary(report: CheckReport, path: str) -> None:
    if not path:
        return
    from pprof_exporter.check.formats import check_markdown

    try:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(check_markdown(report) + "\n")
    except OSError as error:
        complain(f"GITHUB_STEP_SUMMARY: {error.strerror or error}")


def _fail(problem: str) -> int:
    complain(problem)
    return NOT_CHECKED
