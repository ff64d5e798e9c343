"""Flags, each with an environment variable: `--web.listen-address` is `PPROF_EXPORTER_WEB_LISTEN_ADDRESS`.

What a flag means is imported when it is read, so that --help and errors are quick.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from pprof_exporter.config.units import parse_duration
from pprof_exporter.escaping import terminal_lines

if TYPE_CHECKING:
    from pprof_exporter.config.audit_when import AuditWhen
    from pprof_exporter.config.listen_address import Listen
    from pprof_exporter.config.metrics_url import MetricsPage
    from pprof_exporter.config.profiles import ProfileSettings
    from pprof_exporter.config.settings import Settings
    from pprof_exporter.config.target import Target

DEFAULT_LISTEN = ":9717"
_ALL = "all"

T = TypeVar("T")


class _Default(NamedTuple):
    """Text in place of a flag that is not given."""

    text: str
    read: Callable[[str], object]


class Parser(argparse.ArgumentParser):
    """An argument parser whose flags fall back on environment variables."""

    def __init__(self, *, environ: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **kwargs)
        self._environ = environ

    def error(self, message: str) -> NoReturn:
        """End with a usage error: argparse repeats what it was given as it is."""
        super().error(terminal_lines(message))

    def flag(self, name: str, help_: str, *, default: str, read: Callable[[str], object] = str, **kwargs: Any) -> None:
        """Add `--name VALUE`. Text from the environment and the default are read like text from the command line."""
        variable = variable_of(name)
        self.add_argument(
            f"--{name}",
            dest=name,
            default=_Default(self._environ.get(variable, default), _reader(read)),
            type=_reader(read),
            help=f"{help_} (default: {default or 'none'}) [{variable}]",
            **{"metavar": "VALUE", **kwargs},
        )

    def parse_args(  # type: ignore[override]  # No command brings a namespace.
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> argparse.Namespace:
        """The options. Defaults are read last: argparse reads them before it refuses an unknown argument."""
        options = super().parse_args(args, namespace)
        for name, value in vars(options).items():
            if isinstance(value, _Default):
                try:
                    setattr(options, name, value.read(value.text))
                except argparse.ArgumentTypeError as error:
                    self.error(f"argument --{name}: {error}")
        return options

    def switch(self, name: str, help_: str, *, default: bool = False) -> None:
        """Add `--name` and `--no-name`."""
        variable = variable_of(name)
        shown = "on" if default else "off"
        self.add_argument(
            f"--{name}",
            dest=name,
            default=self._environ.get(variable, shown).lower() in ("1", "true", "yes", "on"),
            action=argparse.BooleanOptionalAction,
            help=f"{help_} (default: {shown}) [{variable}]",
        )


def variable_of(flag: str) -> str:
    """The environment variable of a flag."""
    return "PPROF_EXPORTER_" + re.sub(r"[^A-Z0-9]", "_", flag.upper())


def _reader(read: Callable[[str], T]) -> Callable[[str], T]:
    def convert(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return convert


def _listen_addresses(text: str) -> list[Listen]:
    from pprof_exporter.config.listen_address import parse_listen

    return [parse_listen(part.strip()) for part in text.split(",")]


def _external_url(text: str) -> str | None:
    """The path of the URL; None without a URL."""
    from pprof_exporter.config.listen_address import external_path

    return external_path(text) if text else None


def _route_prefix(text: str) -> str | None:
    """The prefix; None for the default, which depends on another flag."""
    from pprof_exporter.config.listen_address import route_prefix

    return route_prefix(text, "") if text else None


def _metrics_page(text: str) -> MetricsPage:
    from pprof_exporter.config.metrics_url import parse_metrics_page

    return parse_metrics_page(text)


def _profiles(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    if names == [_ALL]:
        return names
    from pprof_exporter.default_profiles import default_profiles

    known = default_profiles()
    unknown = next((name for name in names if name not in (*known, _ALL)), None)
    if unknown is not None:
        raise ValueError(f"unknown profile {unknown!r}; choose from {', '.join(known)}")
    return names


def whole(text: str) -> int:
    """A whole number above 0. Raises `ValueError` with a sentence."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{text!r} is not a whole number above 0")
    return int(text)


def _audit(text: str) -> AuditWhen | float:
    from pprof_exporter.config.audit_when import AuditWhen

    return next((when for when in AuditWhen if when.value == text), None) or parse_duration(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"{text!r} is not a share; write a number above 0 and at most 1")
    return share


def _deferral(text: str) -> float:
    return 0.0 if text == "off" else parse_duration(text)


def path_or_none(text: str) -> Path | None:
    """A path; "" is none."""
    return Path(text) if text else None


def threshold(text: str) -> tuple[str, float]:
    """`NAME=NUMBER` of a threshold. Raises `argparse.ArgumentTypeError` with a sentence."""
    from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME

    name, _, number = text.partition("=")
    if name not in THRESHOLDS_BY_NAME:
        raise argparse.ArgumentTypeError(f"unknown threshold {name!r}; see `pprof-exporter rules --list-thresholds`")
    try:
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=NUMBER") from None


def add_log_flags(parser: Parser) -> None:
    """`--log.level` and `--log.format`, as in Prometheus."""
    parser.flag(
        "log.level", "Minimum level of logged events", default="info", choices=("debug", "info", "warn", "error")
    )
    parser.flag("log.format", "Log format", default="logfmt", choices=("logfmt", "json"))


