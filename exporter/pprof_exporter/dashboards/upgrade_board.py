"""The dashboard of upgrades: what changed, and each signal before and after."""

from __future__ import annotations

from pprof_exporter.catalog.thresholds import THRESHOLDS_BY_NAME
from pprof_exporter.dashboards.model import Colour, ColourSteps, Dashboard, DashboardVariable, Query, Row, bad_above
from pprof_exporter.dashboards.panels import bars, coloured_cells, heatmap, lines, merge_queries, stat, table
from pprof_exporter.dashboards.variables import CHANGED_TARGET, CHOSEN, COVERAGE, HEAP_FETCH, JOB, REGRESSED, SERVICE

_FACTOR = THRESHOLDS_BY_NAME["regression_factor"].value
_RATIO = ColourSteps(Colour.BEFORE, ((1 / _FACTOR, Colour.UNKNOWN), (_FACTOR, Colour.WARNING)))
"""Half or less, about the same, twice or more. Whether less or more is bad depends on the signal."""
_SHIFT = DashboardVariable(
    "shift", "Compare with", "", all_value="", multi=False, options=("1d", "1h", "6h", "12h", "2d", "7d")
)
_FLEET = 'job=~"$job",service=~"$service"'


def _changes(matchers: str, *labels: str) -> str:
    """Times of the latest changes by these labels, with the values before and after where the exporter has them."""
    by = ", ".join(labels)
    info, time = f"pprof_last_change_info{{{matchers}}}", f"pprof_last_change_timestamp_seconds{{{matchers}}}"
    return (
        f"(max by ({by}, from, to) ({info} * on (job, instance, target, change) group_left () {time})"
        f" or on ({by}) max by ({by}) ({time}))"
    )


def _overlay(expression: str) -> tuple[Query, Query]:
    """The same series at the chosen offset and now; `expression` has `{shift}` after every selector."""
    return (
        Query(expression.replace("{shift}", " offset $shift"), "$shift earlier", colour=Colour.BEFORE),
        Query(expression.replace("{shift}", ""), "now", colour=Colour.NOW),
    )


