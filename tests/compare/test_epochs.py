"""What a metrics page of the exporter tells of its two epochs, and what it cannot tell."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog.regressions import ALLOCATION, GC_SHARE, SAMPLED_PROCESSORS, USED_PROCESSORS
from pprof_exporter.compare.epochs import NoEpochs, compare_epochs
from pprof_exporter.compare.report import ChangeVerdict, ComparisonMethod, ComparisonReport
from pprof_exporter.store import Change

CHANGED = 1_790_000_000.0
MEDIANS = {
    "fetch_duration_seconds:heap": (0.04, 0.4),
    "fetch_duration_seconds:goroutine": (0.003, 0.004),
    "cpu_coverage_ratio": (0.98, 0.64),
    "tick_rate_hertz": (100, 64),
    "truncated_stack_ratio:heap": (0.1, 0.5),
    "profile_clock_skew_seconds:heap": (0.01, 0.3),
}


def page(
    count: int = 30, *, target: str = "shop:6060", processors: float = 1.0, go_changed: float | None = None
) -> str:
    of = f'target="{target}"'
    lines = [
        f'pprof_target_info{{{of},system="windows",program="shop",build="b",go_version="1.24.11"}} 1',
        f'pprof_last_change_timestamp_seconds{{{of},change="operating_system"}} {CHANGED}',
        f'pprof_last_change_timestamp_seconds{{{of},change="modules"}} {CHANGED - 86400}',
        f'pprof_last_change_info{{{of},change="operating_system",from="ntdll.dll 1",to="ntdll.dll 2"}} 1',
        f"pprof_tick_audit_busy_processors{{{of}}} {processors}",
    ]
    if go_changed is not None:
        lines.append(f'pprof_last_change_timestamp_seconds{{{of},change="go"}} {go_changed}')
    for signal, values in MEDIANS.items():
        for epoch, value in zip(("before", "now"), values, strict=True):
            labels = f'{of},signal="{signal}",epoch="{epoch}"'
            lines += [f"pprof_signal_median{{{labels}}} {value}", f"pprof_signal_observations{{{labels}}} {count}"]
    return "\n".join(lines) + "\n"


def verdicts(report: ComparisonReport) -> dict[str, ChangeVerdict]:
    return {signal.signal: signal.verdict for signal in report.signals}


def test_medians_are_judged_as_the_alert_has_it_and_the_report_says_so() -> None:
    report = compare_epochs(page(), "http://exporter:9717/metrics")
    assert report.method is ComparisonMethod.EPOCHS
    assert report.verdict is ChangeVerdict.WORSE
    assert verdicts(report) == {
        "fetch_duration_seconds:heap": ChangeVerdict.WORSE,
        "cpu_coverage_ratio": ChangeVerdict.WORSE,
        "tick_rate_hertz": ChangeVerdict.WORSE,
        "truncated_stack_ratio:heap": ChangeVerdict.WORSE,
        "fetch_duration_seconds:goroutine": ChangeVerdict.SAME,
        "profile_clock_skew_seconds:heap": ChangeVerdict.NOT_JUDGED,
    }
    assert all(signal.p is None for signal in report.signals)
    assert "no rank test" in report.limits[0]


def test_what_changed_last_is_named_with_the_times_that_are_known() -> None:
    (pair,) = compare_epochs(page(), "x").pairs
    (system,) = pair.replaced
    assert system.change is Change.OPERATING_SYSTEM
    assert system.parts == (("modules", "ntdll.dll 1", "ntdll.dll 2"), ("seen", "", "2026-09-21 14:13:20 UTC"))


def test_both_versions_are_named() -> None:
    go = 'pprof_last_change_info{target="shop:6060",change="go",from="1.21.13",to="1.24.11"} 1\n'
    (pair,) = compare_epochs(page(go_changed=CHANGED) + go, "x").pairs
    assert (pair.before.go_version, pair.after.go_version) == ("1.21.13", "1.24.11")
    assert ("Go", "1.21.13", "1.24.11") in [part for one in pair.replaced for part in one.parts]


def test_a_change_without_values_of_both_sides_is_named_and_undecided() -> None:
    known = (
        'pprof_target_info{target="shop:6060",system="linux",program="p",build="b",go_version="1.27.3"} 1\n'
        'pprof_last_change_timestamp_seconds{target="shop:6060",change="go"} 1790000000\n'
        'pprof_last_change_info{target="shop:6060",change="go",from="1.24.11",to="1.27.3"} 1\n'
    )
    report = compare_epochs(known, "x")
    assert report.verdict is ChangeVerdict.UNSURE
    assert (report.pairs[0].before.go_version, report.pairs[0].after.go_version) == ("1.24.11", "1.27.3")


@pytest.mark.parametrize(
    ("control", "verdict"), [(1.0, ChangeVerdict.WORSE), (4.9, ChangeVerdict.WORSE), (5.1, ChangeVerdict.SAME)]
)
def test_a_latency_is_judged_against_targets_that_were_not_upgraded(control: float, verdict: ChangeVerdict) -> None:
    series = f'pprof_signal_control_ratio{{target="shop:6060",signal="fetch_duration_seconds:heap"}} {control}\n'
    report = compare_epochs(page() + series, "x")
    assert verdicts(report)["fetch_duration_seconds:heap"] is verdict
    assert any("not upgraded" in signal.why for signal in report.signals)


def test_too_few_values_tell_nothing() -> None:
    report = compare_epochs(page(count=2), "x")
    assert report.verdict is ChangeVerdict.UNSURE
    assert set(verdicts(report).values()) == {ChangeVerdict.UNSURE, ChangeVerdict.NOT_JUDGED}


def test_an_audit_of_a_target_at_rest_tells_nothing() -> None:
    assert verdicts(compare_epochs(page(processors=0.2), "x"))["tick_rate_hertz"] is ChangeVerdict.UNSURE


def test_what_the_version_of_go_sets_is_not_blamed_on_anything() -> None:
    report = compare_epochs(page(go_changed=CHANGED - 60), "x")
    assert verdicts(report)["truncated_stack_ratio:heap"] is ChangeVerdict.UNSURE
    assert [one.change for one in report.pairs[0].replaced] == [Change.OPERATING_SYSTEM, Change.GO]


def test_one_target_can_be_chosen() -> None:
    both = page() + page(target="till:6060")
    assert [pair.name for pair in compare_epochs(both, "x").pairs] == ["shop:6060", "till:6060"]
    assert [pair.name for pair in compare_epochs(both, "x", target="till:6060").pairs] == ["till:6060"]
    with pytest.raises(NoEpochs, match=r"unknown target 'tills'; choose from shop:6060, till:6060"):
        compare_epochs(both, "x", target="tills")


def test_a_target_that_was_never_replaced_has_nothing_to_compare() -> None:
    new = 'pprof_target_info{target="new",system="linux",program="p",build="b",go_version="1.27.3"} 1\n'
    with pytest.raises(NoEpochs, match="no target has a previous epoch"):
        compare_epochs(new, "x")
    assert compare_epochs(page() + new, "x").alone == ("new has no previous epoch.",)


@pytest.mark.parametrize(
    "text", ["", "up 1\n", "<!doctype html><title>Shop</title>", "pprof_signal_median{ 1\n", "a{b=}\0"]
)
def test_another_page_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NoEpochs, match=r"not a .*metrics page"):
        compare_epochs(text, "x")


def resource(signal: str, before: float, now: float, **ratios: float) -> str:
    of = f'target="shop:6060",signal="{signal}"'
    lines = [f"pprof_signal_{name}_ratio{{{of}}} {value}" for name, value in ratios.items()]
    for epoch, value in (("before", before), ("now", now)):
        lines += [
            f'pprof_signal_median{{{of},epoch="{epoch}"}} {value}',
            f'pprof_signal_observations{{{of},epoch="{epoch}"}} 30',
        ]
    return page() + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "signal", "verdict"),
    [
        (resource(ALLOCATION, 2e7, 8e7, load=1.1), ALLOCATION, ChangeVerdict.WORSE),
        (resource(ALLOCATION, 2e7, 8e7, load=2.5), ALLOCATION, ChangeVerdict.UNSURE),
        (resource(ALLOCATION, 2e7, 8e7, load=2.5, control=1.0), ALLOCATION, ChangeVerdict.WORSE),
        (resource(ALLOCATION, 2e7, 8e7), ALLOCATION, ChangeVerdict.UNSURE),
        (resource(ALLOCATION, 2e7, 2.5e7), ALLOCATION, ChangeVerdict.SAME),
        (resource(ALLOCATION, 8e7, 2e7, load=1.0), ALLOCATION, ChangeVerdict.BETTER),
        (resource(USED_PROCESSORS, 0.5, 2.0, load=4.0), USED_PROCESSORS, ChangeVerdict.UNSURE),
        (resource(USED_PROCESSORS, 0.5, 2.0, load=4.0, control=1.2), USED_PROCESSORS, ChangeVerdict.WORSE),
        (resource(GC_SHARE, 0.05, 0.3), GC_SHARE, ChangeVerdict.WORSE),
        (resource(SAMPLED_PROCESSORS, 0.5, 2.0), SAMPLED_PROCESSORS, ChangeVerdict.NOT_JUDGED),
    ],
)
def test_what_follows_the_load_is_judged_against_it(text: str, signal: str, verdict: ChangeVerdict) -> None:
    report = compare_epochs(text, "x")
    assert verdicts(report)[signal] is verdict
    assert signal in [one.signal for one in report.pairs[0].figures]
