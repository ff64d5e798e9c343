"""What `pprof-exporter capture` does once its flags are read."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pprof_exporter import __version__
from pprof_exporter.capture.format import CaptureError, TargetEntry
from pprof_exporter.capture.matrix import load_matrix
from pprof_exporter.capture.matrix_runner import MatrixRun, matrix_targets, reproduction_details, run_matrix
from pprof_exporter.capture.processes import CannotStart
from pprof_exporter.capture.recorder import CaptureRecorder, CaptureResult
from pprof_exporter.capture.writer import CaptureWriter, target_entries
from pprof_exporter.cli.os_signals import signal_handlers
from pprof_exporter.cli.output import complain, rounds_shown, say
from pprof_exporter.cli.round_options import round_settings, undiscovered_jobs
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import ConfigError
from pprof_exporter.descriptors import raise_descriptor_limit
from pprof_exporter.scrape.target.round import OnRound, RoundPlan

_ROUNDS, _EVERY = 10, 30.0
_INTERRUPTED = 130


def record(options: Namespace) -> int:
    """Record what the flags name; the exit codes are those of the command."""
    try:
        return asyncio.run(_matrix(options) if options.matrix else _targets(options))
    except (ConfigError, CaptureError, CannotStart) as error:
        complain(str(error))
        return 2


async def _targets(options: Namespace) -> int:
    raise_descriptor_limit()
    settings = round_settings(options, options.targets)
    if not settings.targets:
        raise ConfigError("no targets. Name a target, as in `pprof-exporter capture localhost:6060 -o before`.")
    if left_out := undiscovered_jobs(settings):
        complain(left_out)
    made = target_entries((target.name, dict(target.labels)) for target in settings.targets)
    writer = _writer(options.output, made)
    plan = RoundPlan(options.rounds or _ROUNDS, options.every or _EVERY)
    with _shown(writer, made, plan) as on_round:
        recorder = CaptureRecorder(writer, settings, plan, SystemClock(), on_round)
        return await _until_stopped(recorder.capture(dict(zip(settings.targets, made, strict=True))), options.output)


async def _matrix(options: Namespace) -> int:
    if options.targets or vars(options)["config.file"]:
        raise ConfigError("--matrix contains its own targets; remove the other targets and --config.file")
    matrix = load_matrix(options.matrix)
    run_ = MatrixRun(matrix, options.matrix.parent, options.output, _say)
    made = await _matrix_entries(run_, dict(options.label))
    writer = _writer(options.output, made)
    plan = RoundPlan(options.rounds or matrix.rounds or _ROUNDS, options.every or matrix.every or _EVERY)
    with _shown(writer, made, plan) as on_round:
        recorder = CaptureRecorder(writer, round_settings(options, []), plan, SystemClock(), on_round)
        return await _until_stopped(run_matrix(run_, recorder, made), options.output)


def _shown(writer: CaptureWriter, made: tuple[TargetEntry, ...], plan: RoundPlan) -> AbstractContextManager[OnRound]:
    finished = [writer.finished_rounds(entry) for entry in made]
    return rounds_shown("recording", [entry.name for entry in made], plan.rounds, finished)


def _say(text: str) -> None:
    complain(text, program="", flush=True)


async def _matrix_entries(run_: MatrixRun, labels: Mapping[str, str]) -> tuple[TargetEntry, ...]:
    named = matrix_targets(run_.matrix)
    made = target_entries((target.name, {**dict(target.labels), **labels}) for target in named)
    return tuple(
        [
            replace(entry, about=await reproduction_details(run_, wanted))
            for entry, wanted in zip(made, run_.matrix.entries, strict=True)
        ]
    )


def _writer(path: Path, made: tuple[TargetEntry, ...]) -> CaptureWriter:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return CaptureWriter(path, made, exporter=__version__, created=now)


def _stop(recording: asyncio.Task[list[CaptureResult]]) -> None:
    """Once: a second signal finds the first one at work, which ends what was started."""
    if not recording.cancelling():
        recording.cancel()


async def _until_stopped(work: Coroutine[None, None, list[CaptureResult]], path: Path) -> int:
    """Record until all is there or a signal comes, and say what there is."""
    recording = asyncio.create_task(work)
    try:
        with signal_handlers(lambda: _stop(recording), None):
            captured = await recording
    except asyncio.CancelledError:
        complain(f"interrupted; run the same command again to resume {path}")
        return _INTERRUPTED
    for one in captured:
        say(f"{path / one.entry.folder}: {one.rounds} {'round' if one.rounds == 1 else 'rounds'} of {one.entry.name}")
        if one.problem:
            complain(f"{one.entry.name}: {one.problem}")
    return 2 if any(one.problem for one in captured) else 0
