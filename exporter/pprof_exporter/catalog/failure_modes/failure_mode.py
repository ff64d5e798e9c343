"""The description of one failure mode."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog.family import Family


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One failure mode with its metrics; docs/signals has the prose on it.

    `id` is its number (`F1`), `title` what goes wrong. `families` are its metrics, the most significant first. `issues`
    are reports of it, as `owner/repository#number`.
    """

    id: str
    title: str
    families: tuple[Family, ...]
    issues: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number of the failure mode, for sorting."""
        return int(self.id.removeprefix("F"))
