"""What the exporter itself runs out of. No target is judged by it: it is counted and logged as the exporter's own."""

from __future__ import annotations

import errno
import sys
from collections import Counter
from collections.abc import Iterator

from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.clock import Clock
from pprof_exporter.descriptors import descriptor_limit
from pprof_exporter.event_log import LOG
from pprof_exporter.log_limits import LogLimit, repeats

_BY_ERRNO: dict[int, ExhaustedResource] = {
    errno.EMFILE: ExhaustedResource.DESCRIPTORS,  # The limit of this process.
    errno.ENFILE: ExhaustedResource.DESCRIPTORS,  # That of the whole system.
    errno.ENOMEM: ExhaustedResource.MEMORY,
    # Windows means its ports and its buffers by it (WSAENOBUFS, KB 196271).
    errno.ENOBUFS: ExhaustedResource.PORTS if sys.platform == "win32" else ExhaustedResource.MEMORY,
}
_SHOWN_FOR = 300.0
# CPython, Python/thread_pthread.h and Modules/_threadmodule.c: the system gave EAGAIN, and the number is lost.
_NO_THREAD = "can't start new thread"


class ResourceExhausted(OSError):
    """The exporter lacks a resource, as only the place that noticed can tell."""

    def __init__(self, resource: ExhaustedResource, detail: str) -> None:
        super().__init__(detail)
        self.resource = resource


def exhausted_resource(error: BaseException) -> ExhaustedResource | None:
    """What ran out in this process when the error was raised, by the error or what it was raised for; None: nothing.

    EADDRNOTAVAIL is not here: whether ports or the address are missing depends on the address (`scrape/client/dialer`).
    """
    for cause in _causes(error):
        match cause:
            case ResourceExhausted():
                return cause.resource
            case MemoryError():
                return ExhaustedResource.MEMORY
            case OSError(errno=int(number)) if number in _BY_ERRNO:
                return _BY_ERRNO[number]
            case RuntimeError() if _NO_THREAD in str(cause):
                return ExhaustedResource.THREADS
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, those that it groups, and what each was raised for."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def with_limit(resource: ExhaustedResource, detail: str) -> str:
    """The detail of a problem, with the limit that was reached where the system tells it."""
    if resource is not ExhaustedResource.DESCRIPTORS:
        return detail
    return f"{detail}; the limit of open files is {descriptor_limit().most:g}"


class OwnTroubles:
    """Counts what ran out, by resource. Each is logged once, and again after minutes with the count."""

    def __init__(self, clock: Clock) -> None:
        self.exhausted: Counter[ExhaustedResource] = Counter()
        self._clock = clock
        self._limit = LogLimit(clock.steady)
        self._latest: dict[ExhaustedResource, tuple[float, str]] = {}
        """When each last ran out (steady time), with the detail."""

    @property
    def current(self) -> list[str]:
        """What the exporter lacked within the last minutes, as sentences for people."""
        now = self._clock.steady()
        return [
            f"The exporter itself has a problem, and its targets are not judged by it: {resource.meaning} ({detail}). "
            f"{resource.advice}"
            for resource, (at, detail) in self._latest.items()
            if now - at < _SHOWN_FOR
        ]

    def count(self, resource: ExhaustedResource, detail: str) -> None:
        """Count one operation that failed for lack of this resource."""
        self.exhausted[resource] += 1
        detail = with_limit(resource, detail)
        self._latest[resource] = self._clock.steady(), detail
        more = self._limit.admit(resource)
        if more is None:
            return
        LOG.error(
            "the exporter itself has a problem, no target is judged by it",
            resource=str(resource),
            problem=resource.meaning,
            detail=detail,
            advice=resource.advice,
            **repeats(more),
        )
