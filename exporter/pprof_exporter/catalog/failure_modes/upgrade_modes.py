"""F7, F16, F17 and F20: changes of a target, and their effects."""

from __future__ import annotations

from pprof_exporter.catalog import identity
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F7",
        title="Signals jump without a visible cause",
        families=(identity.SIGNAL_CHANGE, identity.SIGNAL_MEDIAN, identity.SIGNAL_OBSERVATIONS),
        meaning="""
            Whether a signal is at its usual level for this service. A jump together with a change has its cause in the
            change (F16, F17, F20). Without one, compare `quantile_over_time` of the last hour with that of the last
            week.
            """,
        computed="""
            The median and the number of values of each epoch (F20). Some jumps come with a version of Go and are [no
            faults](concepts.md#what-changes-by-design).
            """,
        cannot_know="""
            Configuration, traffic and neighbours on the host are in no profile.
            """,
        healthy="""
            A change around 1. Alerts want at least a factor of 2, since traffic alone moves a median. Sketches are
            right to within 1 % of the value.
            """,
        issues=("golang/go#35057", "golang/go#61665"),
    ),
    FailureMode(
        id="F16",
        title="Windows, Go or the program was updated",
        families=(
            identity.CHANGES,
            identity.LAST_CHANGE,
            identity.SYSTEM_MODULE,
            identity.TARGET_INFO,
            identity.KNOWN_BUG,
        ),
        meaning="""
            When the system, Go or the program changed, and the known bugs of the Go version.
            """,
        computed="""
            From the mappings of every profile. The version is `go_info` of the metrics page, else a lower bound from
            trace format, rows of the index page and functions of the profile.

            - `operating_system`: a digest of ntdll.dll, kernel32.dll and kernelbase.dll with their times (Windows
              only).
            - `binary`: name and build id of the program; on Windows path and time.
            - `go`: the exact version.
            - `modules`: foreign modules (F17).

            A part that is unknown on either side has not changed. Replicas with the same label `service` change
            together; each counts its own. Known bugs need the exact version, and are not claimed for releases that may
            hold a backport.
            """,
        cannot_know="""
            Updates of Linux, drivers, and Windows files that a process does not load. Go up to 1.19 lists no modules on
            Windows. Go before 1.24 writes no build id on Linux: only its version shows a new build. A change is timed
            when first seen, mostly after a restart.
            """,
        healthy="""
            In the live tests neither restarts nor loads make a change, and a Windows update is exactly one
            `operating_system`.
            """,
        issues=("golang/go#43296", "golang/go#77975", "golang/go#80982", "golang/go#61665", "golang/go#44343"),
    ),
    FailureMode(
        id="F17",
        title="Foreign modules are loaded",
        families=(identity.FOREIGN_MODULE, identity.MODULES),
        meaning="""
            Security and monitoring software loads modules into processes. Some hook the system calls that the profiler
            needs.
            """,
        computed="""
            Windows only. A module is *system* below the Windows folder, *own* in the program's folder, and *foreign*
            elsewhere. Only the file name is shown.
            """,
        cannot_know="""
            Foreign modules below the Windows folder count as system. Microsoft Defender works from outside and, as far
            as is known, loads no module. A foreign module is no proof of harm.
            """,
        healthy="""
            None, in the live tests, until one is loaded on purpose. A Windows build under Wine has 13 to 23 modules in
            all.
            """,
        issues=("golang/go#36492", "golang/go#42528"),
    ),
    FailureMode(
        id="F20",
        title="Regression after an upgrade",
        families=(identity.SIGNAL_CHANGE, identity.SIGNAL_MEDIAN, identity.SIGNAL_OBSERVATIONS, identity.CHANGES),
        meaning="""
            The factor by which the median of every signal grew at the latest change of the service.
            """,
        computed="""
            An epoch is a period with the same core modules of Windows, build, Go version and foreign modules. Epochs
            are those of a service (label `service`, else the target); a rollback returns to the earlier one. Values go
            into sketches, which merge over replicas and outlive a restart with `--storage.path`. Comparisons are
            updated every 30 s.

            Signals are the latency of each profile (`fetch_duration_seconds:heap`), the canary
            (`canary_duration_seconds:rest`, `:profile`), listing modules (`latency_difference_seconds:modules`),
            coverage and effective rate, standard deviation, late ratio and rate of ticks, and shares and clocks of each
            profile (`truncated_stack_ratio:cpu`).

            ```
            change = median in this epoch / median in the epoch before; none if that was 0
            ```
            """,
        cannot_know="""
            Traffic: the epochs lie one after the other. A first upgrade before the exporter ran. Few values make a poor
            median: see `pprof_signal_observations`.
            """,
        healthy="""
            Around 1. To remove the effect of traffic, compare targets with the upgrade and without at the same time.
            """,
    ),
)
