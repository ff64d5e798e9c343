"""Changes of profiles by design of a Go release. Such a change at such a version is not a regression.

From the release notes and the sources of Go. docs/signals.md lists the same under F7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pprof_exporter.profile import GoVersion, System


@dataclass(frozen=True, slots=True)
class Release:
    """A change in Go 1.`minor`. `signals` and `functions` are regular expressions, "" for none.

    `system` None means every system. `upgrade_only`: by design only for an upgrade; a downgrade is a loss.
    """

    minor: int
    said: str
    signals: str = ""
    functions: str = ""
    system: System | None = None
    upgrade_only: bool = False


_CPU_TOTALS = "cpu_(coverage_ratio|effective_rate_hertz|processors)"

RELEASES: tuple[Release, ...] = (
    Release(
        18, "each thread has its own timer, so CPU totals rise", _CPU_TOTALS, system=System.LINUX, upgrade_only=True
    ),
    Release(
        22,
        "the profiler has a high-resolution timer, so CPU totals rise by 1.56",
        _CPU_TOTALS,
        system=System.WINDOWS,
        upgrade_only=True,
    ),
    Release(23, "stacks have up to 128 frames instead of 32", "truncated_stack_ratio:(?!cpu$).+"),
    Release(24, "maps are in another package", functions=r"(internal/runtime/maps\.|runtime\.map).*"),
    Release(
        26, "a CPU profile ends on time, not up to 0.2 s late", "(fetch_duration|profile_window_error)_seconds:cpu"
    ),
    Release(
        26,
        "the garbage collector is a different one",
        functions=r"runtime\.(gc|bg|scan|grey|mark|sweep|tryDefer|\(\*gc).*",
    ),
    Release(27, "there is a profile of leaked goroutines", "fetch_failure_ratio:goroutineleak"),
    Release(27, "closures have other names", functions=r".*(\.(func|gowrap|deferwrap)\d|-range\d).*"),
    Release(27, "small objects are allocated by separate functions", functions=r"runtime\.malloc.*"),
)


class CrossedReleases:
    """The releases between two Go versions, written as in `ReplayedTarget.go_version`.

    If a version is known only as a lower bound, no change counts as by design.
    """

    def __init__(self, before: str, after: str, system: System | None) -> None:
        old, new = _exact(before), _exact(after)
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

    def signal(self, name: str) -> str | None:
        """Why a signal changed by design, as a sentence; None if no release explains it."""
        return self._said(name, [(release.signals, release) for release in self._crossed])

    def function(self, name: str) -> str | None:
        """Why the share of a function changed by design, as a sentence; None if no release explains it."""
        return self._said(name, [(release.functions, release) for release in self._crossed])

    def _said(self, name: str, candidates: list[tuple[str, Release]]) -> str | None:
        for pattern, release in candidates:
            if pattern and re.fullmatch(pattern, name):
                return f"Since Go 1.{release.minor} {release.said}."
        return None


def _exact(version: str) -> GoVersion | None:
    return None if version.endswith("+") else GoVersion.parse(f"go{version}")