def add_listen_flag(parser: Parser, default: str) -> None:
    """`--web.listen-address`."""
    parser.flag(
        "web.listen-address", "Addresses to listen on, comma-separated", default=default, read=_listen_addresses
    )


def add_fetch_flags(parser: Parser) -> None:
    """Flags of requests to targets, common to all commands."""
    parser.flag("scrape.timeout", "Timeout of a fetch, in addition to the window", default="10s", read=parse_duration)
    parser.flag("scrape.concurrency", "Maximum number of concurrent fetches", default="256", read=whole)
    parser.flag(
        "scrape.profiles", "Profiles to fetch, comma-separated; all excludes stacks", default=_ALL, read=_profiles
    )
    parser.flag("scrape.cpu-window", "Duration of a CPU profile", default="5s", read=parse_duration)
    parser.flag(
        "scrape.metrics-path",
        "Path of the targets' own metrics; write :8080/metrics if the port differs from that of pprof",
        default="/metrics",
        read=_metrics_page,
    )


def add_serve_flags(parser: Parser) -> None:
    """Everything that the exporter itself understands."""
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="HOST:PORT, or the URL where net/http/pprof is mounted"
    )
    parser.flag("config.file", "Configuration file, reloaded on SIGHUP", default="", read=path_or_none)
    parser.switch("config.watch", "Reload the configuration file when it changes", default=True)
    add_listen_flag(parser, DEFAULT_LISTEN)
    parser.flag(
        "web.config.file",
        "File with TLS and password settings, in the format of exporter-toolkit",
        default="",
        read=path_or_none,
    )
    parser.flag(
        "web.external-url",
        "URL under which the pages are reached, for links behind a proxy; without it, links are relative",
        default="",
        read=_external_url,
    )
    parser.flag(
        "web.route-prefix",
        "Prefix of all paths; without it, the path of --web.external-url. / if the proxy strips the path",
        default="",
        read=_route_prefix,
    )
    parser.switch("web.systemd-socket", "Listen on the sockets passed by systemd instead of the listen address")
    parser.switch("web.enable-lifecycle", "Allow POST /-/reload")
    parser.switch("web.enable-probe", "Serve /probe?target=HOST:PORT for targets chosen by Prometheus", default=True)
    parser.flag("scrape.interval", "Interval between fetches of the index page", default="30s", read=parse_duration)
    add_fetch_flags(parser)
    parser.flag("scrape.cpu-interval", "Interval between CPU profiles", default="1m", read=parse_duration)
    parser.flag("scrape.top-functions", "Maximum number of functions per profile in metrics", default="10", read=whole)
    parser.flag(
        "scrape.audit",
        "When to audit the sampling clock: off, on-change, or a duration",
        default="on-change",
        read=_audit,
    )
    parser.flag(
        "scrape.budget", "Maximum share of time for which a target may be profiled", default="0.15", read=_share
    )
    parser.flag(
        "scrape.defer-at-most", "Maximum time for which a fetch is deferred, or off", default="5m", read=_deferral
    )
    parser.flag(
        "storage.path",
        "Folder for state that survives a restart; without it, state is in memory",
        default="",
        read=path_or_none,
    )
    add_log_flags(parser)


def check_readable(file: Path) -> None:
    """Raise `ConfigError` if a file cannot be read, before loading what would read it."""
    from pprof_exporter.config.config_error import ConfigError

    try:
        with file.open("rb"):
            return
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from None


def _targets(texts: Sequence[str]) -> tuple[Target, ...]:
    if not texts:
        return ()
    from pprof_exporter.config.config_error import ConfigError
    from pprof_exporter.config.target import BadTarget, parse_target, refuse_duplicates

    try:
        targets = tuple(map(parse_target, texts))
    except BadTarget as error:
        raise ConfigError(str(error)) from None
    refuse_duplicates(targets)
    return targets


def _profile_settings(values: Mapping[str, Any]) -> dict[str, ProfileSettings]:
    from dataclasses import replace

    from pprof_exporter.config.profiles import check_windows
    from pprof_exporter.default_profiles import default_profiles

    names = values["scrape.profiles"]
    profiles = {
        name: replace(known, enabled=name in names or (_ALL in names and known.enabled))
        for name, known in default_profiles().items()
    }
    profiles["cpu"] = replace(
        profiles["cpu"], interval=values["scrape.cpu-interval"], window=values["scrape.cpu-window"]
    )
    # A configuration file may have another interval or window.
    if not values["config.file"]:
        check_windows("profiles", profiles)
    return profiles


def settings_from(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of the flags, with the configuration file on top, which may refer to variables. Raises `ConfigError`."""
    values = vars(options)
    if path := values["config.file"]:
        check_readable(path)
    profiles = _profile_settings(values)
    targets = _targets(options.targets)
    from pprof_exporter.config.settings import Limits, Settings

    settings = Settings(
        targets=targets,
        profiles=profiles,
        index_interval=values["scrape.interval"],
        timeout=values["scrape.timeout"],
        metrics_page=values["scrape.metrics-path"],
        audit=values["scrape.audit"],
        budget=values["scrape.budget"],
        defer_at_most=values["scrape.defer-at-most"],
        limits=Limits(concurrency=values["scrape.concurrency"], functions=values["scrape.top-functions"]),
    )
    if not path:
        return settings
    from pprof_exporter.config.file import load_config

    return load_config(path, settings, environ)
