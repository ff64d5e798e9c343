"""The description of one failure mode."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog.family import Family


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One failure mode with its metrics. All texts are Markdown, indented like the source around them.

    `id` is its number (`F1`), `title` what goes wrong. `families` are its metrics, the most significant first.
    `meaning` explains them, `computed` has sources, formula and guards. `cannot_know` is what they cannot show,
    `healthy` what real programs show. `issues` are reports of it, as `owner/repository#number`.
    """

    id: str
    title: str
    families: tuple[Family, ...]
    meaning: str
    computed: str
    cannot_know: str
    healthy: str
    issues: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        """The number of the failure mode, for sorting."""
        return int(self.id.removeprefix("F"))
