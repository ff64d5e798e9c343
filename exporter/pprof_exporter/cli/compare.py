"""`pprof-exporter compare`: what an upgrade changed, from captures, a running exporter, or two groups of targets."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pprof_exporter.cli.options import Parser, threshold, whole
from pprof_exporter.cli.output import accept_any_text, complain, print_document
from pprof_exporter.cli.round_options import add_round_flags
from pprof_exporter.config import ConfigError, parse_duration

if TYPE_CHECKING:
    from pprof_exporter.compare.report import ComparisonReport
    from pprof_exporter.compare.report_html import Flames

_DESCRIPTION = """\
Show what an upgrade changed: each signal with effect size and rank test, and each function.

  pprof-exporter compare BEFORE AFTER              two captures (see pprof-exporter capture)
  pprof-exporter compare --from http://HOST:9717   epochs before and after the latest change, from a running exporter
  pprof-exporter compare --stable A,B --canary C   two groups of targets, recorded now at the same time
"""
_EPILOGUE = "Exit code: 0 nothing is worse, 1 something is worse (see --fail-on), 2 nothing could be compared."
_FILE_WIDTH = 140
_FORMATS = ("text", "json", "markdown", "html")


class CannotCompare(Exception):
    """There are no two sides; the message says why."""


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; returns its exit code."""
    parser = Parser(prog="pprof-exporter compare", description=_DESCRIPTION, epilog=_EPILOGUE, environ=environ)
    parser.add_argument("captures", nargs="*", type=Path, metavar="CAPTURE", help="folders written by capture")
    parser.flag("from", "URL of a running exporter", default="")
    parser.flag("target", "With --from: compare only this target", default="")
    parser.flag("stable", "Targets without the upgrade, comma-separated", default="")
    parser.flag("canary", "Targets with the upgrade, comma-separated", default="")
    parser.flag("rounds", "With --stable and --canary: number of rounds", default="10", read=whole)
    parser.flag("every", "With --stable and --canary: interval between rounds", default="30s", read=parse_duration)
    parser.flag("keep", "With --stable and --canary: folder in which to keep the capture", default="")
    add_round_flags(parser)
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], type=threshold, help="change a threshold"
    )
    parser.flag("format", "Output format", default="text", choices=_FORMATS)
    parser.flag("output", "Output file, - for standard output", default="-")
    parser.flag("html", "Also write the report to this HTML file", default="")
    parser.flag(
        "fail-on",
        "Verdicts with exit code 1: worse; unsure (worse or undecided); never",
        default="worse",
        choices=("worse", "unsure", "never"),
    )
    options = parser.parse_args(argv)
    try:
        report, flames = _compare(options)
        _write(report, flames, options)
    except (CannotCompare, ConfigError) as error:
        complain(str(error))
        return 2
    return _code(report, options.__dict__["fail-on"])


def _compare(options: argparse.Namespace) -> tuple[ComparisonReport, Flames]:
    values, thresholds = vars(options), dict(options.set)
    pictures = bool(options.html) or options.format == "html"
    if (bool(options.captures), bool(values["from"]), bool(options.stable or options.canary)).count(True) > 1:
        raise CannotCompare("choose one of: two captures, --from, or --stable and --canary")
    if values["from"]:
        return _epochs(values["from"], values["target"] or None, thresholds), {}
    if options.stable or options.canary:
        if not (options.stable and options.canary):
            raise CannotCompare("--stable and --canary are required together")
        from pprof_exporter.cli.compare_groups import compare_groups_now

        return compare_groups_now(options, thresholds, pictures=pictures)
    if len(options.captures) != 2:
        raise CannotCompare("name two captures, as in `pprof-exporter compare before after`, or --from URL")
    before, after = options.captures
    return _captures(before, after, thresholds, pictures=pictures)


# What a comparison needs is loaded here, and not when the program starts: the exporter itself needs none of it.


def _captures(
    before: Path, after: Path, thresholds: Mapping[str, float], *, pictures: bool
) -> tuple[ComparisonReport, Flames]:
    from pprof_exporter.capture.reader import CaptureError, load_capture
    from pprof_exporter.compare.captures import compare_captures, flames_of

    try:
        sides = load_capture(before), load_capture(after)
    except CaptureError as error:
        raise CannotCompare(str(error)) from None
    report = compare_captures(*sides, thresholds)
    if not report.pairs:
        raise CannotCompare(
            f"{before} and {after} have no target in common ({' '.join(report.alone)}). Capture the same targets."
        )
    return report, flames_of(*sides) if pictures else {}


def _epochs(text: str, target: str | None, thresholds: Mapping[str, float]) -> ComparisonReport:
    import asyncio

    from pprof_exporter.compare.epochs import NoEpochs, compare_epochs
    from pprof_exporter.compare.exporter_page import NoPage, page_url, read_exporter_page

    try:
        url = page_url(text)
        page = asyncio.run(read_exporter_page(url))
    except NoPage as error:
        raise CannotCompare(str(error)) from None
    try:
        return compare_epochs(page, str(url.with_user(None)), target=target, thresholds=thresholds)
    except NoEpochs as error:
        raise CannotCompare(f"{url.with_user(None)}: {error}") from None


def _write(report: ComparisonReport, flames: Flames, options: argparse.Namespace) -> None:
    if options.html:
        _save(options.html, _rendered("html", report, flames))
    if options.format == "text":
        _text(report, options.output)
        return
    rendered = _rendered(options.format, report, flames)
    if options.output != "-":
        _save(options.output, rendered)
        return
    print_document(rendered)


def _rendered(form: str, report: ComparisonReport, flames: Flames) -> str:
    if form == "json":
        from pprof_exporter.compare.report_json import report_json

        return report_json(report)
    if form == "markdown":
        from pprof_exporter.compare.report_markdown import report_markdown

        return report_markdown(report)
    from pprof_exporter.compare.report_html import report_html

    return report_html(report, flames)


def _text(report: ComparisonReport, output: str) -> None:
    from rich.console import Console

    from pprof_exporter.compare.report_text import print_report

    if output == "-":
        accept_any_text()
        print_report(report, Console(highlight=False))
        return
    written = io.StringIO()
    print_report(report, Console(highlight=False, file=written, width=_FILE_WIDTH))
    _save(output, written.getvalue())


def _save(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CannotCompare(f"{file}: {error.strerror or error}") from None


def _code(report: ComparisonReport, fail_on: str) -> int:
    from pprof_exporter.compare.report import ChangeVerdict

    if report.verdict is ChangeVerdict.UNSURE:
        return 2
    worse = bool(report.count(ChangeVerdict.WORSE))
    return int({"worse": worse, "unsure": worse or bool(report.undecided), "never": False}[fail_on])
