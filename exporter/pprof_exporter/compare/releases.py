"""Changes of profiles by design of a Go release. Such a change at such a version is not a regression.

From the release notes and the sources of Go; docs/concepts.md has the same for readers. The test
`tests/live/test_every_release.py` compares healthy recordings of every pair of versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pprof_exporter.catalog.regressions import CONTENTION, GC_SHARE
from pprof_exporter.profile import GoVersion, System
from pprof_exporter.profile.function_names.names import entry_name


@dataclass(frozen=True, slots=True)
class Release:
    """A change in Go 1.`minor`, with its `source`: release notes, an issue, or a file below `src` of that version.

    All of these are regular expressions for whole names, "" for none. `signals`: values that moved. `only_since`:
    signals that are measured only since this version. `functions`: functions whose share moved. `cut_functions`:
    profile kinds of which the share of each function moved if stacks were cut on a side.

    `rises`, `falls`: values that moved in one direction; an upgrade does not explain that they moved in the other.

    `system` None means every system. `upgrade_only`: by design only for an upgrade; a downgrade is a loss.
    """

    minor: int
    said: str
    source: str
    signals: str = ""
    only_since: str = ""
    functions: str = ""
    cut_functions: str = ""
    system: System | None = None
    upgrade_only: bool = False
    rises: str = ""
    falls: str = ""


_CPU_TOTALS = "cpu_(coverage_ratio|effective_rate_hertz|processors)"
_LEAKS = "(fetch_duration_seconds|(unsymbolized|truncated_stack|inlined_location)_ratio):goroutineleak"
_LEAKS_GONE = "fetch_failure_ratio:goroutineleak"

RELEASES: tuple[Release, ...] = (
    Release(
        18,
        "each thread has its own timer, so CPU totals rise",
        "golang/go 35057, runtime/os_linux.go",
        _CPU_TOTALS,
        system=System.LINUX,
        upgrade_only=True,
    ),
    Release(
        20,
        "profiles list the modules of the process, which takes time",
        "golang/go 43296, runtime/pprof/proto_windows.go",
        "latency_difference_seconds:modules",
        system=System.WINDOWS,
    ),
    Release(
        22,
        "the profiler has a high-resolution timer, so CPU totals rise by 1.56",
        "golang/go 61665, runtime/os_windows.go",
        f"{_CPU_TOTALS}|tick_.+",
        system=System.WINDOWS,
        upgrade_only=True,
    ),
    Release(
        22,
        "traces have the format from which the sampling clock is read",
        "release notes (runtime/trace), internal/trace",
        only_since="tick_.+",
    ),
    Release(
        22,
        "pointers of small objects are described beside the objects",
        "internal/buildcfg/exp.go AllocHeaders, runtime/mbitmap.go",
        functions=r"runtime\.(heap(Bits|SetType).*|\(\*?heapBits\).*|typePointers\..*|\(\*mspan\)\..*[hH]eapBits.*|scan\w+)",
    ),
    Release(
        22,
        "a mutex delay counts for every goroutine that waited, and locks of the runtime count",
        "release notes (runtime), runtime/mprof.go, runtime/sema.go",
        rises=CONTENTION,
    ),
    Release(
        23,
        "stacks have up to 128 frames instead of 32",
        "release notes (runtime/pprof), runtime/mprof.go",
        "(truncated_stack|inlined_location)_ratio:(?!cpu$).+",
        cut_functions="goroutine",
    ),
    Release(
        23,
        "timers have another implementation",
        "release notes (time), runtime/time.go",
        functions=r"runtime\.(\w*[tT]imers?\w*|\(\*timers?\)\..*)",
    ),
    Release(
        24,
        "maps are in another package",
        "release notes (runtime), internal/buildcfg/exp.go SwissMap, internal/runtime/maps",
        functions=r"(internal/runtime/maps\.|runtime\.map).*",
    ),
    Release(
        24,
        "the runtime's own locks have another implementation",
        "release notes (runtime), internal/buildcfg/exp.go SpinbitMutex, runtime/lock_spinbit.go",
        functions=r"runtime\.((un)?lock2.*|mutex\w+|procyield.*|futex.*|osyield.*)",
    ),
    Release(
        24,
        "sync.Map has another implementation",
        "release notes (sync), internal/buildcfg/exp.go SyncHashTrieMap, sync/hashtriemap.go",
        functions=r"sync\.\(\*(Map|entry)\)\..*|internal/sync\.\(\*(HashTrieMap|entry|node|indirect)\[.*\]\)\..*",
    ),
    Release(
        24,
        "cryptography is implemented in crypto/internal/fips140",
        "release notes (crypto), crypto/internal/fips140",
        functions=r"(vendor/golang\.org/x/)?crypto/.*",
    ),
    Release(
        25,
        "the mutex profile has the stacks that unlocked the runtime's own locks",
        "release notes (runtime), runtime/mprof.go",
        "inlined_location_ratio:mutex",
        only_since="inlined_location_ratio:mutex",
    ),
    Release(
        26,
        "a CPU profile ends on time, not up to 0.2 s late",
        "golang/go 63043, runtime/pprof/pprof.go",
        "(fetch_duration|profile_window_error)_seconds:cpu",
    ),
    Release(
        26,
        "the garbage collector is a different one, with other locks",
        "release notes (runtime), internal/buildcfg/exp.go GreenTeaGC, runtime/mgcmark_greenteagc.go",
        "inlined_location_ratio:mutex",
        falls=GC_SHARE,
        functions=r"runtime\.(gc|bg|scan|grey|mark|sweep|tryDefer|\(\*(gc|mspan|span|sweep)).*|internal/runtime/gc.*",
    ),
    Release(
        26,
        "floating-point numbers are formatted by another algorithm",
        "internal/strconv/ftoadbox.go",
        functions=r"(internal/)?strconv\..*",
    ),
    Release(
        26,
        "Windows is called from another package",
        "internal/runtime/syscall/windows",
        functions=r"runtime\.(asmstdcall|stdcall|syscall_).*|syscall\.[sS]yscall.*|internal/runtime/syscall/windows\..*",
        system=System.WINDOWS,
    ),
    Release(
        27,
        "there is a profile of leaked goroutines",
        "release notes (runtime/pprof), runtime/pprof/pprof.go",
        _LEAKS_GONE,
        only_since=_LEAKS,
    ),
    Release(
        27,
        "closures have other names",
        "release notes (compiler), cmd/compile/internal/ir/func.go",
        functions=r".*(\.(func|gowrap|deferwrap)\d|-range\d).*",
    ),
    Release(
        27,
        "small objects are allocated by separate functions",
        "release notes (runtime), internal/buildcfg/exp.go SizeSpecializedMalloc, runtime/malloc_generated.go",
        functions=r"runtime\.malloc.*",
    ),
    Release(
        27,
        "floating-point numbers are formatted and read by another algorithm",
        "internal/strconv/uscale.go",
        functions=r"internal/strconv\..*",
    ),
    Release(
        27,
        "encoding/json is implemented by encoding/json/v2",
        "release notes (encoding/json), internal/buildcfg/exp.go JSONv2, encoding/json/v2_decode.go",
        functions=r"encoding/json(/.*)?\..*",
    ),
    # After 1.27, so that the sentence names the version in which every program has it.
    Release(
        26,
        "there is a profile of leaked goroutines, as an experiment",
        "release notes (runtime/pprof), internal/goexperiment/flags.go",
        _LEAKS_GONE,
        only_since=_LEAKS,
    ),
)


_CLOSURES = 27
"""The release since which a closure has the name of the function that it stands in, wherever that was inlined."""


class CrossedReleases:
    """The releases between two Go versions, written as in `ReplayedTarget.go_version`.

    `cut_kinds` are the profile kinds of which some stacks were cut, before or after.

    If a version is known only as a lower bound, no changed value counts as by design. That a signal is measured on one
    side only does, if the bounds agree with it: it is itself a proof of the version.
    """

    def __init__(self, before: str, after: str, system: System | None, cut_kinds: frozenset[str] = frozenset()) -> None:
        self._cut_kinds = cut_kinds
        old, new = _lowest(before), _lowest(after)
        self.is_exact = not {"+", "n"} & {before[-1:], after[-1:]} and None not in (old, new)
        """Whether both versions are known exactly."""
        self._is_upgrade = old is not None and new is not None and old < new
        self._crossed: list[Release] = []
        if old is not None and new is not None and old.major == new.major:
            low, high = sorted((old.minor, new.minor))
            self._crossed = [
                release
                for release in RELEASES
                if low < release.minor <= high
                and release.system in (None, system)
                and (old < new or not release.upgrade_only)
            ]

    def signal(self, name: str, *, worse: bool) -> str | None:
        """Why a signal changed by design, as a sentence; None if no release explains it.

        A release that only makes a signal better (`upgrade_only`) does not explain one that is `worse`.
        """
        if not self.is_exact:
            return None
        # More of what rises or falls is worse.
        rose = worse == self._is_upgrade
        return self._said(
            lambda release: "" if worse and release.upgrade_only else release.signals, name
        ) or self._said(lambda release: release.rises if rose else release.falls, name)

    def one_sided(self, name: str, *, before: int, after: int) -> str | None:
        """Why a signal has so many values before and after, one of them none; None if no release explains it."""
        has, lacks = (after, before) if self._is_upgrade else (before, after)
        return self._said(lambda release: release.only_since, name) if has and not lacks else None

    def function(self, kind: str, name: str, *, is_closure: bool = False) -> str | None:
        """Why the share of a function in a profile kind changed by design, as a sentence; None if unexplained.

        `is_closure`: it is one of `renamed_closures`.
        """
        if not self.is_exact:
            return None
        if is_closure:
            return f"Since Go 1.{_CLOSURES} closures have other names."
        found = self._said(lambda release: release.functions, name)
        if found is None and kind in self._cut_kinds:
            return self._said(lambda release: release.cut_functions, kind)
        return found

    def renamed_closures(self, before: Iterable[str], after: Iterable[str]) -> frozenset[str]:
        """Names of the same closures: up to Go 1.26 the function around an inlined function was part of the name.

        `before` and `after` are the names that only one side has. They may lack the numbers of closures, as those of
        goroutines do: `main.newHandler.(*counters).count` and `main.(*counters).count`.
        """
        if not self.is_exact or all(release.minor != _CLOSURES for release in self._crossed):
            return frozenset()
        old, new = (before, after) if self._is_upgrade else (after, before)
        by_function = {_within_package(name): name for name in new}
        pairs = [
            (name, by_function[function])
            for name in old
            for function in _inner_functions(name)
            if function in by_function
        ]
        return frozenset(name for pair in pairs for name in pair)

    def _said(self, pattern: Callable[[Release], str], name: str) -> str | None:
        for release in self._crossed:
            if (names := pattern(release)) and re.fullmatch(names, name):
                return f"Since Go 1.{release.minor} {release.said}."
        return None


def _within_package(name: str) -> str:
    return entry_name(name).rpartition("/")[2].partition(".")[2]


def _inner_functions(name: str) -> list[str]:
    """The names without the functions around them: `b.c` and `c` of `main.a.b.c`."""
    parts = _within_package(name).split(".")
    return [".".join(parts[start:]) for start in range(1, len(parts))]


def _lowest(version: str) -> GoVersion | None:
    return GoVersion.parse(f"go{version.removesuffix('+')}")
