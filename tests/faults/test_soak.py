"""Minutes of targets that do everything wrong: nothing rises, memory and the log are bounded, and nothing dies.

The hour is `python -m benchmarks.soak`.
"""

from __future__ import annotations

import random
import sys

import pytest

from benchmarks.soak.__main__ import LEAST_MEMORY, parsed, soak
from benchmarks.soak.faults import FAULTS
from benchmarks.soak.report import RISING, Bounds, broken
from benchmarks.soak.samples import DESCRIPTORS, OBJECTS, SERIES, TASKS, THREADS, LogVolume
from benchmarks.soak.targets import Course
from benchmarks.soak.trend import trend

MINUTES = 5.0
# What a few minutes show of a slope by the hour is mostly how targets fill their state for the first time. A leak of a
# task, descriptor or thread for each failed fetch would be hundreds, and of a reply thousands of objects, in a minute.
MOST_GROWTH = {DESCRIPTORS: 60.0, TASKS: 120.0, THREADS: 3.0, SERIES: 60_000.0, OBJECTS: 120_000.0}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 on loopback")
def test_five_minutes_of_all_faults_leave_nothing_behind() -> None:
    warm_up = 1.5
    options = parsed(
        [f"--minutes={MINUTES - warm_up}", f"--warm-up={warm_up}", "--targets=60", "--lasts=20", "--replaced=6"]
    )
    result = soak(options)
    # Of a machine that does other things at the same time, /metrics is judged by the benchmark alone.
    bounds = Bounds(most_memory=LEAST_MEMORY, slowest_page=20_000)
    assert [problem for problem in broken(result, bounds) if " rises" not in problem] == []
    for name, most in MOST_GROWTH.items():
        found = result.trends[name]
        assert found.slope / 60 * MINUTES <= most, f"{name}: {found}"
    reasons = set(result.reasons())
    assert {"truncated", "too_large", "timeout_header", "not_http", "html", "closed", "http_5xx"} <= reasons
    assert set(RISING) <= set(result.samples.figures)


def test_a_slope_is_told_from_noise() -> None:
    chance = random.Random(1)
    flat = [(15.0 * number, 200 + chance.gauss(0, 20)) for number in range(240)]
    assert not trend(flat).rises(share=0.03, least=1)
    rising = [(at, value + at / 30) for at, value in flat]
    assert trend(rising).rises(share=0.03, least=1)
    assert 100 < trend(rising).slope < 140
    peaks = [(at, value + (900 if number % 9 == 0 else 0)) for number, (at, value) in enumerate(flat)]
    assert not trend(peaks).rises(share=0.03, least=1)


def test_one_step_of_a_figure_without_noise_is_no_slope() -> None:
    steps = [(15.0 * number, 10.0 + (number > 200)) for number in range(240)]
    assert not trend(steps).rises(share=0.05, least=3)


def test_all_faults_come_and_each_target_has_a_few_of_them() -> None:
    course = Course(list(FAULTS), 1, 60, 0.33)
    seen = [{course.at(target, 60.0 * minute) for minute in range(60)} for target in range(300)]
    assert set().union(*seen) == {"", *FAULTS}
    assert len(FAULTS) >= 16
    assert all(len(of_one) <= 5 for of_one in seen)


def test_the_log_is_counted_by_target() -> None:
    text = (
        'ts=1 level=warning msg="fetch failed" target=a:1 reason=closed\n'
        'ts=1 level=info msg="target is up" target=a:1\n'
        "ts=1 level=info msg=listening urls=x\n"
    )
    volume = LogVolume.of(text)
    assert (volume.lines, volume.by_target, volume.tracebacks) == (3, {"a:1": 2}, 0)
    assert volume.bytes == len(text)
