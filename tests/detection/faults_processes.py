"""Faults of processes and their runtime, and of the samples and clocks in their profiles."""

from __future__ import annotations

import signal
import time
from random import Random

from tests.detection.acts import (
    again_each,
    changed,
    each,
    ended,
    frozen,
    healed,
    off,
    replaced,
    restarted,
    settled,
    started,
    switched,
    thawed,
)
from tests.detection.profiles import backwards, both, emptied, of_other_length, on_windows
from tests.detection.programs import MIDDLE, OLDEST, Build, Service
from tests.detection.scenario import BUSY, FAST, LONG, PROCESSES, PROFILES, Life, Scenario
from tests.lab.changes import opaque, overflowed, shifted, stripped, thinned
from tests.lab.rewrite import PROFILES as ALL_PROFILES
from tests.lab.rewrite import Change

_SEEDED = Random(3)


def _leak_and_restart(service: Service) -> None:
    """The process was killed for its memory; it leaks again."""
    service.restart()
    service.switch("heap_rate", _LEAK)


def _stutter(service: Service) -> None:
    """Freeze the program for a tick or so, as antivirus software and hypervisors do; at odd times."""
    time.sleep(_SEEDED.uniform(0, 0.01))
    service.signal(signal.SIGSTOP)
    time.sleep(0.014)
    service.signal(signal.SIGCONT)


def _stuttering(life: Life) -> None:
    life.service.switch("burn", 30)
    life.repeat(0.05, lambda: _stutter(life.service))


_LEAK = 1024
"""KiB a second."""

PROCESS_FAULTS: tuple[Scenario, ...] = (
    Scenario(
        "process frozen", PROCESSES, "The process makes no progress (SIGSTOP); connections are accepted.", mode="F6",
        claimed=("PprofTargetWedged",), begin=frozen, end=thawed,
    ),
    Scenario(
        "process ended", PROCESSES, "The process is gone.", mode="F13", claimed=("PprofTargetDown",),
        begin=ended, end=started, shape="batch",
    ),
    Scenario(
        "crash loop", PROCESSES, "The process ends and is started again every 8 minutes.", mode="F13",
        claimed=("PprofTargetRestarts",), companions=("PprofFetchFailing",),
        begin=again_each(8, Service.restart), end=settled, shape="redeploy",
    ),
    Scenario(
        "crash loop without metrics page", PROCESSES, "The same, without a metrics page.", mode="F13",
        claimed=("PprofTargetRestarts",), companions=("PprofFetchFailing",),
        begin=again_each(8, Service.restart), end=settled, shape="redeploy",
        arguments=("-metrics=none",),
    ),
    Scenario(
        "pprof unmounted", PROCESSES, "The service runs on, without the routes of pprof.", mode="F13",
        claimed=("PprofNotMounted",), begin=switched("unmounted", 1), end=off("unmounted"),
    ),
    Scenario(
        "WriteTimeout", PROCESSES, "Go 1.21 with a WriteTimeout of 1 s refuses CPU profiles of 2 s.", mode="F15",
        claimed=("PprofProfileRejected",), build=Build(OLDEST), shape="redeploy",
        begin=replaced(Build(OLDEST), "-shape=redeploy", "-write-timeout=1s"),
        end=replaced(Build(OLDEST), "-shape=redeploy"),
    ),
    Scenario(
        "another profiler", PROCESSES, "The process profiles itself nearly all the time.", mode="F14",
        claimed=("PprofProfilerConflict",), begin=switched("profiler", 1), end=off("profiler"),
    ),
    Scenario(
        "slow service", PROCESSES, "The service answers everything 0.8 s later.", mode="F7",
        claimed=("PprofCanarySlow",), begin=switched("slow", 800), end=off("slow"),
    ),
    Scenario(
        "goroutines leaked", PROCESSES, "Seven goroutines wait for what no live code can reach.", mode="F10",
        claimed=("PprofGoroutinesLeaked",), begin=switched("lost", 7), end=restarted,
    ),
    Scenario(
        "threads in system calls", PROCESSES, "400 threads are blocked in read(2).", mode="F10",
        claimed=("PprofThreadsHigh",), begin=switched("threads", 400), end=restarted,
    ),
    Scenario(
        "lock contention", PROCESSES, "Forty goroutines want one lock; the mutex profile is on.", mode="F18",
        claimed=("PprofLockContention",), begin=switched("contend", 40), end=off("contend"),
        arguments=("-mutex-fraction=5",),
    ),
    Scenario(
        "GOGC=5", PROCESSES, "The collector runs twenty times as often.", mode="F11", claimed=("PprofGcPressure",),
        begin=each(switched("gc_percent", 5), switched("churn", 40)), end=off("gc_percent", "churn"),
        shape="redeploy",
    ),
    Scenario(
        "forced collections", PROCESSES, "The program calls runtime.GC eight times a second.", mode="F11",
        claimed=("PprofGcPressure",), begin=switched("forced_gc", 8), end=off("forced_gc"), shape="redeploy",
    ),
    Scenario(
        "deep recursion", PROCESSES, "Work is done below 300 frames; Go keeps 64 of them in CPU profiles.", mode="F9",
        unclaimed="a limit of Go, and no fault of the service: PprofStacksTruncated has severity info",
        build=Build(MIDDLE), begin=switched("deep", 1), end=off("deep"), shape="batch",
    ),
)  # fmt: skip

