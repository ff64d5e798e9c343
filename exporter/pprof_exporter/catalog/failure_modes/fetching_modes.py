"""F13 to F15 and F19: failing fetches, and the cost of profiling."""

from __future__ import annotations

from pprof_exporter.catalog import fetching
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F13",
        title="A pprof endpoint is missing or returns something else",
        families=(
            fetching.UP,
            fetching.DOWN,
            fetching.AVAILABLE,
            fetching.FETCH_FAILURES,
            fetching.DECODE_FAILURES,
            fetching.FETCHES,
            fetching.LAST_SUCCESS,
        ),
        issues=("gin-contrib/pprof#71",),
    ),
    FailureMode(
        id="F14",
        title="Two profilers compete for one process",
        families=(fetching.FETCHES,),
    ),
    FailureMode(
        id="F15",
        title="A server timeout cuts profiles",
        families=(fetching.FETCH_FAILURES, fetching.DECODE_FAILURES),
        issues=("golang/go#62358",),
    ),
    FailureMode(
        id="F19",
        title="Profiling costs too much",
        families=(fetching.PROFILING, fetching.HANDLER_WINDOW, fetching.DEFERRED, fetching.OVERDUE, fetching.SKIPPED),
        issues=("golang/go#33250", "golang/go#50794", "golang/go#74872", "cockroachdb/cockroach#14602"),
    ),
)
