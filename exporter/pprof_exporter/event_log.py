"""Events with fields over the standard `logging`, as in `LOG.info("listening", targets=2)`."""

from __future__ import annotations

import logging
from typing import Any


class EventLogger:
    """Logs events. `bind` returns a logger whose events have more fields. `exc_info` is that of `logging`."""

    __slots__ = ("_fields", "_logger")

    def __init__(self, **fields: object) -> None:
        self._fields = fields
        self._logger = logging.getLogger("pprof_exporter")

    def bind(self, **fields: object) -> EventLogger:
        """The same logger with these fields in every event."""
        return EventLogger(**{**self._fields, **fields})

    def debug(self, event: str, **fields: object) -> None:
        """Log a detail."""
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log an event."""
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log a problem."""
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, *, exc_info: BaseException | None = None, **fields: object) -> None:
        """Log an error, with the traceback of an exception if one is given."""
        self._log(logging.ERROR, event, fields, exc_info)

    def exception(self, event: str, **fields: object) -> None:
        """Log an error with the traceback of the exception that is being handled."""
        self._log(logging.ERROR, event, fields, True)

    def _log(self, level: int, event: str, fields: dict[str, object], exc_info: Any = None) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, exc_info=exc_info, extra={"fields": {**self._fields, **fields}})


LOG = EventLogger()
