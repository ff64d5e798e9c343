"""What `check` and `capture` have in common: how targets are named and requested."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from pprof_exporter.cli.options import Parser, add_fetch_flags, path_or_none, settings_from

if TYPE_CHECKING:
    from pprof_exporter.config import Settings

_WITHOUT_LOOPS: dict[str, object] = {
    "scrape.interval": 30.0,
    # A single round has no next fetch that it could delay.
    "scrape.cpu-interval": 86_400.0,
    "scrape.top-functions": 10,
    "scrape.audit": 0.0,
    "scrape.budget": 1.0,
    "scrape.defer-at-most": 0.0,
}
_EVERY_ROUND = 0.0


def add_round_flags(parser: Parser) -> None:
    """Flags of requests, and what to add to the targets."""
    parser.flag("config.file", "Configuration file with more targets and settings", default="", read=path_or_none)
    add_fetch_flags(parser)
    parser.add_argument(
        "--label", metavar="NAME=VALUE", action="append", default=[], type=_label, help="add a label to the targets"
    )
    parser.set_defaults(**_WITHOUT_LOOPS)


def round_settings(options: argparse.Namespace, targets: list[str]) -> Settings:
    """Settings with these targets and those of the configuration file. Raises `ConfigError`."""
    from dataclasses import replace

    settings = settings_from(argparse.Namespace(**{**vars(options), "targets": targets}))
    labels = dict(options.label)
    return replace(
        settings,
        audit=_EVERY_ROUND,
        targets=tuple(
            replace(target, labels=tuple(sorted({**dict(target.labels), **labels}.items())))
            for target in settings.targets
        ),
    )


def undiscovered_jobs(settings: Settings) -> str:
    """A note on targets of the configuration file that are left out, since they are discovered; "" without any."""
    jobs = [job.name for job in settings.jobs if job.sources]
    return f"only static targets are used; discovery of {', '.join(jobs)} does not run here" if jobs else ""


def _label(text: str) -> tuple[str, str]:
    from pprof_exporter.config.relabel import LABEL_NAME

    name, given, value = text.partition("=")
    if not given or not LABEL_NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=VALUE, with a name of letters, digits and _")
    return name, value


def looks_like_a_path(text: str) -> bool:
    """Whether an argument that is no file was meant to be one."""
    return "://" not in text and (text.startswith((".", os.sep)) or text.endswith((".pb", ".gz", ".pprof", ".bin")))
