"""Captures the entries of a matrix one after the other: start, wait, load, warm up, record, stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from yarl import URL

from pprof_exporter.capture.format import TargetEntry
from pprof_exporter.capture.matrix import Matrix, MatrixEntry
from pprof_exporter.capture.processes import CannotStart, ProcessSetup, command_output, running_process
from pprof_exporter.capture.recorder import CaptureRecorder, CaptureResult
from pprof_exporter.clock import Clock
from pprof_exporter.config import Target, parse_target

_POLL_INTERVAL = 0.1
_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class MatrixRun:
    """How to run a matrix. `folder`, that of the matrix file, is the base of relative folders.

    `path` is the folder of the capture. `on_progress` receives a line for each entry that starts.
    """

    matrix: Matrix
    folder: Path
    path: Path
    on_progress: Callable[[str], None]


def matrix_targets(matrix: Matrix) -> list[Target]:
    """The target of each entry, with the name and labels of the entry."""
    return [replace(parse_target(entry.target, labels=dict(entry.labels)), name=entry.name) for entry in matrix.entries]


async def reproduction_details(run: MatrixRun, entry: MatrixEntry) -> dict[str, str]:
    """What reproduces an entry: its commands, its environment, and the output of its `versions` commands.

    Raises `CannotStart` if a command of `versions` fails.
    """
    load = run.matrix.load_of(entry)
    place = ProcessSetup(run.folder / entry.directory, entry.env, Path())
    versions = {
        f"version of {command.line}": await command_output(command, place)
        for command in (*run.matrix.versions, *entry.versions)
    }
    return {
        "start": entry.start.line,
        **({"load": load.line} if load else {}),
        "warm_up": f"{run.matrix.warm_up_of(entry):g}s",
        **{f"env {name}": value for name, value in sorted(entry.env.items())},
        **versions,
    }


async def run_matrix(run: MatrixRun, recorder: CaptureRecorder, entries: Sequence[TargetEntry]) -> list[CaptureResult]:
    """Capture each entry that is not finished. An entry that cannot start is reported, and the next one runs.

    Raises `CaptureError`.
    """
    captured = []
    for wanted, target, entry in zip(run.matrix.entries, matrix_targets(run.matrix), entries, strict=True):
        if recorder.writer.finished_rounds(entry) >= recorder.plan.rounds:
            captured.append(CaptureResult(entry, recorder.writer.finished_rounds(entry), ""))
            continue
        try:
            captured.append(await _run_entry(run, recorder, wanted, target, entry))
        except CannotStart as error:
            captured.append(CaptureResult(entry, recorder.writer.finished_rounds(entry), str(error)))
    return captured


async def _run_entry(
    run: MatrixRun, recorder: CaptureRecorder, wanted: MatrixEntry, target: Target, entry: TargetEntry
) -> CaptureResult:
    if await _answers(target.url):
        raise CannotStart(f"another process already answers at {wanted.target}; stop it or choose another port")
    folder = run.path / entry.folder
    directory = run.folder / wanted.directory
    run.on_progress(f"{entry.name}: {wanted.start.line}")
    place = ProcessSetup(directory, wanted.env, folder / "start.log")
    async with contextlib.AsyncExitStack() as stack:
        program = await stack.enter_async_context(running_process(wanted.start, place, run.matrix.stop_within))
        await _wait_until_it_answers(run, recorder.clock, target, program, place)
        load = run.matrix.load_of(wanted)
        processes = [("the program", program, place)]
        if load:
            concurrent = ProcessSetup(directory, wanted.env, folder / "load.log")
            driver = await stack.enter_async_context(running_process(load, concurrent, run.matrix.stop_within))
            processes.append(("the load", driver, concurrent))
        await recorder.clock.sleep(run.matrix.warm_up_of(wanted))
        return await _capture_while_they_run(recorder, target, entry, processes)


async def _capture_while_they_run(
    recorder: CaptureRecorder,
    target: Target,
    entry: TargetEntry,
    processes: list[tuple[str, asyncio.subprocess.Process, ProcessSetup]],
) -> CaptureResult:
    """Record until the program or its load ends: rounds under another load are not comparable."""
    recording = asyncio.create_task(recorder.capture({target: entry}))
    watches = {asyncio.create_task(process.wait()): (name, place) for name, process, place in processes}
    try:
        await asyncio.wait({recording, *watches}, return_when=asyncio.FIRST_COMPLETED)
        if recording.done():
            return recording.result()[0]
        name, place = next(about for watch, about in watches.items() if watch.done())
        raise CannotStart(f"{name} ended before the capture; see its output in {place.log}")
    finally:
        for task in (recording, *watches):
            task.cancel()
        await asyncio.gather(recording, *watches, return_exceptions=True)


async def _wait_until_it_answers(
    run: MatrixRun, clock: Clock, target: Target, program: asyncio.subprocess.Process, place: ProcessSetup
) -> None:
    deadline = clock.steady() + run.matrix.start_within
    while not await _answers(target.url):
        if program.returncode is not None:
            raise CannotStart(f"the program ended with exit code {program.returncode}; see its output in {place.log}")
        if clock.steady() >= deadline:
            raise CannotStart(f"{target.process} did not answer within {run.matrix.start_within:g} s")
        await clock.sleep(_POLL_INTERVAL)


async def _answers(url: URL) -> bool:
    """Whether an HTTP server answers at this URL, with any status."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False, ssl=False),
        ):
            return True
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
