"""Families about the identity of a target, its changes, and their effects."""

from __future__ import annotations

from pprof_exporter.catalog.family import counter, gauge, info

TARGET_INFO = info(
    "pprof_target_info",
    "System, program, build and Go version of the target, from its profiles, its metrics page, and its binary if it "
    "runs on the exporter's machine; 'unknown' if none has it. A version that ends in + is a lower bound; build is a "
    "digest of the build id, or of path and time of the program. Shown once the identity is whole.",
    "target",
    "system",
    "program",
    "build",
    "go_version",
)
SYSTEM_MODULE = gauge(
    "pprof_system_module_timestamp_seconds",
    "Modification time of the file of a Windows core module, in Unix time; Windows updates change it.",
    "target",
    "module",
)
MODULES = gauge(
    "pprof_modules", "Modules loaded in the process, by role. Go lists them on Windows since 1.20.", "target", "role"
)
FOREIGN_MODULE = info(
    "pprof_foreign_module_info",
    "A module in a Windows process that belongs neither to Windows nor to the program; mostly security software.",
    "target",
    "module",
)
KNOWN_BUG = info(
    "pprof_known_bug_info",
    "A Go bug that impairs profiling and affects this target according to its version, system and settings.",
    "target",
    "bug",
    "fixed_in",
)
SEVERAL_PROCESSES = info(
    "pprof_several_processes_info",
    "Several processes answer at the address of the target, as behind a load balancer. Their profiles are not judged: "
    "configure the address of each process.",
    "target",
)
RESTARTS = counter(
    "pprof_restarts_total",
    "Restarts of the target since the exporter started, detected by start time, build, Go version, or counters that "
    "fell. Restarts between two fetches count once. One that several processes at one address would show too counts "
    "once the process holds for a while.",
    "target",
)
RESTARTS_AFTER_GROWTH = counter(
    "pprof_restarts_after_growth_total",
    "Restarts of the same program after the live heap (heap) or the goroutine count (goroutines) had grown to the end "
    "of the process's life, as with a leak that restarts end.",
    "target",
    "what",
)
START_TIME = gauge(
    "pprof_start_time_seconds",
    "Start of the target's process in Unix time, from its metrics page, or from the operating system if it runs on the "
    "exporter's machine; absent if neither has it.",
    "target",
)
CHANGES = counter(
    "pprof_changes_total",
    "Upgrades and rollbacks detected, by what changed: operating_system, binary, go or modules.",
    "target",
    "change",
)
LAST_CHANGE = gauge(
    "pprof_last_change_timestamp_seconds",
    "Time of the latest upgrade or rollback detected, by what changed, in Unix time.",
    "target",
    "change",
)
LAST_CHANGE_INFO = info(
    "pprof_last_change_info",
    "What the latest upgrade or rollback changed, with the values before and after.",
    "target",
    "change",
    "from",
    "to",
)
SIGNAL_MEDIAN = gauge(
    "pprof_signal_median",
    "Median of a signal before the latest upgrade of the target and now, in the unit that the name of the signal "
    "states.",
    "target",
    "signal",
    "epoch",
)
SIGNAL_CHANGE = gauge(
    "pprof_signal_change_ratio",
    "Median of a signal now, divided by its median before the latest upgrade of the target.",
    "target",
    "signal",
)
SIGNAL_CONTROL = gauge(
    "pprof_signal_control_ratio",
    "Median of a latency or of a signal that follows the load since the latest upgrade of this target, divided by that "
    "before, over the targets of the exporter that were not upgraded; absent with too few of them.",
    "target",
    "signal",
)
SIGNAL_LOAD = gauge(
    "pprof_signal_load_ratio",
    "Median of the CPU time that the target uses now, divided by that before its latest upgrade, at the times at which "
    "the values of a signal that follows the load were measured.",
    "target",
    "signal",
)
SIGNAL_OBSERVATIONS = gauge(
    "pprof_signal_observations", "Number of values behind each pprof_signal_median.", "target", "signal", "epoch"
)

FAMILIES = (
    TARGET_INFO,
    SYSTEM_MODULE,
    MODULES,
    FOREIGN_MODULE,
    KNOWN_BUG,
    SEVERAL_PROCESSES,
    RESTARTS,
    RESTARTS_AFTER_GROWTH,
    START_TIME,
    CHANGES,
    LAST_CHANGE,
    LAST_CHANGE_INFO,
    SIGNAL_MEDIAN,
    SIGNAL_CHANGE,
    SIGNAL_CONTROL,
    SIGNAL_LOAD,
    SIGNAL_OBSERVATIONS,
)
