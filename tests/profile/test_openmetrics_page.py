"""The few families are read from real pages and hostile ones; what is absent is None."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import DecodeError, openmetrics_page
from pprof_exporter.profile.openmetrics_page import TargetMetrics
from tests.lab.prometheus import check_metrics
from tests.profile.made import refusal

RECORDINGS = Path(__file__).parents[1] / "recordings"
PROGRAMS = sorted(folder.parent.name for folder in RECORDINGS.glob("*-go1.*/metrics.txt"))
PAGE = (RECORDINGS / "linux-go1.27.3" / "metrics.txt").read_text()
NOTHING = TargetMetrics(None, None, None, None, None)

OPENMETRICS = """\
# TYPE process_cpu_seconds counter
# UNIT process_cpu_seconds seconds
process_cpu_seconds_total 12.5 1795470624.3 # {trace_id="a}b"} 0.5
process_cpu_seconds_created 1795470000.1
# TYPE go info
go_info{version="go1.27.3"} 1.0
# TYPE go_goroutines gauge
go_goroutines 7 1795470624.3
# EOF
"""


def read_page(text: str, *, cpu_family: str = openmetrics_page.CPU_SECONDS) -> TargetMetrics:
    """Read a page in UTF-8."""
    return openmetrics_page.read_page(text.encode(), cpu_family=cpu_family)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_recorded_page_is_read(program: str) -> None:
    file = RECORDINGS / program / "metrics.txt"
    page = read_page(file.read_text())
    about = json.loads((file.parent / "MANIFEST.json").read_text())
    entry = about["files"][file.name]
    assert page.go_version == about["about"]["go"] == program.partition("-")[2]
    assert page.goroutines == entry["goroutines"]
    assert page.gomaxprocs == 2
    assert page.cpu_seconds is not None
    assert 0 < page.cpu_seconds < 1
    assert page.start_time is not None
    assert 0 <= entry["started_unix_nanos"] / 1e9 - page.start_time < 60


def test_openmetrics_is_read_with_time_stamps_and_exemplars() -> None:
    assert read_page(OPENMETRICS) == TargetMetrics(12.5, None, "go1.27.3", None, 7)


def test_the_cpu_family_can_be_another_one_and_split_by_mode() -> None:
    text = 'cpu_time_total{mode="user"} 1.5\ncpu_time_total{mode="system"} 0.5\ncpu_time_total_other 9\n'
    assert read_page(text, cpu_family="cpu_time_total").cpu_seconds == 2
    assert read_page(text) == NOTHING


def test_what_is_told_twice_is_not_known() -> None:
    text = (
        'go_goroutines{app="a"} 1\ngo_goroutines{app="b"} 2\ngo_info{version="go1.1"} 1\ngo_info{version="go1.2"} 1\n'
    )
    assert read_page(text) == NOTHING


def test_cpu_time_that_comes_twice_is_not_added_up() -> None:
    assert read_page("process_cpu_seconds_total 12.5\n" * 2).cpu_seconds is None


GO_PAGE = """# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
go_info{version="go1.27.3"} 1
"""
BORDER: dict[str, tuple[str, bool, bool]] = {
    # What promtool says, and whether the page is read here.
    "as it is": (GO_PAGE, True, True),
    "time stamps": (GO_PAGE.replace("12.5", "12.5 1795470624300"), True, True),
    "blanks": (GO_PAGE.replace("_total 12", "_total \t 12").replace("go_info{", "  go_info {"), True, True),
    "a comma at the end": (GO_PAGE.replace('3"}', '3",}'), True, True),
    "exponents": (GO_PAGE.replace("12.5", "1.25e+01"), True, True),
    "comments and empty lines": ("#\n# hello\n\n" + GO_PAGE, True, True),
    "the end of OpenMetrics": (GO_PAGE + "# EOF\n", True, True),
    "carriage returns": (GO_PAGE.replace("\n", "\r\n"), False, True),
    "no line end at the end": (GO_PAGE.rstrip(), False, True),
    "an exemplar": (GO_PAGE.replace("12.5", '12.5 # {trace_id="a"} 1'), False, True),
    "a name in quotes beside": ('{"http.server.duration",le="1"} 3\n' + GO_PAGE, False, True),
    "a byte order mark": ("\ufeff" + GO_PAGE, False, False),
    "a number in hexadecimal": (GO_PAGE.replace("12.5", "0x1p4"), False, False),
    "a number with an underscore": (GO_PAGE.replace("12.5", "1_2.5"), False, False),
    "no value": (GO_PAGE.replace(" 12.5", ""), False, False),
    "a label twice": (GO_PAGE.replace('3"}', '3",version="x"}'), False, False),
    "single quotes": (GO_PAGE.replace('"', "'"), False, False),
    "a line of words": ("this is { no metric\n" + GO_PAGE, False, False),
    "HTML": ("<html>", False, False),
}


@pytest.mark.lab
def test_what_promtool_reads_is_read_and_more_only_where_nothing_is_unclear() -> None:
    accepted = {name: "parsing error" not in check_metrics(page) for name, (page, _, _) in BORDER.items()}
    assert accepted == {name: promtool for name, (_, promtool, _) in BORDER.items()}
    read = {}
    for name, (page, _, _) in BORDER.items():
        with contextlib.suppress(DecodeError):
            found = read_page(page)
            assert (found.cpu_seconds, found.go_version) == (12.5, "go1.27.3"), name
            read[name] = True
    assert {name: name in read for name in BORDER} == {name: ours for name, (_, _, ours) in BORDER.items()}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "9" * 400])
def test_what_is_no_sensible_number_is_not_known(value: str) -> None:
    assert read_page(f"process_cpu_seconds_total {value}\ngo_goroutines {value}\n") == NOTHING


def test_a_page_without_these_families_gives_nothing() -> None:
    assert read_page("# HELP up Up.\n# TYPE up gauge\nup 1\n") == NOTHING
    assert read_page("# only remarks\n") == NOTHING
    assert read_page("up 1\n", cpu_family="no name {") == NOTHING


def test_faults_of_other_families_do_not_matter() -> None:
    assert read_page('up 1\nbroken{a="b} what\n' + PAGE) == read_page(PAGE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.EMPTY),
        ("\n\n", Reason.EMPTY),
        ("<!DOCTYPE html><title>Sign in</title>", Reason.HTML),
        ("404 page not found\n", Reason.TEXT),
        ('{"memstats": {"Alloc": 1}}', Reason.TEXT),
        ("up 1\nprocess_cpu_seconds_total\t\n", Reason.INVALID),
        ("up 1\nprocess_cpu_seconds_total many\n", Reason.INVALID),
        ('up 1\ngo_info{version="go1.27.3} 1\n', Reason.INVALID),
        (f'up 1\ngo_info{{version="{"x" * 5000}"}} 1\n', Reason.INVALID),
        ("up 1\n" + 'process_cpu_seconds_total{mode="user"} 1\n' * 300, Reason.INVALID),
    ],
)
def test_other_pages_and_faults_are_refused_by_name(text: str, reason: Reason) -> None:
    assert refusal(read_page, text).reason is reason


@pytest.mark.parametrize(
    "text",
    [
        PAGE + 'http_requests_total{path="/a",code="200"} 1\n' * 100_000,
        "up 1\n" + " " * 3_000_000,
        "up 1\n" + "go_info" * 400_000,
        "up 1\n" + "{" * 3_000_000,
        " " * 3_000_000 + "#",
    ],
    ids=["many lines", "blanks", "names", "braces", "indented"],
)
def test_a_large_page_costs_little(text: str) -> None:
    began = time.process_time()
    read_page(text)
    assert time.process_time() - began < 2


@given(
    st.text()
    | st.text('{}",=\\ #1.e+-N\n\tversion_').map(lambda text: "up 1\ngo_info" + text)
    | st.tuples(st.integers(0, len(PAGE)), st.text(max_size=4), st.integers(0, 9)).map(
        lambda cut: PAGE[: cut[0]] + cut[1] + PAGE[cut[0] + cut[2] :]
    )
)
def test_damage_raises_nothing_but_decode_errors(text: str) -> None:
    with contextlib.suppress(DecodeError):
        read_page(text)
