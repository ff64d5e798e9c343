"""Logs: one event a line on standard error, as logfmt or JSON, our own and those of libraries alike."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from pprof_exporter.escaping import json_line, logfmt_line

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_FIRST = ("ts", "level", "msg")


def set_up_logs(level: str, form: str) -> None:
    """Configure logging for the whole process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter(json_line if form == "json" else _logfmt))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_LEVELS[level])
    # asyncio logs at debug level which selector it uses, which is of no use here.
    logging.getLogger("asyncio").setLevel(logging.WARNING)


class EventFormatter(logging.Formatter):
    """Writes a record with its fields as one line. Libraries log text, which is an event without fields."""

    def __init__(self, write: Callable[[dict[str, object]], str]) -> None:
        super().__init__()
        self._write = write

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        event: dict[str, object] = {
            **getattr(record, "fields", {}),
            "level": record.levelname.lower(),
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return self._write({**event, "msg": record.getMessage()})


def _logfmt(event: dict[str, object]) -> str:
    return logfmt_line({name: event[name] for name in (*_FIRST, *event)})
