"""F7, F16, F17 and F20: changes of a target, and their effects."""

from __future__ import annotations

from pprof_exporter.catalog import identity
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F7",
        title="Signals jump without a visible cause",
        families=(identity.SIGNAL_CHANGE, identity.SIGNAL_MEDIAN, identity.SIGNAL_OBSERVATIONS),
        issues=("golang/go#35057", "golang/go#61665"),
    ),
    FailureMode(
        id="F16",
        title="Windows, Go or the program was updated",
        families=(
            identity.CHANGES,
            identity.LAST_CHANGE,
            identity.LAST_CHANGE_INFO,
            identity.RESTARTS,
            identity.START_TIME,
            identity.SEVERAL_PROCESSES,
            identity.SYSTEM_MODULE,
            identity.TARGET_INFO,
            identity.KNOWN_BUG,
        ),
        issues=("golang/go#43296", "golang/go#77975", "golang/go#80982", "golang/go#61665", "golang/go#44343"),
    ),
    FailureMode(
        id="F17",
        title="Foreign modules are loaded",
        families=(identity.FOREIGN_MODULE, identity.MODULES),
        issues=("golang/go#36492", "golang/go#42528"),
    ),
    FailureMode(
        id="F20",
        title="Regression after an upgrade",
        families=(
            identity.SIGNAL_CHANGE,
            identity.SIGNAL_CONTROL,
            identity.SIGNAL_LOAD,
            identity.SIGNAL_MEDIAN,
            identity.SIGNAL_OBSERVATIONS,
            identity.CHANGES,
        ),
    ),
)
