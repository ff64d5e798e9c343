"""Commands that run during a capture, each in its own process group, which is always stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from pprof_exporter.capture.matrix import MatrixCommand

_POSIX = os.name == "posix"
_ANSWER_WITHIN = 30.0
_LAST_WORDS = 300


class CannotStart(Exception):
    """A command could not be started. The message says why."""


@dataclass(frozen=True, slots=True)
class ProcessSetup:
    """Where a command runs: its folder, variables added to the environment, and the log file for its output."""

    directory: Path
    env: Mapping[str, str]
    log: Path


@contextlib.asynccontextmanager
async def running_process(
    command: MatrixCommand, place: ProcessSetup, stop_within: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command until the block ends, then stop it and its children. Raises `CannotStart`."""
    with place.log.open("ab") as log:
        process = await _start(command, place, log.fileno())
    try:
        yield process
    finally:
        # Also when the capture is cancelled: a process that is still stopping would disturb the next entry.
        await asyncio.shield(_end(process, stop_within))


async def command_output(command: MatrixCommand, place: ProcessSetup) -> str:
    """Output of a short command, stripped. Raises `CannotStart`, also if the command fails."""
    process = await _start(command, place, asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(_ANSWER_WITHIN):
            said, _ = await process.communicate()
    except TimeoutError:
        raise CannotStart(f"{command.line}: did not end within {_ANSWER_WITHIN:g} s") from None
    finally:
        await _end(process, 1)
    text = said.decode("utf-8", "replace").strip()
    if process.returncode:
        raise CannotStart(f"{command.line}: exit code {process.returncode}: {text[-_LAST_WORDS:]}")
    return text


async def _start(command: MatrixCommand, place: ProcessSetup, output: int) -> asyncio.subprocess.Process:
    environment = {**os.environ, **place.env}
    # Its own process group: its children can be stopped with it, and Ctrl-C reaches only this program.
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    try:
        if command.shell:
            return await asyncio.create_subprocess_shell(
                command.shell,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                cwd=place.directory,
                env=environment,
                start_new_session=_POSIX,
                creationflags=flags,
            )
        return await asyncio.create_subprocess_exec(
            *command.words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=place.directory,
            env=environment,
            start_new_session=_POSIX,
            creationflags=flags,
        )
    except OSError as error:
        raise CannotStart(f"{command.line}: {error.strerror or error}") from error


async def _end(process: asyncio.subprocess.Process, within: float) -> None:
    """Terminate the group, and kill it after `within` seconds."""
    if _POSIX:
        if _signal_group(process.pid, signal.SIGTERM):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await process.wait()
            # The processes that are left ignore the signal, or their parent has ended.
            _signal_group(process.pid, signal.SIGKILL)
    else:
        _kill_tree(process.pid)
    await process.wait()


def _signal_group(group: int, number: int) -> bool:
    """Whether the group still had a process."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill_tree(pid: int) -> None:
    """Windows cannot signal a process group; children are found by their parents."""
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        for found in (*parent.children(recursive=True), parent):
            with contextlib.suppress(psutil.Error):
                found.kill()
