"""A health check has a live fault, and no reading of it is the same whatever the profile.

A reading that no recording moves is moved by a crafted profile, which `CRAFTED` names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, replace

from pprof_exporter.catalog import quality, sampling
from pprof_exporter.health import (
    PROFILE_CHECKS,
    FetchedProfile,
    GrowthTracker,
    ProfileCheck,
    audit,
    new_pauses,
    unseen_collections,
)
from pprof_exporter.health.sampling_clock import TickAudit
from pprof_exporter.profile import GoroutineState
from pprof_exporter.profile.function_names.traits import LOST_FUNCTIONS, OPAQUE_FUNCTIONS
from pprof_exporter.profile.memstats import MemStats, read_memstats
from pprof_exporter.profile.trace import ClockSnapshot, Trace, UnsupportedTrace, read_trace
from tests.health.readings import by_name, with_sample
from tests.health.test_checks import CPU, FAULTS, RECORDED, fetched
from tests.recorded import LINUX, RECORDINGS
from tests.seams.faults import live_faults
from tests.seams.table import unmatched

Values = Mapping[str, Collection[Hashable]]
"""Every value that a reading has had, by its name."""

PERIOD = 0.01


def without_fault(checks: Iterable[str], rows: Mapping[str, Iterable[str]]) -> list[str]:
    """Checks that no live fault exercises, and rows about checks that do not exist."""
    return unmatched(checks, (check for row in rows.values() for check in row), "live fault")


def constant(values: Values) -> list[str]:
    """Readings with fewer than two values."""
    return sorted(name for name, seen in values.items() if len(set(seen)) < 2)


def hollow(recorded: Values, crafted: Mapping[str, Callable[[], Values]]) -> list[str]:
    """Readings that are constant over the recordings and over the crafted input too, if there is any."""
    faults = []
    for name in constant(recorded):
        if name not in crafted:
            faults.append(f"{name} is the same in every recording: {_shown(recorded[name])}")
        elif len({*recorded[name], *crafted[name]().get(name, ())}) < 2:
            faults.append(f"{name} is the same in the crafted profile too: {_shown(recorded[name])}")
    faults += [f"{name} has a crafted profile, and nothing reads it" for name in crafted if name not in recorded]
    return faults + [
        f"{name} needs no crafted profile: recordings move it"
        for name in crafted
        if name in recorded and name not in constant(recorded)
    ]


def unread(families: Iterable[str], values: Values) -> list[str]:
    """Families of which no check has a reading."""
    read = {name.partition(": ")[2].split(" ")[0] for name in values}
    return [f"nothing reads {family}" for family in families if family not in read]


def silent(checks: Iterable[str], values: Values) -> list[str]:
    """Checks without any reading, in the words of `readings`."""
    return [f"{check} reads nothing" for check in checks if not any(name.startswith(f"{check}: ") for name in values)]


def _shown(seen: Collection[Hashable]) -> str:
    return ", ".join(map(str, seen)) or "no value"


def readings(checks: Iterable[ProfileCheck], profiles: Iterable[FetchedProfile]) -> dict[str, set[Hashable]]:
    """Every reading of the checks, as `check: family labels`, with the values that are known."""
    profiles, values = list(profiles), dict[str, set[Hashable]]()
    for check in checks:
        for profile in profiles:
            for name, value in by_name(check(profile)).items():
                values.setdefault(f"{check.__name__}: {name}", set()).update(() if value is None else (value,))
    return values


def audits(traces: Iterable[tuple[Trace, float, bool]]) -> dict[str, set[Hashable]]:
    """Every figure of the audits of these traces, each with its period and whether it is of Windows."""
    values: dict[str, set[Hashable]] = {}
    for trace, period, windows in traces:
        found = audit(trace, period=period, windows=windows)
        for field in fields(TickAudit):
            values.setdefault(f"audit: {field.name}", set()).add(getattr(found, field.name))
        for name in ("elapsed", "trace", "wall"):
            if found.drift is not None:
                values.setdefault(f"audit: drift {name}", set()).add(getattr(found.drift, name))
    return values


def memory(replies: Iterable[MemStats]) -> dict[str, set[Hashable]]:
    """Every figure of `runtime.MemStats`, and what is made of its pauses."""
    values: dict[str, set[Hashable]] = {}
    for stats in replies:
        for field in fields(MemStats):
            figure = getattr(stats, field.name)
            values.setdefault(f"memstats: {field.name}", set()).add(
                tuple(figure) if isinstance(figure, Sequence) else figure
            )
        values.setdefault("memstats: new_pauses", set()).add(new_pauses(None, stats))
        values.setdefault("memstats: unseen_collections", set()).add(unseen_collections(None, stats))
    return values


def recorded_traces() -> list[tuple[Trace, float, bool]]:
    """The recorded execution traces that can be read."""
    found = []
    for path in sorted(RECORDINGS.glob("*-go1.*/*.trace")):
        try:
            found.append((read_trace(path.read_bytes()), PERIOD, path.parent.name.startswith("windows")))
        except UnsupportedTrace:
            continue
    return found


def recorded_memstats() -> list[MemStats]:
    """The recorded replies of heap?debug=1."""
    return [read_memstats(path.read_bytes()) for path in sorted(RECORDINGS.glob("*-go1.*/heap*_debug1.txt"))]


def _fault(name: str, file: str = "cpu_burn1.pb.gz") -> Callable[[], Values]:
    """The readings of a recorded profile with a fault of tests/health."""
    return lambda: readings(PROFILE_CHECKS, [FAULTS[name][0](fetched(LINUX[0], file))])


def _waiting(*stack: str) -> Callable[[], Values]:
    """The readings of a recorded goroutine profile with one goroutine more, on this stack."""

    def crafted() -> Values:
        healthy = fetched(LINUX[0], "goroutine.pb.gz", window=0)
        return readings(PROFILE_CHECKS, [replace(healthy, profile=with_sample(healthy.profile, stack, (1,)))])

    return crafted


def _ticks(*times: float, period: float = PERIOD, clocks: tuple[ClockSnapshot, ...] = ()) -> Callable[[], Values]:
    """The audit of a trace with samples at these times."""
    trace = Trace("go 1.26", times, (1,) * len(times), clocks, 15_625_000, truncated=False)
    return lambda: audits([(trace, period, False)])


def _stats(line: bytes, instead: bytes) -> Callable[[], Values]:
    """A recorded reply of heap?debug=1 with one line changed."""

    def crafted() -> Values:
        body = (RECORDINGS / LINUX[0] / "heap_debug1.txt").read_bytes()
        changed, count = re.subn(line, instead, body)
        assert count == 1, line
        return memory([read_memstats(changed)])

    return crafted


_STATE = "goroutine_states: pprof_goroutines_by_state"
_AGREEING, _SET = ClockSnapshot(0, 0, 0), ClockSnapshot(1.0, 10**9, 2 * 10**9)
_GAP = _ticks(0.0, 0.01, 0.5)

# The families of an audit are figures of `TickAudit`, which `audits` has. What a reading of the metrics page costs is
# learned from readings, not from a profile.
OF_CHECKS = [
    family.name
    for family in (*quality.FAMILIES, *sampling.FAMILIES)
    if not family.name.startswith("pprof_tick_") and family not in (sampling.CLOCK_DRIFT, sampling.CPU_READING)
]
"""The families that the checks of `PROFILE_CHECKS` fill."""

CRAFTED: dict[str, Callable[[], Values]] = {
    **{f"losses: pprof_cpu_lost_samples_total {name}": _fault(f"{name} lost") for name in LOST_FUNCTIONS},
    **{f"losses: pprof_cpu_opaque_samples_total {name}": _fault(f"{name} opaque") for name in OPAQUE_FUNCTIONS},
    "time_stamps: pprof_profile_clock_regressions_total": _fault("backwards"),
    "symbols: pprof_unsymbolized_ratio": _fault("stripped"),
    f"{_STATE} {GoroutineState.COND}": _waiting("runtime.gopark", "sync.runtime_notifyListWait"),
    f"{_STATE} {GoroutineState.WAIT_GROUP}": _waiting(
        "runtime.gopark", "runtime.semacquire1", "sync.runtime_SemacquireWaitGroup"
    ),
    f"{_STATE} {GoroutineState.RUNTIME}": _waiting("runtime.gopark", "runtime.gcParkAssist"),
    f"{_STATE} {GoroutineState.OTHER}": _waiting("runtime.coroswitch_m"),
    "audit: period": _ticks(0.0, 0.01, period=0.02),
    "audit: interleaved": _ticks(*(second / 1000 for second in range(0, 1000, 2))),
    "audit: gaps": _GAP,
    "audit: gap_seconds": _GAP,
    "audit: drift wall": _ticks(0.0, 0.01, clocks=(_AGREEING, _SET)),
    "memstats: debug_gc": _stats(rb"# DebugGC = false", b"# DebugGC = true"),
    "memstats: sampling_bytes": _stats(rb"@ heap/\d+", b"@ heap/0"),
    "memstats: unseen_collections": _stats(rb"# NumGC = \d+", b"# NumGC = 1000"),
}
"""The readings that no recording moves, each with the crafted input that does."""


def recorded_values() -> dict[str, set[Hashable]]:
    """Every reading over everything that was recorded."""
    profiles = [fetched(path.parent.name, path.name, window=3 if path in CPU else 0) for path in RECORDED]
    return readings(PROFILE_CHECKS, profiles) | audits(recorded_traces()) | memory(recorded_memstats())


def holes() -> list[str]:
    """What the package lacks."""
    names = [check.__name__ for check in PROFILE_CHECKS]
    values = recorded_values()
    return [
        *without_fault([*names, audit.__name__, GrowthTracker.__name__], live_faults()),
        *unread(OF_CHECKS, values),
        *silent([*names, "audit", "memstats"], values),
        *hollow(values, CRAFTED),
    ]
