"""Bugs of Go itself that falsify profiles or make profiling dangerous, by system and version.

A range has the versions in which the fix is known to be missing, by the Go sources and the issues. Versions for which
that is not known, such as patch releases that may have a backport, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.profile.goversion import GoVersion

_FIRST_PRERELEASE = -(10**6)


@dataclass(frozen=True, slots=True)
class KnownBug:
    """A bug of Go.

    `fixed_in` is the first release without it, None if there is none yet. `mode` is the failure mode that it causes,
    and `effects` are the alerts that fire for its effect. `hangs`: the bug hangs or crashes the process.
    """

    id: str
    title: str
    fixed_in: GoVersion | None
    mode: str
    effects: frozenset[str] = frozenset()
    hangs: bool = False

    @property
    def url(self) -> str:
        """The URL of the issue."""
        repository, _, number = self.id.partition("#")
        return f"https://github.com/{repository}/issues/{number}"


@dataclass(frozen=True, slots=True)
class _Case:
    """A bug and the versions that it affects: from the first of a range, before the second. `goos` "" means all."""

    bug: KnownBug
    ranges: tuple[tuple[GoVersion, GoVersion], ...]
    goos: str = ""
    only_with_mutex_profiling: bool = False

    def affects(self, goos: str | None, version: GoVersion, *, mutex_profiling: bool | None) -> bool:
        if self.goos and self.goos != goos:
            return False
        if self.only_with_mutex_profiling and not mutex_profiling:
            return False
        return any(first <= version < fixed for first, fixed in self.ranges)


def _since(minor: int) -> GoVersion:
    """The earliest version of a minor release, betas and release candidates included."""
    return GoVersion(1, minor, 0, _FIRST_PRERELEASE)


@dataclass(frozen=True, slots=True)
class _Range:
    """The first affected minor release of Go 1, the first fixed release, and the system; "" means all."""

    first: int
    fixed: GoVersion
    goos: str = ""


def _case(number: int, title: str, found: _Range, mode: str, *effects: str, hangs: bool = False) -> _Case:
    bug = KnownBug(f"golang/go#{number}", title, found.fixed, mode, frozenset(effects), hangs)
    return _Case(bug, ((_since(found.first), found.fixed),), found.goos)


TIMER_64HZ = "golang/go#61665"
CPU_BEYOND_CORES = "golang/go#35057"
# Before Go 1.18 all threads share one timer, and a kernel with 250 ticks a second sends at most 250 signals: as many
# as 2.5 busy processors need at 100 Hz.
SHARED_TIMER_CORES = 2.5
GOROUTINE_STOP = "golang/go#33250"
WRITE_TIMEOUT = "golang/go#62358"

_CASES: tuple[_Case, ...] = (
    # Go profiles contention on runtime locks since 1.22, and 1.27.2 no longer takes a lock while a thread is suspended
    # (runtime/os_windows.go preemptM). 1.26.6 has no fix; whether a later 1.26 has one is not known.
    _Case(
        KnownBug(
            "golang/go#80982",
            "mutex profiling can deadlock the runtime when it preempts a thread",
            GoVersion(1, 27, 2),
            "F6",
            frozenset({"PprofTargetWedged"}),
            hangs=True,
        ),
        ((_since(22), GoVersion(1, 26, 7)), (_since(27), GoVersion(1, 27, 2))),
        "windows",
        only_with_mutex_profiling=True,
    ),
    # CL 753480, on the 1.26 branch for 1.26.2. The CPU profiler and stacks of all goroutines preempt, so profiling
    # brings the crash; the exporter sees restarts.
    _case(
        77975,
        "the process crashes when a goroutine in I/O is preempted",
        _Range(26, GoVersion(1, 26, 2), "windows"),
        "F6",
        "PprofTargetRestarts",
        hangs=True,
    ),
    # 1.16 no longer raises the resolution of the system clock (CL 248699), 1.22 uses a timer of its own (CL 514375).
    _case(
        61665,
        "the CPU profiler ticks at 64 Hz instead of 100 Hz, unless another program raises the timer resolution",
        _Range(16, GoVersion(1, 22), "windows"),
        "F1",
        "PprofCpuTimer64Hz",
    ),
    # Release notes of Go 1.23: timers and time.Sleep resolve 0.5 ms again. The clock of the profiler had the same
    # cause until 1.22, so late ticks are its effect.
    _case(
        44343,
        "time.Sleep and timers are up to 15.6 ms late",
        _Range(16, GoVersion(1, 23), "windows"),
        "F3",
        "PprofSamplingJitter",
    ),
    # runtime/pprof.peBuildID and the mappings of proto_windows.go came with 1.20. Without mappings, tools cannot add
    # the names that a profile lacks.
    _case(
        43296,
        "profiles do not contain the program or its modules",
        _Range(0, GoVersion(1, 20), "windows"),
        "F8",
        "PprofSymbolsMissing",
    ),
    # Release notes of Go 1.18: the profiler has one timer per thread.
    _case(
        35057,
        "CPU profiles miss samples beyond 2.5 busy cores",
        _Range(0, GoVersion(1, 18), "linux"),
        "F1",
        "PprofCpuCoverageLow",
    ),
    # Release notes of Go 1.19: the goroutine profile copies the stacks while the program runs. Before, the whole fetch
    # stops the world, so a slow one is the effect.
    _case(
        33250,
        "a goroutine profile stops the world for a time that grows with the number of goroutines",
        _Range(0, GoVersion(1, 19)),
        "F6",
        "PprofProfileCostly",
    ),
    # Release notes of Go 1.23: the handlers of profile and trace extend the deadline.
    _case(
        62358,
        "the server refuses windows longer than its WriteTimeout",
        _Range(0, GoVersion(1, 23)),
        "F15",
        "PprofProfileRejected",
    ),
)

KNOWN_BUGS: tuple[KnownBug, ...] = tuple(case.bug for case in _CASES)
"""Every bug of the table, the most dangerous first."""


def known_bugs(goos: str | None, version: GoVersion | None, mutex_profiling: bool | None) -> tuple[KnownBug, ...]:  # noqa: FBT001 - three facts of a target, all of them needed.
    """Bugs that a target certainly has, the most dangerous first.

    None means not known. A bug that depends on an unknown fact is left out, and without a version all are.
    """
    if version is None:
        return ()
    return tuple(case.bug for case in _CASES if case.affects(goos, version, mutex_profiling=mutex_profiling))
