"""The log of one probe: its requests and replies, and what was left out and why."""

from __future__ import annotations

from pprof_exporter.clock import Clock
from pprof_exporter.escaping import logfmt_line

_MAX_VALUE_LENGTH = 400
_MAX_LINES = 200


class ProbeLog:
    """Lines of logfmt, each with the seconds since the probe began. Their number and length are bounded."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.steady()
        self._lines: list[str] = []

    def debug(self, event: str, **fields: object) -> None:
        """Log a detail. The log of a probe includes details."""
        self._add("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log an event."""
        self._add("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log a problem."""
        self._add("warning", event, fields)

    @property
    def text(self) -> str:
        """All lines."""
        return "".join(f"{line}\n" for line in self._lines)

    def _add(self, level: str, event: str, fields: dict[str, object]) -> None:
        if len(self._lines) >= _MAX_LINES:
            return
        passed = self._clock.steady() - self._began
        parts = {"t": f"{passed:.3f}", "level": level, "msg": event, **fields}
        self._lines.append(logfmt_line({name: str(value)[:_MAX_VALUE_LENGTH] for name, value in parts.items()}))


class RedactedLog:
    """Passes events on without `detail`, which may hold text of a reply.

    The client that requests a probe chooses its target, and must not read replies through the exporter.
    """

    def __init__(self, log: ProbeLog) -> None:
        self._log = log

    def debug(self, event: str, **fields: object) -> None:
        """Log a detail."""
        self._log.debug(event, **_without_detail(fields))

    def info(self, event: str, **fields: object) -> None:
        """Log an event."""
        self._log.info(event, **_without_detail(fields))

    def warning(self, event: str, **fields: object) -> None:
        """Log a problem."""
        self._log.warning(event, **_without_detail(fields))


def _without_detail(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name != "detail"}
