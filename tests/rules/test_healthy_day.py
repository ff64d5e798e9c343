"""Nothing fires on a healthy day: two real programs at work and at rest, restarts of a target and of the exporter."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pprof_exporter.catalog import content, quality, runtime, sampling
from pprof_exporter.rules import ALERTS, GROUPS, RuleOptions, render_rules
from tests.lab import PATIENCE
from tests.lab.debian import Suite
from tests.lab.prometheus import promtool
from tests.rules.day import (
    DAY,
    END,
    EXPORTER_STARTS,
    TARGET_STARTS,
    WORKDAY,
    input_series,
    lasting,
    moments,
    names_in,
    notation,
)
from tests.rules.record_series import BUSY, IDLE, SETS, read

pytestmark = pytest.mark.lab

SCRAPED = 'job="pprof-exporter", instance="exporter:9717"'
HALF_AN_HOUR = 30
EVALUATION, TWO_EVALUATIONS = "2m", "3m"
SUITES: tuple[Suite, ...] = ("stable", "sid")

EXPECTED: dict[str, str] = {}
"""Alerts that are right to fire on these programs, each with the reason."""


def unit_test(
    folder: Path, recordings: Path, asked: list[dict[str, object]], options: RuleOptions | None = None
) -> Path:
    """The day as a unit test of promtool, beside the rules."""
    rules = render_rules(GROUPS, options)
    (folder / "rules.yaml").write_text(rules)
    recorded = [read(recordings / "series" / f"{name}.txt.gz") for name in SETS]
    series = [*input_series(recorded, names_in(rules), SCRAPED), *limited()]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": asked}
    file = folder / "day.yaml"
    # JSON is YAML, and written in no time.
    file.write_text(json.dumps({"rule_files": ["rules.yaml"], "evaluation_interval": EVALUATION, "tests": [test]}))
    return file


def limited() -> list[dict[str, str]]:
    """A target whose CPU limit stops it now and then: where the recordings come from, no cgroup has such a limit."""
    labels = f'{{{SCRAPED}, target="shop-limited:6060", env="production"}}'
    values = {
        runtime.CPU_LIMIT.name: f"2+0x{END}",
        # Ten periods a second, of which one in ten is too short.
        runtime.CPU_PERIODS.name: f"0+600x{END}",
        runtime.CPU_THROTTLED_PERIODS.name: f"0+60x{END}",
    }
    return [{"series": f"{name}{labels}", "values": of} for name, of in values.items()]


def nothing_fires(first: int, last: int) -> list[dict[str, object]]:
    """That within each half hour nothing fired, and nothing was pending at two evaluations in a row."""
    others = "|".join(EXPECTED)
    fired = f'count_over_time(ALERTS{{alertstate="firing", alertname!~"{others}"}}[30m])'
    pending = f'count_over_time(ALERTS{{alertstate="pending", alertname!~"{others}"}}[{TWO_EVALUATIONS}])'
    expressions = (fired, f"max_over_time({pending}[30m:{EVALUATION}]) > 1")
    times = range(first, last + 1, HALF_AN_HOUR)
    return [{"expr": expr, "eval_time": f"{time}m", "exp_samples": []} for time in times for expr in expressions]


def told(suite: Suite, file: Path) -> str:
    """What promtool says when it finds something; "" when it is content."""
    command = [str(promtool(suite)), "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_fires_on_a_healthy_day(tmp_path: Path, recordings: Path, suite: Suite) -> None:
    assert told(suite, unit_test(tmp_path, recordings, nothing_fires(HALF_AN_HOUR, END))) == ""


@pytest.mark.parametrize("suite", SUITES)
def test_the_day_would_show_what_fires_and_what_is_pending(tmp_path: Path, recordings: Path, suite: Suite) -> None:
    """The rate of a healthy Windows program taken for a bad one: pending at first, then firing."""
    wrong = RuleOptions({"cpu_timer_highest": 1000})
    said = told(suite, unit_test(tmp_path, recordings, nothing_fires(HALF_AN_HOUR, HALF_AN_HOUR), wrong))
    assert said.count("PprofCpuTimer64Hz") == 2
    assert 'alertstate="firing"' in said
    assert 'alertstate="pending"' in said


def test_only_alerts_that_exist_are_expected() -> None:
    assert set(EXPECTED) <= {alert.name for alert in ALERTS}


@pytest.mark.parametrize("name", SETS)
def test_the_recorded_programs_are_busy_and_then_idle(recordings: Path, name: str) -> None:
    _, series = read(recordings / "series" / f"{name}.txt.gz")
    (samples,) = (values for line, values in series.items() if line.startswith("pprof_cpu_samples_total"))
    seen = [value or 0 for value in samples]
    busy, idle = seen[BUSY] - seen[BUSY // 2], seen[-1] - seen[-IDLE // 2]
    assert busy > 10 * idle


@pytest.mark.parametrize("name", SETS)
def test_the_day_has_what_the_rules_of_coverage_growth_contention_threads_and_collection_read(
    recordings: Path, name: str
) -> None:
    _, series = read(recordings / "series" / f"{name}.txt.gz")
    wanted = (
        sampling.CPU_COMPARED,
        sampling.CPU_USED,
        sampling.CPU_ACCOUNTED,
        content.CONTENTION_SECONDS,
        content.THREADS_CREATED,
        quality.GOROUTINE_STATES,
        runtime.GC_CYCLES,
    )
    assert {family.name for family in wanted} <= {line.partition("{")[0] for line in series}


DAY_OF = moments()
TIMES = [1_000_000.0 + 15 * scrape for scrape in range(BUSY + IDLE)]
"""Of a made-up recording, to say what a day makes of it."""


def test_a_gauge_has_recorded_values_of_its_part_of_the_day() -> None:
    values = lasting("pprof_goroutines", [20.0] * BUSY + [5.0] * IDLE, TIMES, DAY_OF)
    assert values[60] == values[DAY] == 5
    assert values[END] == 20
    assert {values[minute] for minute in WORKDAY if minute != EXPORTER_STARTS} == {20}


def test_a_counter_of_the_exporter_restarts_with_it_and_one_of_the_target_with_the_target() -> None:
    recorded = [float(scrape) for scrape in range(BUSY + IDLE)]
    profiled = lasting("pprof_cpu_samples_total", recorded, TIMES, DAY_OF)
    allocated = lasting("pprof_allocated_bytes_total", recorded, TIMES, DAY_OF)
    # Four scrapes a minute, one more at each.
    assert [profiled[minute] for minute in (0, 1, 100, TARGET_STARTS)] == [0, 4, 400, 4 * TARGET_STARTS - 4]
    assert profiled[EXPORTER_STARTS : EXPORTER_STARTS + 3] == [None, 0, 4]
    assert allocated[TARGET_STARTS : TARGET_STARTS + 2] == [0, 4]
    assert allocated[EXPORTER_STARTS + 2] > allocated[EXPORTER_STARTS - 1] > 1_000  # type: ignore[operator]  # none of them is None


def test_a_time_lies_as_far_back_as_it_did() -> None:
    seven_seconds_ago = [time - 7 for time in TIMES]
    values = lasting("pprof_last_success_timestamp_seconds", seven_seconds_ago, TIMES, DAY_OF)
    assert (values[1], values[700]) == (53, 41_993)
    once = lasting("pprof_tick_audit_timestamp_seconds", [TIMES[0] + 2] * len(TIMES), TIMES, DAY_OF)
    assert (once[700], once[DAY]) == (2, 60 * (EXPORTER_STARTS + 1) + 2)


def test_promtool_reads_gaps_and_runs() -> None:
    assert notation([None, 1.5, 1.5, 1.5, None, None, 0.00001]) == "_ 1.5+0x2 stale _ 0.00001"
