"""Settings of the Go runtime of one process that explain its figures."""

from __future__ import annotations

from pprof_exporter.profile import TargetMetrics


class RuntimeSettings:
    """None: unknown."""

    def __init__(self) -> None:
        self.gogc: float | None = None
        """GOGC as the metrics page states it; 1 is GOGC=100."""
        self.gomaxprocs: float | None = None
        self.host_processors: int | None = None
        """Processors of this machine, if the target runs here."""

    def learn_page(self, page: TargetMetrics) -> None:
        """Take in a metrics page."""
        self.gogc, self.gomaxprocs = page.gogc, page.gomaxprocs

    @property
    def processors(self) -> float | None:
        """Processors that the process can use at once."""
        return self.host_processors if self.gomaxprocs is None else self.gomaxprocs