GROWTH_FAULTS: tuple[Scenario, ...] = (
    Scenario(
        "goroutine leak, fast", FAST, "18,000 goroutines an hour leak, and stay reachable.", mode="F10",
        claimed=("PprofGoroutinesGrowFast",), companions=("PprofGoroutineGrowth",),
        begin=switched("goroutine_rate", 100), end=off("goroutine_rate"),
    ),
    Scenario(
        "heap leak, fast", FAST, "The heap grows by 360 MiB an hour; GOMEMLIMIT is 400 MiB.", mode="F12",
        claimed=("PprofHeapGrowsFast",), companions=("PprofHeapGrowth",), begin=switched("heap_rate", 2 * _LEAK),
        end=off("heap_rate"), environment={"GOMEMLIMIT": "400MiB"},
    ),
    Scenario(
        "heap leak that restarts end", FAST, "The heap grows by 140 MiB, then the process is killed, every 45 minutes.",
        mode="F12", claimed=("PprofRestartsAfterGrowth",), companions=("PprofHeapGrowsFast",),
        begin=again_each(45, _leak_and_restart), end=each(settled, restarted), lasting=("PprofRestartsAfterGrowth",),
    ),
    Scenario(
        "goroutine leak, slow", LONG, "500 goroutines an hour leak, and stay reachable.", mode="F10",
        claimed=("PprofGoroutineGrowth",), begin=switched("goroutine_rate", 50), end=off("goroutine_rate"),
    ),
    Scenario(
        "heap leak, slow", LONG, "The heap grows by 120 MiB a day.", mode="F12", claimed=("PprofHeapGrowth",),
        begin=switched("heap_rate", 512), end=off("heap_rate"),
    ),
)  # fmt: skip


def _of_profiles(
    name: str,
    mode: str,
    said: str,
    claimed: str,
    change: Change,
    *names: str,
    windows: bool = False,
    load: float = 0.12,
    companions: tuple[str, ...] = (),
) -> Scenario:
    """`load` is that of a scenario about CPU profiles, in processors. From 0.2 on it has its place among the busy."""
    of_cpu = names == ("profile",)
    return Scenario(
        name,
        BUSY if of_cpu and load > 0.2 else PROFILES,
        said,
        mode=mode,
        claimed=(claimed,),
        companions=companions,
        begin=changed(both(on_windows(), change) if windows else change, *(names or ALL_PROFILES)),
        end=changed(on_windows(), *ALL_PROFILES) if windows else healed,
        arguments=(f"-load={load}",) if of_cpu else (),
        gateway=True,
        windows=windows,
    )


PROFILE_FAULTS: tuple[Scenario, ...] = (
    _of_profiles(
        "64 Hz", "F1", "The timer of Windows ticks at 64 Hz in place of 100.", "PprofCpuTimer64Hz", thinned(0.64),
        "profile", windows=True, load=0.4,
    ),
    _of_profiles(
        "half of the samples", "F1", "Every other sample of CPU profiles is lost, and not counted.",
        "PprofCpuCoverageLow", thinned(0.5), "profile", load=0.9,
    ),
    _of_profiles(
        "no samples", "F1", "CPU profiles of a busy service are empty.", "PprofCpuNoSamples", emptied, "profile",
    ),
    _of_profiles(
        "samples without room", "F2", "A twentieth of the samples finds no room in the buffer of Go.",
        "PprofSamplesLost", overflowed, "profile",
    ),
    _of_profiles(
        "opaque samples", "F2", "Most stacks end outside the program.", "PprofSamplesOpaque",
        opaque("runtime._System", "runtime._ExternalCode"), "profile",
    ),
    _of_profiles(
        "heap without symbols", "F8", "No function of heap profiles has a name.", "PprofSymbolsMissing", stripped,
        "heap",
    ),
    _of_profiles(
        "CPU without symbols", "F8", "No function of CPU profiles has a name.", "PprofSymbolsMissing", stripped,
        "profile",
    ),
    _of_profiles(
        "clock 10 s behind", "F4", "The clock of the target is 10 s behind.", "PprofClockSkew", shifted(-10),
        companions=("PprofTimeWentBackwards",),
    ),
    _of_profiles(
        "clock 60 s ahead", "F4", "The clock of the target is 60 s ahead.", "PprofClockSkew", shifted(60),
        companions=("PprofTimeWentBackwards",),
    ),
    _of_profiles(
        "clock set back", "F4", "The clock is set back by 1.5 s again and again.", "PprofTimeWentBackwards",
        backwards(6), "heap",
    ),
    _of_profiles(
        "window too short", "F4", "CPU profiles last half as long as requested.", "PprofWindowWrong",
        of_other_length(0.5), "profile",
    ),
    _of_profiles(
        "window too long", "F4", "CPU profiles last 1.5 times as long as requested.", "PprofWindowWrong",
        of_other_length(1.5), "profile",
    ),
    Scenario(
        "stutter", PROFILES, "The process is frozen for 14 ms, twenty times a second.", mode="F3",
        unclaimed="jitter is audited on a busy thread with a processor of its own, which this table cannot give each",
        begin=_stuttering, end=each(settled, off("burn")),
    ),
)  # fmt: skip
