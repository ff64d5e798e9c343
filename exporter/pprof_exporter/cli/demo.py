"""`pprof-exporter demo`: the exporter against targets that it brings along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pprof_exporter.cli.options import Parser, add_listen_flag, add_log_flags
from pprof_exporter.config import parse_duration


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; runs until it is interrupted."""
    parser = Parser(
        prog="pprof-exporter demo",
        description="Run the exporter on recorded profiles of a Go service on Linux and Windows, under changing load.",
        environ=environ,
    )
    parser.switch("live", "Also build and scrape the real Go program; needs Go on the PATH")
    parser.flag("pace", "Duration of each phase of the recording", default="1m", read=parse_duration)
    add_listen_flag(parser, "127.0.0.1:9717")
    add_log_flags(parser)
    options = parser.parse_args(argv)
    from pprof_exporter.cli.demo_service import serve_demo

    return serve_demo(options)
