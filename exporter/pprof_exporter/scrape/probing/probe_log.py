"""The log of one probe: what was asked for, what came, and what was left out and why."""

from __future__ import annotations

import json
import re

from pprof_exporter.clock import Clock

_LONGEST = 400
_MOST = 200
_PLAIN = re.compile(r"[!#-<>-~]+")


class ProbeLog:
    """Lines of logfmt, each with the seconds since the probe began. Bounded, whatever a target says."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.steady()
        self._lines: list[str] = []

    def debug(self, event: str, **fields: object) -> None:
        """Something that few want to read; in the log of a probe, all do."""
        self._add("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Something that happened."""
        self._add("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something that went wrong."""
        self._add("warning", event, fields)

    @property
    def text(self) -> str:
        """All lines."""
        return "".join(f"{line}\n" for line in self._lines)

    def _add(self, level: str, event: str, fields: dict[str, object]) -> None:
        if len(self._lines) >= _MOST:
            return
        passed = self._clock.steady() - self._began
        parts = {"t": f"{passed:.3f}", "level": level, "msg": event, **fields}
        self._lines.append(" ".join(f"{name}={_value(value)}" for name, value in parts.items()))


class RedactedLog:
    """Hands events on without `detail`, which may hold words of a reply.

    Whoever asks for a probe chooses where it goes, and is not to read there what he could not read himself.
    """

    def __init__(self, log: ProbeLog) -> None:
        self._log = log

    def debug(self, event: str, **fields: object) -> None:
        """Something that few want to read."""
        self._log.debug(event, **_without_words(fields))

    def info(self, event: str, **fields: object) -> None:
        """Something that happened."""
        self._log.info(event, **_without_words(fields))

    def warning(self, event: str, **fields: object) -> None:
        """Something that went wrong."""
        self._log.warning(event, **_without_words(fields))


def _without_words(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name != "detail"}


def _value(value: object) -> str:
    """As it is, or in quotes, without anything that ends a line or moves a cursor."""
    text = str(value)[:_LONGEST]
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
