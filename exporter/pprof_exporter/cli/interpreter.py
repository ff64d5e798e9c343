"""Python itself, for a program that starts quickly and then holds many objects for long: imports and its collector."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pprof_exporter.clock import Clock

_DURING = {
    # Where OpenSSL looks for the certificates of the system (SSL_CTX_set_default_verify_paths(3)).
    "SSL_CERT_FILE": os.devnull,
    "SSL_CERT_DIR": os.devnull,
    "FROZENLIST_NO_EXTENSIONS": "1",
}
"""Environment variables while modules are loaded."""


_YOUNG_ONLY = (2_000, 10, 1_000)
"""Thresholds of the collector: new objects are looked at, so that their memory is used again; old ones are not."""


# The event loop gives up the lock at each system call. A thread that computes would keep it for Python's 5 ms each
# time.
_LOCK_SECONDS = 0.0005

# malloc.h of glibc. Profiles of large programs have 300 KB to 1.3 MB; smaller blocks are not worth a system call each.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BLOCK = 1024 * 1024

# Python collects young objects when so many more were made than were freed. Results of a fetch replace the ones before:
# the difference stays small while the young generation grows, until one collection walks through all of it. That took
# up to 0.12 s with 1,000 targets, and 0.33 s with the next generation (benchmarks/fleet), in which nothing else ran.
# So the young ones are looked at after each short step of time, whatever the difference; then they are set apart.
_STEP = 0.1
# For a burst of garbage within a step.
_BURST = 100_000

# A collection of everything stops all else for more than a millisecond for each target. In a fleet that ran for ten
# minutes it found 23 objects: requests (tests/scrape/client) and targets that are gone leave no cycles. So it waits for
# memory that grows. That of 1,000 targets grows by half after its first minute (benchmarks/fleet).
_FIRST_LOOK = 60.0
_FILLS = 2.0
_GROWN = 1.25
_LOOK_EVERY = 10.0
# Of the time, however fast memory grows.
_SHARE = 1 / 100


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Modules that are first imported within this block are loaded more cheaply.

    Within a running server nothing is changed: it reads settings again at a reload, while its threads may look at the
    environment.

    aiohttp reads all certificates of the system twice when it is imported (aiohttp/connector.py, the end of
    `_make_ssl_context`): 2.6 MiB and 60 ms. Every request of the server brings a TLS context of its own, so those two
    stay empty. They trust nobody then: a request that used one would fail.

    aiohttp has a few short lists of frozenlist, whose extension would load libstdc++: one more MiB.

    Modules hold little garbage: collections of everything during and right after the imports would take a tenth of the
    time. What is loaded counts as permanent from then on (`gc.freeze`), until `collect_garbage_in_steps` looks at it.
    """
    if "pprof_exporter.cli.serve" in sys.modules:
        yield
        return
    before = {name: os.environ.get(name) for name in _DURING}
    os.environ.update(_DURING)
    thresholds = gc.get_threshold()
    gc.set_threshold(*_YOUNG_ONLY)
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*thresholds)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def share_lock_often() -> None:
    """Let a thread hold the interpreter's lock for a short time only, if another one waits."""
    sys.setswitchinterval(_LOCK_SECONDS)


def return_large_blocks() -> None:
    """Have the memory of a large object go back to the system when it is freed, where the C library is glibc.

    It does so for blocks of more than M_MMAP_THRESHOLD, which it raises to the size of each such block that is freed,
    up to 32 MiB (mallopt(3), "dynamic mmap threshold"). Then replies of 32 MB are cut from the heap, and leave holes.
    """
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE_BLOCK)


def resident_memory() -> int:
    """Bytes of memory that this process has."""
    import psutil  # This file is imported first, and by every command.

    return int(psutil.Process().memory_info().rss)


async def collect_garbage_in_steps(clock: Clock, memory: Callable[[], int] = resident_memory) -> None:
    """Collect new objects in small steps, and all of them when memory has grown; never returns."""
    gc.set_threshold(_BURST, 1_000, 1_000)
    due = clock.steady() + _FIRST_LOOK
    most: float | None = None
    while True:
        await clock.sleep(_STEP)
        gc.collect(0)
        gc.freeze()
        at = clock.steady()
        if at < due:
            continue
        due = at + _LOOK_EVERY
        if most is None:
            most = _FILLS * memory()
        if memory() < most:
            continue
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        ended = clock.steady()
        due = ended + max((ended - at) / _SHARE, _LOOK_EVERY)
        most = _GROWN * memory()
