"""A list of targets that changes all the time, in a file that the exporter discovers them from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fleet.stub import Stub

_EVERY = 10.0


def config(folder: Path) -> Path:
    """A configuration file whose targets are those in `targets.json` beside it."""
    path = folder / "config.json"
    job = {"job_name": "fleet", "file_sd_configs": [{"files": ["targets.json"]}]}
    path.write_text(json.dumps({"scrape_configs": [job]}))
    return path


@contextmanager
def listed(stub: Stub, folder: Path, targets: int, replaced: int) -> Iterator[None]:
    """List that many of the stub's targets, and replace `replaced` of them a minute until the block ends.

    The stub has at least `targets + replaced`, so that one that went stays away for a minute.
    """
    stop = threading.Event()

    def write(first: int) -> None:
        addresses = [stub.address((first + number) % stub.targets) for number in range(targets)]
        fresh = folder / "targets.json.fresh"
        fresh.write_text(json.dumps([{"targets": addresses}]))
        fresh.replace(folder / "targets.json")

    def go_on() -> None:
        turns, step = 0, round(replaced * _EVERY / 60)
        while not stop.wait(_EVERY):
            turns += 1
            write(turns * step)

    write(0)
    thread = threading.Thread(target=go_on, daemon=True)
    if replaced:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if replaced:
            thread.join()
