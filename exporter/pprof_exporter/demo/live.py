"""The Go program that the tests use, built and run as a target of the demo, where a Go toolchain is at hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from importlib.resources import as_file, files
from pathlib import Path


class NoGo(Exception):
    """The program could not be built or started; the text says why."""


@contextlib.asynccontextmanager
async def live_target() -> AsyncIterator[str]:
    """Build and run the program; yields its URL and ends it afterwards. Raises `NoGo`."""
    go = shutil.which("go")
    if go is None:
        raise NoGo("`go` is not on the PATH; install Go 1.21 or later, or run the demo without --live")
    with contextlib.ExitStack() as stack:
        sources = stack.enter_context(_sources())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pprof-exporter-demo-")))
        program = folder / ("target.exe" if os.name == "nt" else "target")
        build = await asyncio.create_subprocess_exec(
            go,
            "build",
            "-trimpath",
            "-o",
            str(program),
            ".",
            cwd=sources,
            env={**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await build.communicate()
        if build.returncode:
            raise NoGo(f"go build failed: {said.decode(errors='replace').strip()}")
        process = await asyncio.create_subprocess_exec(
            program, "-listen", "127.0.0.1:0", stdout=asyncio.subprocess.PIPE
        )
        try:
            yield await _address(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _sources() -> contextlib.AbstractContextManager[Path]:
    """The Go sources: a wheel carries them beside this module, a checkout has them with the tests."""
    packed = files("pprof_exporter.demo") / "target"
    if packed.is_dir():
        return as_file(packed)
    checkout = Path(__file__).resolve().parents[3] / "tests" / "target"
    if not checkout.is_dir():
        raise NoGo("this installation does not contain the Go sources; run the demo without --live")
    return contextlib.nullcontext(checkout)


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise NoGo("the Go program has no standard output")
    try:
        async with asyncio.timeout(10):
            line = await process.stdout.readline()
        return str(json.loads(line)["url"])
    except (TimeoutError, ValueError, KeyError) as error:
        raise NoGo("the Go program did not print its address") from error
