"""Hours of metrics of the real exporter, over recorded replies of real programs, as blocks that a Prometheus loads.

Time is simulated; recording rules are evaluated by Prometheus itself, over the blocks.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pprof_exporter.catalog import Reason
from pprof_exporter.config import parse_target
from pprof_exporter.evidence_store import DropReason, EvidenceRetention, EvidenceStore, PushOutcome
from pprof_exporter.exposition import ConfigState, ExporterParts, PprofCollector
from pprof_exporter.rules import RECORDING_RULES, RecordingRule, RuleGroup, render_rules
from pprof_exporter.scrape.client.errors import FetchError
from tests.conftest import RECORDINGS
from tests.evidence_store.saved import bodies, finding
from tests.lab import PATIENCE, prometheus
from tests.lab.debian import Suite
from tests.scrape.fakes import FakeClock, FakeFetcher, failing, pool_of

STEP = 300.0
"""Seconds between two samples."""
JOB = "pprof"
INSTANCE = "exporter:9717"

Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class History:
    """What one exporter showed of one target, until `end` (Unix time)."""

    samples: Samples
    end: float
    hours: float


async def simulated(*, hours: float, upgrade: bool) -> History:
    """A busy Windows program, and half-way, if wanted, a new build of it with a newer Go and a slow heap endpoint.

    Findings of it are kept all the time, and given to another store.
    """
    with tempfile.TemporaryDirectory() as folder:
        return await _simulated(Path(folder), hours=hours, upgrade=upgrade)


async def _simulated(folder: Path, *, hours: float, upgrade: bool) -> History:
    end = time.time() // STEP * STEP
    clock = FakeClock(end - hours * 3600)
    fetcher = FakeFetcher(clock)
    fetcher.folder, fetcher.cpu_seconds = RECORDINGS / "windows-go1.24.11", 1.0
    pool = pool_of(clock, fetcher, parse_target("shop:6060", labels={"service": "shop"}), stacks=True)
    ring = EvidenceStore.open(folder, EvidenceRetention(), clock.time)
    ring.pushed = Counter()
    config = ConfigState(successful=True, loaded_at=clock.time)
    collector = PprofCollector(pool, config, clock, ExporterParts(evidence=ring, web_config=lambda: True))
    samples: Samples = {}
    try:
        while clock.time < end:
            await clock.advance(STEP)
            if upgrade and fetcher.folder.name == "windows-go1.24.11" and clock.time >= end - hours * 1800:
                fetcher.folder = RECORDINGS / "windows-go1.27.3"
                fetcher.takes["heap"] = 0.4
                fetcher.faults["mutex"] = failing(FetchError(Reason.HTTP_5XX, "HTTP 500"))
            ring.add(finding("shop:6060", at=clock.time), bodies(1000), clock.time)
            ring.count_dropped(DropReason.INTERVAL)
            ring.pushed[PushOutcome.SUCCESS] += 1
            fetcher.bodies["heap_debug1"] = _collected(fetcher.folder, clock.time, end - hours * 3600)
            for metric in collector.collect():
                for sample in metric.samples:
                    key = sample.name, tuple(sorted(sample.labels.items()))
                    samples.setdefault(key, []).append((clock.time, float(sample.value)))
            of_process = {"up": 1.0, "process_cpu_seconds_total": clock.time / 50, "process_resident_memory_bytes": 9e7}
            for name, value in of_process.items():
                samples.setdefault((name, ()), []).append((clock.time, value))
    finally:
        await pool.close(0)
        ring.close()
    if upgrade:
        alert = {
            "alertname": "PprofUpgradeRegression",
            "alertstate": "firing",
            "failure_mode": "F20",
            "service": "shop",
            "severity": "warning",
            "signal": "fetch_duration_seconds:heap",
            "target": "shop:6060",
        }
        since = end - hours * 1500
        samples["ALERTS", tuple(sorted(alert.items()))] = [(at, 1.0) for at, _ in samples["up", ()] if at > since]
    return History(samples, end, hours)


def _collected(folder: Path, now: float, since: float) -> bytes:
    """Memory statistics as they were recorded, with a garbage collection of 0.3 ms for each step since then."""
    ends = [round((now - back * STEP) * 1e9) for back in reversed(range(round((now - since) / STEP)))]
    rest = " 0" * (256 - len(ends))
    ring = {
        "NumGC": f"{len(ends)}",
        "PauseNs": f"[{' '.join(['300000'] * len(ends))}{rest}]",
        "PauseEnd": f"[{' '.join(map(str, ends))}{rest}]",
    }
    text = (folder / "heap_debug1.txt").read_text()
    for name, value in ring.items():
        text, found = re.subn(rf"(?m)^# {name} = .*$", f"# {name} = {value}", text)
        assert found == 1
    return text.encode()


def write_blocks(history: History, folder: Path, *, targets: int, suite: Suite) -> None:
    """Blocks with so many targets of the same kind in `folder`, recording rules included."""
    text = folder / "history.txt"
    with text.open("w") as file:
        for name, series in _by_name(history.samples):
            _write(file, name, series, targets)
        file.write("# EOF\n")
    data = folder / "data"
    tool = prometheus.promtool(suite)
    _run(tool, "tsdb", "create-blocks-from", "openmetrics", text, data)
    text.unlink()
    start = round(history.end - history.hours * 3600)
    span = [f"--start={start}", f"--end={round(history.end)}", "--eval-interval=5m"]
    for number, records in enumerate(_levels()):
        # Each level reads what those before it have recorded.
        rules, recorded = folder / f"rules{number}.yaml", folder / f"recorded{number}"
        rules.write_text(render_rules([RuleGroup("recorded", tuple(records))]))
        with prometheus.running({}, suite, data=data) as server:
            where = [f"--url={server.url}", f"--output-dir={recorded}"]
            _run(tool, "tsdb", "create-blocks-from", "rules", *span, *where, rules)
        for block in recorded.iterdir():
            block.rename(data / block.name)


def _levels() -> list[list[RecordingRule]]:
    """Recording rules by how many others they rest on, one upon the other."""
    left, levels = list(RECORDING_RULES), list[list[RecordingRule]]()
    while left:
        ready = [one for one in left if not {other.name for other in left if other.name in one.expr}]
        assert ready, f"these rest on each other: {[one.name for one in left]}"
        levels.append(ready)
        left = [one for one in left if one not in ready]
    return levels


def _by_name(samples: Samples) -> Iterator[tuple[str, list[tuple[Labels, list[tuple[float, float]]]]]]:
    names: dict[str, list[tuple[Labels, list[tuple[float, float]]]]] = {}
    for (name, labels), values in samples.items():
        names.setdefault(name, []).append((labels, values))
    return iter(names.items())


def _write(file: TextIO, name: str, series: Iterable[tuple[Labels, list[tuple[float, float]]]], targets: int) -> None:
    for labels, values in series:
        of_target = dict(labels).get("target")
        for number in range(targets if of_target else 1):
            own = {**dict(labels), "job": JOB, "instance": INSTANCE}
            if of_target and number:
                own["target"] = f"shop-{number}:6060"
            text = ",".join(f'{key}="{value}"' for key, value in own.items())
            file.writelines(f"{name}{{{text}}} {value!r} {at:.3f}\n" for at, value in values)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
