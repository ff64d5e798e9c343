"""F5: the parts of the latency of profiles, each from several fetches."""

from __future__ import annotations

from pprof_exporter.scrape.state.counters import RecentLatencies

_BASE = "threadcreate"
# The profile whose latency, minus that of threadcreate, a cause explains.
_PROFILES = {"heap": "heap", "goroutine": "goroutines"}


class LatencyDifferences:
    """The latest differences by cause: `modules`, `heap`, `goroutines`.

    threadcreate has few records, so what another profile takes longer is the walk of its records.
    """

    def __init__(self) -> None:
        self._threadcreate: float | None = None
        self._recent: dict[str, RecentLatencies] = {}

    def fetched(self, profile: str, seconds: float) -> None:
        """Take in the latency of a profile."""
        if profile == _BASE:
            self._threadcreate = seconds
        elif profile in _PROFILES:
            self._add(_PROFILES[profile], seconds)

    def without_modules(self, seconds: float) -> float | None:
        """Take in the latency of threadcreate?debug=1, which lists no modules. Returns the difference."""
        if self._threadcreate is None:
            return None
        self._recent.setdefault("modules", RecentLatencies()).add(self._threadcreate - seconds)
        return self._threadcreate - seconds

    def medians(self) -> dict[str, float]:
        """The median of the latest differences by cause. A cause with fewer than three is left out."""
        medians = {cause: recent.median for cause, recent in self._recent.items()}
        return {cause: median for cause, median in medians.items() if median is not None}

    def _add(self, cause: str, seconds: float) -> None:
        if self._threadcreate is not None:
            self._recent.setdefault(cause, RecentLatencies()).add(seconds - self._threadcreate)