DASHBOARD = Dashboard(
    "pprof-upgrade",
    "pprof: upgrade",
    "What changed about a target, and what the change did to each signal.",
    (JOB, SERVICE, CHANGED_TARGET, _SHIFT),
    (
        Row(
            "What changed?",
            (
                stat(
                    "Worse signals",
                    "Signals whose median is worse than before the change, by the measures of PprofUpgradeRegression. "
                    "Zero is what one hopes for.",
                    f"count({REGRESSED}) or vector(0)",
                    limits=ColourSteps(Colour.GOOD, ((1, Colour.WARNING),)),
                ),
                table(
                    "Changes",
                    "When Windows, Go, the program or modules from elsewhere were last seen to change, from what, to "
                    "what. Empty: nothing changed since the exporter began to watch.",
                    Query(f"{_changes(CHOSEN, 'change')} * 1000"),
                    columns=[
                        ("change", "What changed", 140, {}),
                        ("from", "From", 220, {}),
                        ("to", "To", 220, {}),
                        ("Value", "When", 180, {"unit": "dateTimeAsIso"}),
                    ],
                    transformations=merge_queries(order=["change", "from", "to", "Value"]),
                    sort_by="When",
                    width=12,
                    height=6,
                ),
                table(
                    "What it is now",
                    "According to the profiles and the metrics page of the target.",
                    Query(f"group by (system, program, build, go_version) (pprof_target_info{{{CHOSEN}}})"),
                    columns=[
                        ("system", "System", 90, {}),
                        ("program", "Program", 150, {}),
                        ("build", "Build", 140, {}),
                        ("go_version", "Go", 110, {}),
                    ],
                    transformations=merge_queries("Value", order=["system", "program", "build", "go_version"]),
                    width=8,
                    height=6,
                ),
            ),
        ),
        Row(
            "What did it do?",
            (
                table(
                    "Each signal, before and now",
                    "Medians before and since the latest change, and their ratio. Latencies and shares that doubled "
                    "are worse; a coverage or a tick rate that fell is worse. Control is the ratio on targets without "
                    "an upgrade, Load that of the CPU time of this one: what rose there too has another cause. Few "
                    "observations prove little. The name of a signal ends with its unit.",
                    Query(f'max by (signal) (pprof_signal_median{{epoch="before",{CHOSEN}}})'),
                    Query(f'max by (signal) (pprof_signal_median{{epoch="now",{CHOSEN}}})'),
                    Query(f"max by (signal) (pprof_signal_change_ratio{{{CHOSEN}}})"),
                    Query(f"max by (signal) (pprof_signal_control_ratio{{{CHOSEN}}})"),
                    Query(f"max by (signal) (pprof_signal_load_ratio{{{CHOSEN}}})"),
                    Query(f"min by (signal) (min without (epoch) (pprof_signal_observations{{{CHOSEN}}}))"),
                    columns=[
                        ("signal", "Signal", 340, {}),
                        ("Value #A", "Before", 140, {"unit": "short", "decimals": 3}),
                        ("Value #B", "Now", 140, {"unit": "short", "decimals": 3}),
                        ("Value #C", "Ratio", 120, {"decimals": 2, **coloured_cells(_RATIO)}),
                        ("Value #D", "Control", 120, {"decimals": 2}),
                        ("Value #E", "Load", 100, {"decimals": 2}),
                        ("Value #F", "Observations", 130, {}),
                    ],
                    transformations=merge_queries(
                        order=["signal", "Value #A", "Value #B", "Value #C", "Value #D", "Value #E", "Value #F"]
                    ),
                    sort_by="Ratio",
                    height=12,
                ),
            ),
        ),
        Row(
            "How did it look then, and how does it look now?",
            (
                lines(
                    "Heap fetches",
                    "Mean time to fetch a heap profile over half an hour, now and as long ago as chosen at the top.",
                    *_overlay(f"max({HEAP_FETCH}{{shift}})"),
                    unit="s",
                    limits=bad_above("fetch_slow"),
                    width=8,
                ),
                lines(
                    "CPU coverage",
                    "Share of the CPU time that samples account for, now and then.",
                    *_overlay(f"max({COVERAGE}{{shift}})"),
                    unit="percentunit",
                    width=8,
                ),
                lines(
                    "Canary",
                    "Mean time of a request that costs nothing, now and then.",
                    *_overlay(
                        f"sum(rate(pprof_canary_duration_seconds_sum{{{CHOSEN}}}[15m]{{shift}}))"
                        f" / sum(rate(pprof_canary_duration_seconds_count{{{CHOSEN}}}[15m]{{shift}}))"
                    ),
                    unit="s",
                    width=8,
                ),
            ),
        ),
        Row(
            "Does the sampling clock tick as before?",
            (
                heatmap(
                    "Intervals between ticks",
                    "Every audit of the sampling clock adds its intervals. One band at 10 ms is healthy; one at 15.6 "
                    "ms is the plain timer of Windows; bands further up are delays.",
                    f"sum by (le) (increase(pprof_tick_interval_seconds_bucket{{{CHOSEN}}}[$__rate_interval]))",
                    width=12,
                ),
                bars(
                    "The latest audit",
                    "Statistics of the intervals in the latest audit. Mean and median near 10 ms, a stddev below 5 ms.",
                    Query(
                        f"max by (statistic) (pprof_tick_interval_statistic_seconds{{{CHOSEN}}})",
                        "{{statistic}}",
                        instant=True,
                    ),
                    unit="s",
                ),
            ),
        ),
        Row(
            "What is in the process?",
            (
                table(
                    "Windows modules",
                    "When the files of Windows' core modules were changed: its updates change them.",
                    Query(f"max by (module) (pprof_system_module_timestamp_seconds{{{CHOSEN}}}) * 1000 or vector(0)"),
                    columns=[("module", "Module", 180, {}), ("Value", "Changed", 190, {"unit": "dateTimeAsIso"})],
                    transformations=merge_queries(order=["module", "Value"]),
                    sort_by="Changed",
                    width=6,
                    height=8,
                ),
                bars(
                    "Modules from elsewhere",
                    "Modules that belong neither to Windows nor to the program, as a count of targets; none is drawn "
                    "as zero.",
                    Query(
                        f"count by (module) (pprof_foreign_module_info{{{CHOSEN}}}) or vector(0)",
                        "{{module}}",
                        instant=True,
                    ),
                    width=6,
                ),
                table(
                    "Who else changed?",
                    "Every target that changed within the last week, the newest first. Many at once is an upgrade of "
                    "them all.",
                    Query(f"time() - {_changes(_FLEET, 'target', 'change')} < 604800"),
                    columns=[
                        ("target", "Target", 180, {}),
                        ("change", "What changed", 130, {}),
                        ("from", "From", 190, {}),
                        ("to", "To", 190, {}),
                        ("Value", "Ago", 90, {"unit": "s", "decimals": 0}),
                    ],
                    transformations=merge_queries(order=["target", "change", "from", "to", "Value"]),
                    sort_by="Ago",
                    descending=False,
                    width=12,
                    height=8,
                ),
            ),
            collapsed=True,
        ),
    ),
    matchers=CHOSEN,
    hours=48,
)
