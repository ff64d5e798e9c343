"""`pprof-exporter`: serve, or one of the commands."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from pprof_exporter import __version__
from pprof_exporter.cli import config, dashboards, demo, inspect, rules
from pprof_exporter.cli.logs import set_up_logs
from pprof_exporter.cli.options import Parser, add_serve_flags, settings_from
from pprof_exporter.cli.serve import Service, serve
from pprof_exporter.config import ConfigError
from pprof_exporter.web import WebSecurity, load_web_config

Command = Callable[[Sequence[str], Mapping[str, str]], int]


def _check(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    from pprof_exporter.cli import check  # noqa: PLC0415 - serving needs none of the workbench

    return check.run(argv, environ)


def _capture(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    from pprof_exporter.cli import capture  # noqa: PLC0415 - serving needs none of the workbench

    return capture.run(argv, environ)


COMMANDS: dict[str, Command] = {
    "check": _check,
    "capture": _capture,
    "inspect": inspect.run,
    "rules": rules.run,
    "dashboards": dashboards.run,
    "demo": demo.run,
    "config": config.run,
}

_DESCRIPTION = """\
Watch the health of Go profiling: fetch the pprof endpoints of TARGETs, decode them, and serve metrics.

commands:
  pprof-exporter TARGET...      serve metrics about these targets
  pprof-exporter check TARGET   look once at a target or at saved profiles, and judge; for pipelines
  pprof-exporter capture TARGET record rounds of profiles in a folder, to compare
  pprof-exporter inspect FILE   show what a profile on disk holds
  pprof-exporter rules          write recording rules and alerts for Prometheus
  pprof-exporter dashboards     write dashboards for Grafana
  pprof-exporter config check   say what a configuration file comes to, or what is wrong with it
  pprof-exporter demo           try everything without a Go service at hand
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


def _serve(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    parser = Parser(prog="pprof-exporter", description=_DESCRIPTION, environ=environ)
    add_serve_flags(parser)
    parser.add_argument("--version", action="version", version=f"pprof-exporter {__version__}")
    options = parser.parse_args(argv)
    values = vars(options)
    try:
        settings = settings_from(options)
        security = load_web_config(values["web.config.file"]) if values["web.config.file"] else WebSecurity()
    except ConfigError as error:
        print(f"pprof-exporter: {error}", file=sys.stderr)
        return 2
    if not settings.targets and not values["config.file"]:
        print(
            "pprof-exporter: no targets. Name one, as in `pprof-exporter localhost:6060`, give --config.file, "
            "or try `pprof-exporter demo`.",
            file=sys.stderr,
        )
        return 2
    set_up_logs(values["log.level"], values["log.format"])
    service = Service(
        settings=settings,
        addresses=values["web.listen-address"],
        security=security,
        load=(lambda: settings_from(options)) if values["config.file"] else None,
        config=values["config.file"],
        watch=values["config.watch"],
        lifecycle=values["web.enable-lifecycle"],
        storage=values["storage.path"] / "epochs.sqlite" if values["storage.path"] else None,
    )
    return asyncio.run(serve(service))
