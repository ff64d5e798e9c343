"""How a person writes a target, and what the exporter makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from yarl import URL

from pprof_exporter.config.client_settings import DEFAULT_CLIENT, ClientSettings, Params
from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.profiles import NO_OVERRIDES, Overrides
from pprof_exporter.inputs.url_characters import BadUrl, shown
from pprof_exporter.inputs.urls import parse_url

DEFAULT_PATH = "/debug/pprof/"


class BadTarget(ValueError):
    """The text is not a target; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Target:
    """One process to watch.

    `name` is the value of the label `target`; `url` ends with a slash and is the index page of pprof. It may hold
    user and password, so it is never shown: show `name`.
    """

    name: str
    url: URL = field(repr=False)
    labels: tuple[tuple[str, str], ...] = ()
    overrides: Overrides = NO_OVERRIDES
    params: Params = field(default=(), repr=False)
    """Parameters that every request carries besides its own."""
    client: ClientSettings = DEFAULT_CLIENT

    @property
    def process(self) -> str:
        """What two targets share when they are the same process."""
        return f"{self.url.host}:{self.url.port}"


def parse_target(text: str, *, labels: dict[str, str] | None = None, written: str = "") -> Target:
    """Read `HOST:PORT`, or a URL whose path, if there is one, is where pprof is mounted.

    `localhost:6060`, `http://localhost:6060` and `http://localhost:6060/debug/pprof` are the same target.
    Raises `BadTarget`, whose message names `written` if the text was made of it.
    """
    about = shown(written or text)
    if "?" in text or "#" in text:
        raise BadTarget(f"{about}: remove everything from '?' or '#'; the exporter adds its own parameters")
    try:
        url = parse_url(text if "://" in text else f"http://{text}")
    except BadUrl as error:
        raise BadTarget(f"{about} is not a target: {error}") from None
    host, path = url.host or "", DEFAULT_PATH if url.raw_path == "/" else url.raw_path.rstrip("/") + "/"
    bare_host = f"[{host}]" if ":" in host else host
    name = f"{bare_host}:{url.port}" + ("" if path == DEFAULT_PATH else path.rstrip("/"))
    return Target(name, url.with_path(path, encoded=True), tuple(sorted((labels or {}).items())))


def refuse_duplicates(targets: Iterable[Target]) -> None:
    """Raise `ConfigError` if two targets have the same name."""
    twice = next((name for name, count in Counter(target.name for target in targets).items() if count > 1), "")
    if twice:
        raise ConfigError(f"target {twice} is listed twice; remove one or rename it")
