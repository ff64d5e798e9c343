"""`pprof-exporter capture TARGET... -o DIR`: rounds of raw profiles on disk, to compare before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pprof_exporter.cli.options import Parser, whole
from pprof_exporter.cli.round_options import add_round_flags
from pprof_exporter.config import parse_duration

_DESCRIPTION = """\
Record rounds of TARGETs: every profile unchanged, its latency, cheap requests for comparison, the CPU time used, and an
execution trace. To resume an interrupted capture, run the same command again.

With --matrix, programs are started one after another, each under the same load, and recorded; see docs/capture.md.

exit codes:
  0    all rounds are complete, and the last round of each target has profiles
  2    a target or program could not be recorded, a folder cannot be written, or invalid arguments
  130  interrupted
"""


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; the exit codes are those of its description."""
    parser = Parser(prog="pprof-exporter capture", description=_DESCRIPTION, environ=environ)
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="HOST:PORT, or the URL where net/http/pprof is mounted"
    )
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder of the capture")
    parser.add_argument("--matrix", metavar="FILE", type=Path, help="YAML file of programs to start and record")
    parser.flag("rounds", "Number of rounds; by default that of --matrix, else 10", default="", read=_rounds)
    parser.flag("every", "Interval between rounds; by default that of --matrix, else 30s", default="", read=_every)
    add_round_flags(parser)
    options = parser.parse_args(argv)
    from pprof_exporter.cli.record import record

    return record(options)


def _rounds(text: str) -> int | None:
    return whole(text) if text else None


def _every(text: str) -> float | None:
    return parse_duration(text) if text else None
