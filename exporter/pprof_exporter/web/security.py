"""What guards the pages: the current web configuration, which is read again when one of its files changes."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pprof_exporter.config import ConfigError
from pprof_exporter.config.file_stamp import FileStamp, file_stamp
from pprof_exporter.event_log import LOG
from pprof_exporter.web.web_settings import WebConfig

WebConfigError = ConfigError


class _FreshContext(ssl.SSLContext):
    """A server context that gives each connection the current certificates."""

    security: WebSecurity

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Delegate to the current context; asyncio calls this for each connection."""
        context = self.security.now.context
        return super().wrap_bio(*args, **kwargs) if context is None else context.wrap_bio(*args, **kwargs)


class WebSecurity:
    """The web configuration, from a file or fixed. A later file that cannot be used changes nothing, and is reported.

    Raises `WebConfigError` for a file that cannot be used at the start.
    """

    def __init__(self, path: Path | None = None, config: WebConfig | None = None) -> None:
        self._path = path
        self._config = _read(path) if path else config or WebConfig()
        self._stamps = self._look()
        self.on_internal_error: Callable[[BaseException], None] | None = None
        """Called with an error that is none of the file."""
        self.successful: bool | None = True if path else None
        """Whether the file is in use as it was last read; None without a file."""

    @property
    def now(self) -> WebConfig:
        """The configuration in use."""
        if self._path is not None and (stamps := self._look()) != self._stamps:
            self._stamps = stamps
            self._read(self._path)
        return self._config

    @property
    def tls(self) -> ssl.SSLContext | None:
        """TLS context of listeners; None: without TLS."""
        if self._config.context is None:
            return None
        context = _FreshContext(ssl.PROTOCOL_TLS_SERVER)
        context.security = self
        return context

    def _read(self, path: Path) -> None:
        log = LOG.bind(file=str(path))
        try:
            config = _read(path)
            _check_same_scheme(config, self._config)
        except Exception as error:  # noqa: BLE001 - whatever is in the file, the pages stay guarded
            self.successful = False
            detail = str(error) if isinstance(error, ConfigError) else f"internal error: {error}"
            log.error("web configuration reload failed, the previous one stays in use", detail=detail)
            if not isinstance(error, ConfigError) and self.on_internal_error is not None:
                self.on_internal_error(error)
            return
        self.successful = True
        others = config.files != self._config.files
        self._config = config
        if others:
            self._stamps = self._look()
        log.info("web configuration reloaded", users=len(config.users))

    def _look(self) -> tuple[FileStamp | None, ...]:
        return tuple(map(file_stamp, (self._path, *self._config.files))) if self._path else ()


def _read(path: Path) -> WebConfig:
    from pprof_exporter.web.webconfig import read_web_config  # noqa: PLC0415 - pydantic, only for those with a file

    return read_web_config(path)


def _check_same_scheme(new: WebConfig, old: WebConfig) -> None:
    if (new.context is None) is not (old.context is None):
        raise ConfigError("restart the exporter to switch TLS on or off")


def load_web_config(path: Path) -> WebSecurity:
    """Read the file; paths of certificates are relative to it. Raises `WebConfigError`."""
    return WebSecurity(path)
