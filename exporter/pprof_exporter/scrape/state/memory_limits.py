"""The memory limits of a target, by what sets them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LimitSource(StrEnum):
    """What limits the memory of a process; the values are those of the label `source`."""

    GOMEMLIMIT = "gomemlimit"
    """A soft limit: Go collects more often to stay below."""
    CGROUP = "cgroup"
    """The kernel kills a process of the cgroup that reaches it."""
    HOST = "host"
    """The memory of the machine."""


@dataclass(frozen=True, slots=True)
class LocalBounds:
    """What bounds a process of this machine beside its cgroups. Memory is in bytes."""

    gomemlimit: int | None
    """From its environment; None: unset, or not readable."""
    host_memory: int
    host_processors: int | None


class MemoryLimits:
    """The limits of one target that are known now, in bytes."""

    def __init__(self) -> None:
        self._of: dict[LimitSource, float] = {}
        self._page_told = False

    @property
    def known(self) -> dict[LimitSource, float]:
        """Bytes by source."""
        return dict(self._of)

    @property
    def least(self) -> float | None:
        """The limit that is reached first; None if none is known."""
        return min(self._of.values(), default=None)

    def begin_process(self) -> None:
        """Forget the limits of the process before."""
        self._of.clear()
        self._page_told = False

    def of_page(self, gomemlimit: float | None) -> None:
        """Take in GOMEMLIMIT from a metrics page, which has the present one; None: the page has none."""
        if gomemlimit is None:
            return
        self._page_told = True
        self._of[LimitSource.GOMEMLIMIT] = gomemlimit

    def of_process(self, bounds: LocalBounds, cgroup: int | None) -> None:
        """Take in the limits of a process of this machine. `cgroup` is None without a limit, or if it is unknown."""
        self._set(LimitSource.HOST, bounds.host_memory)
        self._set(LimitSource.CGROUP, cgroup)
        if not self._page_told:
            self._set(LimitSource.GOMEMLIMIT, bounds.gomemlimit)

    def _set(self, source: LimitSource, limit: int | None) -> None:
        if limit is None:
            self._of.pop(source, None)
        else:
            self._of[source] = limit
