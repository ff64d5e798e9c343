"""Writes docs/detection.md, and prints what a run found."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pprof_exporter import __version__
from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from tests.detection.runner import Outcome
from tests.detection.scenario import BATCHES, Pace
from tests.detection.scenarios import SCENARIOS, UNCLAIMED_ALERTS
from tests.lab import PROJECT, go, prometheus

PAGE = PROJECT / "docs" / "detection.md"

KEPT = "outcomes.json"
"""In the folder of a batch: what was told of its scenarios when each was run last."""

FAILED = "**failed**"
"""Stands in each row whose claim does not hold."""


def line(outcome: Outcome) -> str:
    """One outcome, for the terminal."""
    told = ", ".join(f"{name} {_minutes(after)}" for name, after in outcome.told.items()) or "nothing"
    words = [f"{'FAILED' if outcome.failed else 'ok':7}{outcome.scenario.name}: {told}"]
    words += [f"missed {', '.join(outcome.missed)}"] if outcome.missed else []
    words += [f"foreign {', '.join(outcome.foreign)}"] if outcome.foreign else []
    words += [f"in healthy life {', '.join(outcome.early)}"] if outcome.early else []
    words += [f"info {', '.join(outcome.informed)}"] if outcome.informed else []
    words += [f"trouble {', '.join(outcome.troubles)}"] if outcome.troubles else []
    words.append("not resolved" if outcome.resolved is None else f"resolved {_minutes(outcome.resolved)}")
    return "; ".join(words)


def keep(outcomes: Iterable[Outcome], file: Path) -> None:
    """Store outcomes beside those of other scenarios that are in this file."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(known | {one.scenario.name: _fields(one) for one in outcomes}, indent=1))


def kept(folder: Path) -> list[Outcome]:
    """The outcomes that are stored in the folders of a folder, in the order of the scenarios."""
    known: dict[str, Any] = {}
    for file in sorted(folder.glob(f"*/{KEPT}")):
        known |= json.loads(file.read_text(encoding="utf-8"))
    return [Outcome(one, **known[one.name]) for one in SCENARIOS if one.name in known]


def _fields(outcome: Outcome) -> dict[str, Any]:
    values = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
    del values["scenario"]
    return values


def write(outcomes: Sequence[Outcome]) -> None:
    """Write the page."""
    PAGE.write_text(page(outcomes), encoding="utf-8")


