"""`pprof-exporter config check FILE...` and `config schema`."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pprof_exporter.cli.options import Parser, check_readable
from pprof_exporter.cli.output import complain, print_document, say
from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.escaping import json_text

if TYPE_CHECKING:
    from pprof_exporter.config import ClientSettings, Job, Settings

_DESCRIPTION = """\
Check configuration files and warn about likely mistakes, or print the JSON Schema of the file for an editor.
"""


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Exit code 0, 1 for a file that cannot be used, 2 for wrong arguments."""
    parser = Parser(prog="pprof-exporter config", description=_DESCRIPTION, environ=environ)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_plain(environ))
    check = commands.add_parser("check", help="check configuration files")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    commands.add_parser("schema", help="print the JSON Schema of the file")
    options = parser.parse_args(argv)
    if options.command == "schema":
        from pprof_exporter.config.file import schema

        print_document(json_text(schema(), indent=2))
        return 0
    return max(_check(path, environ) for path in options.files)


def _plain(environ: Mapping[str, str]) -> type[Parser]:
    class Sub(Parser):
        def __init__(self, **kwargs: object) -> None:
            super().__init__(environ=environ, **kwargs)

    return Sub


def _check(path: Path, environ: Mapping[str, str]) -> int:
    try:
        settings = _settings(path, environ)
    except ConfigError as error:
        complain(str(error), program="")
        return 1
    sources = sum(len(job.sources) for job in settings.jobs)
    say(
        f"{path}: valid: {_count(settings.jobs, 'job')}, {_count(settings.targets, 'static target')}, "
        f"{sources} discovery {'source' if sources == 1 else 'sources'}"
    )
    for job in settings.jobs:
        for warning in _warnings(job, path.parent):
            say(f"{path}: warning: {job.name}: {warning}")
    return 0


def _settings(path: Path, environ: Mapping[str, str]) -> Settings:
    check_readable(path)
    from pprof_exporter.config import Settings
    from pprof_exporter.config.file import load_config
    from pprof_exporter.default_profiles import default_profiles

    return load_config(path, Settings((), default_profiles()), environ)


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _clients(job: Job) -> list[tuple[str, ClientSettings]]:
    from pprof_exporter.config import HttpSource

    discovery = [("http_sd_configs", source.client) for source in job.sources if isinstance(source, HttpSource)]
    return [("targets", job.client), *discovery]


def _warnings(job: Job, folder: Path) -> list[str]:
    """Warnings: settings that are valid and mostly a mistake."""
    from pprof_exporter.config import FileSource

    found = [
        f"no file matches {pattern!r}"
        for source in job.sources
        if isinstance(source, FileSource)
        for pattern in source.patterns
        if not glob.glob(str(folder / pattern))  # noqa: PTH207
    ]
    found += [
        f"{of}: tls_config.insecure_skip_verify allows a man in the middle to read and change what is fetched"
        for of, client in _clients(job)
        if client.tls.insecure_skip_verify
    ]
    if not job.static and not job.sources:
        found.append("no targets: add static_configs or a discovery section")
    elif job.static and not job.resolve(job.static).targets:
        found.append("relabel_configs drop every static target")
    return found
