"""The exporter, with a thread that writes what only its own process knows, as lines of JSON.

    python -m benchmarks.soak.watched FILE ARGUMENT-OF-PPROF-EXPORTER...

Every ten seconds: live objects that the collector of garbage knows, memory blocks of Python, tasks, and threads.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pprof_exporter.cli.main import main as exporter

EVERY = 10.0


def _figures(loop: asyncio.AbstractEventLoop) -> dict[str, float]:
    # Old objects are in the permanent generation, see `cli/interpreter.py`; its list is walked without a copy.
    return {
        "at": time.monotonic(),
        "objects": gc.get_freeze_count() + len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "tasks": len(asyncio.all_tasks(loop)),
        "threads": threading.active_count(),
    }


def _watch(loop: asyncio.AbstractEventLoop, file: Path) -> None:
    with file.open("a", encoding="utf-8", buffering=1) as out:
        while not loop.is_closed():
            out.write(json.dumps(_figures(loop)) + "\n")
            time.sleep(EVERY)


def main() -> int:
    """Run the exporter; returns its exit code."""
    file, run = Path(sys.argv[1]), asyncio.run

    async def watched(server: Coroutine[Any, Any, int]) -> int:
        arguments = (asyncio.get_running_loop(), file)
        threading.Thread(target=_watch, args=arguments, daemon=True, name="watching").start()
        return await server

    # The modules of the server are imported as in the real program: after the command line was read.
    asyncio.run = lambda server, **how: run(watched(server), **how)  # type: ignore[assignment]
    return exporter(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
