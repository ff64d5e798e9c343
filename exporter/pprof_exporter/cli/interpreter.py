"""Python itself, for a program that starts quickly and then holds many objects for long: imports and its collector."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator
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


# A collection of everything makes the program stand still: for 0.4 s with 300 targets (benchmarks/fleet, /-/healthy).
# Once an hour meets less than one in a hundred scrapes of 15 s. Only objects of targets that are gone wait for it:
# requests leave no cycles behind (tests/scrape/client).
_SET_APART_AFTER = 120.0
_EVERY = 3600.0
# New objects before a collection of the youngest generation; Python's 700 collects all of them far too often.
_YOUNG = 20_000


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
    time. What is loaded counts as permanent from then on (`gc.freeze`), until `collect_garbage_seldom` looks at it.
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


async def collect_garbage_seldom(clock: Clock) -> None:
    """Collect old objects once an hour only, and new ones in between; never returns."""
    gc.set_threshold(_YOUNG, 10, 10)
    await clock.sleep(_SET_APART_AFTER)
    # What stays for long is there: no collection looks at it until the first of all.
    gc.collect(1)
    gc.freeze()
    while True:
        await clock.sleep(_EVERY)
        gc.unfreeze()
        gc.collect()
        gc.freeze()
