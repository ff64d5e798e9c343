"""What is known of one failure mode."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.catalog.family import Family


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One failure mode, and what tells of it. All texts are Markdown, indented as the source around them.

    `id` is its number (`F1`), `title` what goes wrong. `families` are the metrics that speak of it, the most telling
    first. `meaning` is what they tell, `computed` how: sources, formula, guards. `cannot_know` is what stays hidden,
    `healthy` what real programs show. `issues` are those that report it, as `owner/repository#number`.
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
        """The number of the mode, by which failure modes are sorted."""
        return int(self.id.removeprefix("F"))
