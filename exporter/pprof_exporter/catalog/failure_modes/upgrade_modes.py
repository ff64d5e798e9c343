"""F7, F16, F17 and F20: what changed about a target, and what the change did."""

from __future__ import annotations

from pprof_exporter.catalog import identity
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F7",
        title="Signals jump without a visible cause",
        families=(identity.SIGNAL_CHANGE, identity.SIGNAL_MEDIAN, identity.SIGNAL_OBSERVATIONS),
        meaning="""
            Whether a signal is where it usually is for this service: its median now against that before the latest
            change. A jump together with a change has its cause in the change (F16, F17, F20). A jump without one is in
            the time series themselves: hold `quantile_over_time` of the last hour against that of the last week.
            """,
        computed="""
            The exporter keeps the distribution of each signal for each epoch (F20), and shows the median and the number
            of values; spread over time is left to PromQL. Some jumps are no faults, and come with a version of Go:

            - 1.18 on Linux: CPU totals rise, since each thread has a timer of its own.
            - 1.22: CPU totals rise by 1.56 on Windows; mutex delays rise, since every waiter counts.
            - 1.23: stacks of up to 128 frames, so more distinct stacks.
            - 1.26: another collector, so that its functions and shares move.
            - 1.27: closures have other names, so that series by function end and begin.
            """,
        cannot_know="""
            The cause of a jump that comes with no change of system, program, Go or modules: configuration, traffic and
            neighbours on the same host are not in any profile.
            """,
        healthy="""
            A change around 1. Alerts want at least a factor of 2, since traffic alone moves a median. The sketches
            behind the medians are right to within 1 % of the value.
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
            When what a target runs on was replaced, and by what. A Windows update shows in the profile itself: Go 1.20
            and later list the modules of a process with the times of their files, and an update replaces ntdll.dll,
            kernel32.dll and kernelbase.dll. Bugs of Go that a version is known to have are named.
            """,
        computed="""
            From the mappings of every profile, and the version from the best source: `go_info` of the target's metrics
            page, else a lower bound by trace format, rows of the index page and functions of the profile.

            - `operating_system`: a digest of the three core modules with their times (Windows only).
            - `binary`: name and build id of the program; on Windows its path and time.
            - `go`: the exact version.
            - `modules`: modules from elsewhere (F17).

            A part that is unknown on either side has not changed. Replicas with the same label `service` change
            together and count each for itself. Known bugs need the exact version; nothing is claimed of a release that
            may hold a backport.
            """,
        cannot_know="""
            Updates of Linux, of drivers, and of Windows files that a process does not load. Go up to 1.19 on Windows
            lists no modules; Go before 1.24 writes no build id on Linux, so that only its version tells of a new build.
            The time of a change is when it was first seen, mostly after a restart of the process.
            """,
        healthy="""
            No change at all between two of them: in the live tests neither restarts nor loads make one, and a Windows
            update is exactly one `operating_system`.
            """,
        issues=("golang/go#43296", "golang/go#77975", "golang/go#80982", "golang/go#61665", "golang/go#44343"),
    ),
    FailureMode(
        id="F17",
        title="Foreign software sits in the process",
        families=(identity.FOREIGN_MODULE, identity.MODULES),
        meaning="""
            Security and monitoring software loads modules of its own into processes, some of which hook the system
            calls that the profiler needs. Their names are shown.
            """,
        computed="""
            Names are shown for Windows only. There a module is *system* below the Windows folder, *own* in the folder
            of the program, and *foreign* anywhere else. Only the name of the file is shown, never its path.
            """,
        cannot_know="""
            Software that installs its modules below the Windows folder counts as system. Microsoft Defender works from
            outside and, as far as is known, loads no module. A foreign module is no proof that it does harm. Go up to
            1.19 lists no modules.
            """,
        healthy="""
            None: the programs of the live tests have no foreign module until one is loaded on purpose. 13 to 23 modules
            in all are usual for a Windows build under Wine.
            """,
        issues=("golang/go#36492", "golang/go#42528"),
    ),
    FailureMode(
        id="F20",
        title="An upgrade made something worse",
        families=(identity.SIGNAL_CHANGE, identity.SIGNAL_MEDIAN, identity.SIGNAL_OBSERVATIONS, identity.CHANGES),
        meaning="""
            Every signal before and after the latest change of a service: `pprof_signal_change_ratio` is how many times
            its median grew.
            """,
        computed="""
            An epoch is a stretch with the same core modules of Windows, build, Go version and foreign modules. Each
            service (label `service`, else the target) has epochs; a rollback returns to an earlier one. Values go into
            sketches that are right to within 1 % of the value, merge over replicas, and outlive a restart with
            `--storage.path`. Comparisons are worked out every 30 s.

            Signals are the latency of each profile (`fetch_duration_seconds:heap`), the canary
            (`canary_duration_seconds:rest`, `canary_duration_seconds:profile`), the cost of listing modules
            (`latency_difference_seconds:modules`), coverage and effective rate, standard deviation, late ratio and rate
            of ticks, and shares and clocks of each profile (`truncated_stack_ratio:cpu`).

            ```
            change = median in this epoch / median in the epoch before; none if that was 0
            ```
            """,
        cannot_know="""
            What traffic did meanwhile: the epochs lie one after the other. Of a first upgrade that came before the
            exporter nothing is known. With few values a median says little: look at `pprof_signal_observations`.
            """,
        healthy="""
            Around 1. Compare groups of targets at the same time as well, some with the upgrade and some without: that
            takes out the traffic.
            """,
    ),
)
