"""Two groups of targets, captured in the same rounds and compared: the stable side and the canary of a release."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pprof_exporter import __version__
from pprof_exporter.capture.reader import Capture, CaptureError, load_capture
from pprof_exporter.capture.recorder import CaptureRecorder
from pprof_exporter.capture.writer import CaptureWriter, target_entries
from pprof_exporter.cli.output import rounds_shown
from pprof_exporter.cli.round_options import round_settings
from pprof_exporter.clock import SystemClock
from pprof_exporter.compare.captures import compare_groups, flames_of_groups
from pprof_exporter.compare.report import ComparisonReport
from pprof_exporter.compare.report_html import Flames
from pprof_exporter.config import ConfigError, Settings
from pprof_exporter.scrape.target.round import RoundPlan


def compare_groups_now(
    options: argparse.Namespace, thresholds: Mapping[str, float], *, pictures: bool
) -> tuple[ComparisonReport, Flames]:
    """Record all targets, and compare. Raises `ConfigError`."""
    stable, canary = _named(options.stable), _named(options.canary)
    settings = round_settings(options, [*stable, *canary])
    if len(settings.targets) != len(stable) + len(canary):
        raise ConfigError(
            "--config.file must not contain targets: their group is unknown. Name them in --stable or --canary."
        )
    with tempfile.TemporaryDirectory(prefix="pprof-exporter-") as place:
        try:
            recording = _recorded(Path(options.keep or place), settings, RoundPlan(options.rounds, options.every))
        except CaptureError as error:
            raise ConfigError(str(error)) from None
        groups = recording.targets[: len(stable)], recording.targets[len(stable) :]
        report = compare_groups(*groups, thresholds)
        return report, flames_of_groups(*groups) if pictures else {}


def _named(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _recorded(path: Path, settings: Settings, plan: RoundPlan) -> Capture:
    made = target_entries((target.name, dict(target.labels)) for target in settings.targets)
    writer = CaptureWriter(path, made, exporter=__version__, created=datetime.now(UTC).isoformat(timespec="seconds"))
    finished = [writer.finished_rounds(entry) for entry in made]
    with rounds_shown("recording", [entry.name for entry in made], plan.rounds, finished) as on_round:
        recorder = CaptureRecorder(writer, settings, plan, SystemClock(), on_round)
        asyncio.run(recorder.capture(dict(zip(settings.targets, made, strict=True))))
    return load_capture(path)
