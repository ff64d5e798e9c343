"""`pprof-exporter`: serve, or one of the commands."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from pprof_exporter import __version__
from pprof_exporter.cli.options import Parser, add_serve_flags

_Command = Callable[[Sequence[str], Mapping[str, str]], int]


def _command(module: str) -> _Command:
    """A command whose module is loaded when it is run."""

    def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
        loaded: _Command = importlib.import_module(f"pprof_exporter.{module}").run
        return loaded(argv, environ)

    return run


COMMANDS: dict[str, _Command] = {
    "check": _command("cli.check"),
    "capture": _command("cli.capture"),
    "compare": _command("cli.compare"),
    "inspect": _command("cli.inspect"),
    "rules": _command("cli.rules"),
    "dashboards": _command("cli.dashboards"),
    "demo": _command("cli.demo"),
    "config": _command("cli.config"),
    "healthcheck": _command("healthcheck"),
}

_DESCRIPTION = """\
Monitor the health of Go profiling: fetch the pprof endpoints of TARGETs, decode the profiles, and serve metrics.

commands:
  pprof-exporter TARGET...      serve metrics of these targets
  pprof-exporter                serve metrics of targets chosen by Prometheus: /probe?target=HOST:PORT
  pprof-exporter check TARGET   check a target or saved profiles once, for CI pipelines
  pprof-exporter capture TARGET record rounds of profiles in a folder, for compare
  pprof-exporter compare A B    compare a capture before an upgrade with one after it
  pprof-exporter inspect FILE   show the content of a profile file
  pprof-exporter rules          write recording rules and alerts for Prometheus
  pprof-exporter dashboards     write dashboards for Grafana
  pprof-exporter config check   check a configuration file
  pprof-exporter healthcheck    check that the local exporter is alive
  pprof-exporter demo           run the exporter on recorded profiles, without a Go service
"""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run a command; returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    environ = os.environ if environ is None else environ
    try:
        if argv and argv[0] in COMMANDS:
            return COMMANDS[argv[0]](argv[1:], environ)
        return _serve(argv, environ)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe has gone. What is still buffered has nowhere to go, and the interpreter would try again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _reader() -> str:
    """How this installation reads profiles, told from its files: importing the reader takes longer than the rest."""
    folder = Path(__file__).parents[1] / "profile" / "reader"
    compiled = all(PathFinder.find_spec(source.stem, [str(folder)]) for source in folder.glob("*.pyx"))
    return "native" if compiled else "python"


def _serve(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    parser = Parser(prog="pprof-exporter", description=_DESCRIPTION, environ=environ)
    add_serve_flags(parser)
    parser.add_argument("--version", action="version", version=f"pprof-exporter {__version__} ({_reader()} reader)")
    options = parser.parse_args(argv)
    from pprof_exporter.cli.start import start

    return start(options, environ)