def page(outcomes: Sequence[Outcome]) -> str:
    """The page as Markdown."""
    faults = [one for one in outcomes if not one.scenario.healthy]
    claimed = [one for one in faults if one.scenario.claimed]
    unclaimed = [one for one in faults if not one.scenario.claimed]
    healthy = [one for one in outcomes if one.scenario.healthy]
    recognized = [one for one in claimed if not one.missed]
    foreign = sum(len(one.foreign) for one in outcomes)
    resolved = [one for one in claimed if one.resolved is not None]
    share = 100 * len(recognized) / len(claimed) if claimed else 0
    parts = [
        "# Detection",
        """\
Which faults the shipped alerts report, after how long, and what else they report. `python -m tests.detection` runs each
fault and each healthy scenario with real programs, and writes this page.""",
        f"""\
| | |
| --- | --- |
| Faults that an alert is claimed to report | {len(claimed)} |
| Reported by all their alerts | {len(recognized)} ({share:.0f} %) |
| Alerts that are claimed for none of what happened | {foreign} |
| Claimed faults whose alerts resolved afterwards | {len(resolved)} |
| Faults without a claim | {len(unclaimed)} |
| Healthy scenarios | {len(healthy)} |
| Healthy scenarios with a warning or critical alert | {sum(bool(one.foreign) for one in healthy)} |
""",
        *(_mode(number, title, [one for one in claimed if one.scenario.mode == number]) for number, title in _modes()),
        "## Healthy scenarios",
        "No alert of severity warning or critical may fire for these.",
        _table(
            ("Scenario", "What happens", "Reported", "Information"),
            [(one.scenario.name, one.scenario.said, _foreign(one), ", ".join(one.informed) or "-") for one in healthy],
        ),
        "## Faults without a claim",
        _table(
            ("Fault", "What happens", "Reported", "Information", "Why nothing is claimed"),
            [
                (
                    one.scenario.name,
                    one.scenario.said,
                    _foreign(one),
                    ", ".join(one.informed) or "-",
                    one.scenario.unclaimed,
                )
                for one in unclaimed
            ],
        ),
        "## Alerts without a scenario",
        _table(("Alert", "Why, and where it is tested"), sorted(UNCLAIMED_ALERTS.items())),
        _method(),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _modes() -> Iterable[tuple[str, str]]:
    return [(mode.id, mode.title) for mode in FAILURE_MODES]


def _mode(number: str, title: str, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    rows = [
        (
            one.scenario.name,
            one.scenario.said,
            ", ".join(f"{name}, {_minutes(one.told[name])}" if name in one.told else f"{name}: {FAILED}"
                      for name in one.scenario.claimed),
            _also(one),
            _resolved(one),
        )
        for one in outcomes
    ]  # fmt: skip
    return f"## {number}: {title}\n\n" + _table(
        ("Fault", "What happens", "Reported by, after", "Also reported", "Resolved after"), rows
    )


def _also(one: Outcome) -> str:
    companions = [f"{name}, {_minutes(one.told[name])}" for name in one.scenario.companions if name in one.told]
    wrong = [f"{name}: {FAILED}" for name in one.foreign]
    return ", ".join([*companions, *wrong, *(f"{name} (info)" for name in one.informed)]) or "-"


def _foreign(one: Outcome) -> str:
    return ", ".join(f"{name}: {FAILED}" for name in one.foreign) or "nothing"


def _resolved(one: Outcome) -> str:
    if one.resolved is not None:
        return _minutes(one.resolved)
    return "later, by design" if one.scenario.lasting else FAILED


def _minutes(value: float) -> str:
    return f"{value:.0f} min" if value < 120 else f"{value / 60:.1f} h"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines)


def _method() -> str:
    rows = [(batch.name, batch.said, _pace(batch.pace)) for batch in BATCHES]
    return f"""\
## How this was measured

The services are Go programs (`tests/detection/services`) of four shapes: an API with a worker pool and a cache, a batch
that works in bursts, a proxy whose connections follow a wave, and a service that is deployed often. They run as
processes of their own, with or without a gateway that answers in their place or changes profiles on their way. Each
batch has one exporter, one Prometheus with the shipped rules and one Alertmanager with the shipped routes and
inhibitions. An alert is reported when Alertmanager sends it. It has to resolve after the fault has ended.

{_table(("Batch", "What is in it", "Time"), rows)}

Time is compressed: `pprof-exporter rules --time-scale` scales every range and wait of the rules. The minutes above are
those of the shipped rules: seconds of the clock on the wall, divided by the scale. The exporter's intervals are
shortened as well, but less: its part of a delay is overstated here, by up to 5 minutes where an hour is 60 s, and 6
minutes where it is 10 s. Rates of leaks are stated in the time of the rules. What is not scaled: thresholds in units
per second, the time that Go needs for a window or a collection, and all that the exporter measures within one fetch.

| | |
| --- | --- |
| Date | {datetime.now(UTC):%Y-%m-%d} |
| pprof-exporter | {__version__} |
| Go | {", ".join(go.VERSIONS)} |
| Prometheus | {_version_of_prometheus()} |
| Machine | {platform.system()} {platform.machine()}, {os.cpu_count()} processors |

Again: `python -m tests.detection` runs everything and exits with 1 if a claim does not hold, `--only NAME` runs one
scenario, `--list` lists them."""


def _pace(pace: Pace) -> str:
    return f"1 hour of the rules is {3600 * pace.scale:.0f} s; most profiles come every {pace.interval:.0f} s"


def _version_of_prometheus() -> str:
    done = subprocess.run([prometheus.prometheus(), "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).split(" version ")[-1].split()[0]
