"""File descriptors: how many this process may have, and how many of them are for connections to targets."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

# macOS refuses more where the hard limit is infinite (setrlimit(2); OPEN_MAX of sys/syslimits.h).
_OPEN_MAX = 10_240
# Listeners, logs, the event loop, storage, and files that are read for a moment.
_OWN = 64
_CLIENTS = 1024
# With a low limit, each of the two gets this share.
_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class DescriptorLimit:
    """The limit of open files, `math.inf` without one, and what it leaves to each kind of work."""

    most: float = math.inf

    @property
    def for_own_pages(self) -> int:
        """How many connections to the exporter's own pages may be open."""
        return int(min(_CLIENTS, max(4, _SHARE * self.most)))

    @property
    def for_targets(self) -> float:
        """From this number on, a descriptor is not for a connection to a target.

        POSIX gives out the lowest number that is free (open(2)), so the numbers below are taken when one like it comes.
        """
        return self.most - self.for_own_pages

    @property
    def fetches(self) -> float:
        """How many fetches may run at once, and as many with a window beside them."""
        return max(1, (self.for_targets - min(_OWN, _SHARE * self.most)) / 2)


NO_LIMIT = DescriptorLimit()


def raise_descriptor_limit() -> tuple[DescriptorLimit, DescriptorLimit]:
    """Raise the soft limit of open files to the hard one; returns the limit before and now.

    Every Go program does so since 1.19 (os/rlimit.go, since 1.21 syscall/rlimit.go): the low soft limit is for programs
    that use select(2), which takes no number above 1023. Nothing is done where there is no such limit, as on Windows.
    """
    try:
        import resource  # noqa: PLC0415 - only on Unix
    except ImportError:
        return NO_LIMIT, NO_LIMIT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        for wanted in (hard, _OPEN_MAX):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                break
    now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _limit(soft, resource.RLIM_INFINITY), _limit(now, resource.RLIM_INFINITY)


def descriptor_limit() -> DescriptorLimit:
    """The limit now."""
    try:
        import resource  # noqa: PLC0415 - only on Unix
    except ImportError:
        return NO_LIMIT
    return _limit(resource.getrlimit(resource.RLIMIT_NOFILE)[0], resource.RLIM_INFINITY)


def _limit(number: int, infinity: int) -> DescriptorLimit:
    return NO_LIMIT if number == infinity else DescriptorLimit(number)
