"""A list of targets that changes all the time, in a file that the exporter discovers them from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

_EVERY = 10.0


class Numbered(Protocol):
    """Targets with a number each."""

    @property
    def targets(self) -> int:
        """How many there are."""
        ...

    def address(self, number: int) -> str:
        """Host and port of one of them, or its URL, counted from 0."""
        ...


def config(folder: Path, *, of_job: Mapping[str, Any] | None = None, **more: Any) -> Path:
    """A configuration file whose targets are those in `targets.json` beside it.

    `of_job` are other keys of their job, `more` those beside the jobs.
    """
    path = folder / "config.json"
    job = {"job_name": "fleet", "file_sd_configs": [{"files": ["targets.json"]}], **(of_job or {})}
    path.write_text(json.dumps({"scrape_configs": [job], **more}))
    return path


@contextmanager
def listed(stub: Numbered, folder: Path, targets: int, replaced: int) -> Iterator[None]:
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
        turns = 0
        while not stop.wait(_EVERY):
            turns += 1
            write(round(turns * replaced * _EVERY / 60))

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
