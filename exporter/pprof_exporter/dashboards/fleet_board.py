"""The dashboard of all targets: what is wrong, with which targets, and since when."""

from __future__ import annotations

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.dashboards.model import (
    ZERO_OR_CRITICAL,
    ZERO_OR_WARNING,
    Colour,
    Dashboard,
    Query,
    Row,
    bad_above,
    bad_below,
)
from pprof_exporter.dashboards.panels import (
    bars,
    coloured_cells,
    lines,
    merge_queries,
    stat,
    table,
    timeline,
    word_cells,
)
from pprof_exporter.dashboards.variables import (
    CHOSEN,
    COVERAGE,
    HEAP_FETCH,
    JOB,
    NO_INFO,
    REGRESSED,
    SERVICE,
    TARGET_VARIABLE,
    firing,
    worst_severity,
)

_MODES = f"{FAILURE_MODES[0].id} to {FAILURE_MODES[-1].id}"
_OF_TARGETS = firing('target!=""', NO_INFO)
_SEVERITY = worst_severity("target", "failure_mode", info=False)
_WORST = f"max by (target) ({worst_severity('target', info=False)} or 0 * max by (target) (pprof_up{{{CHOSEN}}}))"
_TO_TARGET = (
    "/d/pprof-target?${__url_time_range}&${datasource:queryparam}&${job:queryparam}&${service:queryparam}"
    "&var-target=${__data.fields.target}"
)
_LINK = {"links": [{"title": "Look into ${__data.fields.target}", "url": _TO_TARGET}]}


def _count(condition: str) -> str:
    """Number of targets that meet the condition, 0 included."""
    return f"count(group by (job, target) ({condition})) or vector(0)"


DASHBOARD = Dashboard(
    "pprof-fleet",
    "pprof: fleet",
    "The health of Go profiling on every target: what is wrong, with whom, and since when.",
    (JOB, SERVICE, TARGET_VARIABLE),
    (
        Row(
            "What is wrong now?",
            (
                stat("Targets", "Targets that the exporters watch.", f"count(pprof_up{{{CHOSEN}}}) or vector(0)"),
                stat(
                    "Not reachable",
                    "Targets whose pprof does not answer: down, wedged, or not mounted. Check them first: "
                    "no other data about them is available.",
                    _count(f"pprof_up{{{CHOSEN}}} == 0"),
                    limits=ZERO_OR_CRITICAL,
                ),
                stat(
                    "Worse since a change",
                    "Targets of which a signal is worse than before Windows, Go, the program or its modules changed. "
                    "The Upgrade dashboard has the figures.",
                    _count(REGRESSED),
                    limits=ZERO_OR_WARNING,
                ),
                stat(
                    "CPU samples missing",
                    "Targets whose CPU profiles account for too little of the CPU time that they used, by their load "
                    "and their past.",
                    _count(firing('alertname=~"PprofCpuCoverageLow|PprofCpuNoSamples|PprofCpuTimer64Hz"')),
                    limits=ZERO_OR_WARNING,
                ),
                stat(
                    "Slow endpoints",
                    "Targets with a profile that became slow to fetch.",
                    _count(firing('failure_mode=~"F5|F6|F7"', NO_INFO)),
                    limits=ZERO_OR_WARNING,
                ),
                stat(
                    "Growing",
                    "Targets whose goroutines leak or grow, or whose heap has grown for a day.",
                    _count(firing('failure_mode=~"F10|F12"', NO_INFO)),
                    limits=ZERO_OR_WARNING,
                ),
            ),
        ),
        Row(
            "Which targets, and since when?",
            (
                timeline(
                    "Worst alert of each target",
                    "One line for each of the 30 targets with the worst alerts. Purple marks above are upgrades. A "
                    "colour that begins at a mark shows the effect of the upgrade.",
                    Query(f"topk(30, {_WORST})", "{{target}}"),
                    height=10,
                ),
                table(
                    "Targets and failure modes",
                    f"Warnings and critical alerts that fire now, for each target and failure mode ({_MODES}, as in "
                    "docs/signals.md). A column "
                    "full of colour is one cause for all; a row full of colour is one target that needs help.",
                    Query(f"topk(200, {_SEVERITY})"),
                    columns=[("target\\failure_mode", "Target", 220, _LINK)],
                    transformations=[
                        {
                            "id": "groupingToMatrix",
                            "options": {
                                "columnField": "failure_mode",
                                "emptyValue": "empty",
                                "rowField": "target",
                                "valueField": "Value",
                            },
                        }
                    ],
                    width=12,
                    height=10,
                ),
                table(
                    "Alerts",
                    "Warnings and critical alerts that fire now, with the page that says what to do. The exporter "
                    "serves these pages itself.",
                    Query(f"count by (severity, alertname, target, profile, instance) ({_OF_TARGETS})"),
                    columns=[
                        ("severity", "Severity", 90, {}),
                        (
                            "alertname",
                            "Alert",
                            210,
                            {
                                "links": [
                                    {
                                        "title": "What to do",
                                        "url": "http://${__data.fields.instance}/runbooks/${__data.fields.alertname}"
                                        "?target=${__data.fields.target}",
                                    }
                                ]
                            },
                        ),
                        ("target", "Target", 200, _LINK),
                        ("profile", "Profile", 110, {}),
                    ],
                    transformations=merge_queries(
                        "Value", order=["severity", "alertname", "target", "profile", "instance"]
                    ),
                    sort_by="Severity",
                    descending=False,
                    width=12,
                    height=10,
                ),
            ),
        ),
        Row(
            "How does each target do?",
            (
                table(
                    "Targets",
                    "One row for each target: what it is, when it last changed, and the figures that matter. A click "
                    "on the target opens it.",
                    Query(
                        f"pprof_up{{{CHOSEN}}} == 0 or pprof_several_processes_info{{{CHOSEN}}} - 2"
                        f" or pprof_up{{{CHOSEN}}}"
                    ),
                    Query(f"max by (target, system, go_version) (pprof_target_info{{{CHOSEN}}})"),
                    Query(f"time() - max by (target) (pprof_last_change_timestamp_seconds{{{CHOSEN}}})"),
                    Query(f"max by (target) ({COVERAGE})"),
                    Query(f"max by (target) ({HEAP_FETCH})"),
                    Query(f"max by (target) (pprof_goroutines{{{CHOSEN}}})"),
                    Query(f"max by (target) (pprof_heap_inuse_bytes{{{CHOSEN}}})"),
                    Query(f"max by (target) (increase(pprof_restarts_total{{{CHOSEN}}}[1h]))"),
                    columns=[
                        ("target", "Target", 240, _LINK),
                        (
                            "Value #A",
                            "State",
                            150,
                            word_cells(
                                [
                                    (-1, "several processes", Colour.WARNING),
                                    (0, "down", Colour.CRITICAL),
                                    (1, "up", Colour.GOOD),
                                ]
                            ),
                        ),
                        ("system", "System", 90, {}),
                        ("go_version", "Go", 110, {}),
                        ("Value #C", "Changed ago", 120, {"unit": "s", "decimals": 0}),
                        (
                            "Value #D",
                            "CPU coverage",
                            120,
                            {
                                "unit": "percentunit",
                                **coloured_cells(bad_below("cpu_coverage_low", "cpu_coverage_very_low")),
                            },
                        ),
                        (
                            "Value #E",
                            "Heap fetch",
                            110,
                            {"unit": "s", **coloured_cells(bad_above("fetch_slow", "fetch_very_slow"))},
                        ),
                        ("Value #F", "Goroutines", 110, {"unit": "short"}),
                        ("Value #G", "Heap in use", 110, {"unit": "bytes"}),
                        ("Value #H", "Restarts in 1 h", 120, {"decimals": 0, **coloured_cells(bad_above("restarts"))}),
                    ],
                    transformations=merge_queries(
                        "Value #B",
                        "__name__",
                        "job",
                        "instance",
                        order=["target", "Value #A", "system", "go_version", "Value #C", "Value #D", "Value #E"],
                    ),
                    sort_by="State",
                    descending=False,
                    height=11,
                ),
            ),
        ),
        Row(
            "How did it go over time?",
            (
                lines(
                    "CPU coverage, worst ten",
                    "Share of the CPU time that samples account for. Healthy is 90 % and more above half a core; on "
                    "Linux less for short bursts. 64 % on Windows is the plain timer of Go 1.16 to 1.21.",
                    Query(f"bottomk(10, {COVERAGE})", "{{target}}"),
                    unit="percentunit",
                    limits=bad_below("cpu_coverage_low", "cpu_coverage_very_low"),
                ),
                lines(
                    "Heap fetches, slowest ten",
                    "Mean time to fetch a heap profile over half an hour. Milliseconds are healthy.",
                    Query(f"topk(10, {HEAP_FETCH})", "{{target}}"),
                    unit="s",
                    limits=bad_above("fetch_slow", "fetch_very_slow"),
                ),
                lines(
                    "Failed fetches by reason",
                    "Fetches a second that brought nothing, or nothing that is a profile; docs/reasons.md explains "
                    "each.",
                    Query(
                        f"sum by (reason) (rate(pprof_fetch_failures_total{{{CHOSEN}}}[$__rate_interval])) > 0"
                        f" or sum by (reason) (rate(pprof_decode_failures_total{{{CHOSEN}}}[$__rate_interval])) > 0"
                        " or vector(0)",
                        "{{reason}}",
                    ),
                    unit="reqps",
                    shades=Colour.WARNING,
                ),
                lines(
                    "Goroutines, largest ten",
                    "A line that only rises is a leak; one that follows traffic is not.",
                    Query(f"topk(10, pprof_goroutines{{{CHOSEN}}})", "{{target}}"),
                ),
            ),
        ),
        Row(
            "What runs out there?",
            (
                bars(
                    "Go versions",
                    "Targets by the version of Go that built them; + means at least.",
                    Query(f"count by (go_version) (pprof_target_info{{{CHOSEN}}})", "{{go_version}}", instant=True),
                    width=8,
                ),
                bars(
                    "Known bugs of Go",
                    "Targets by the bugs that their version is known to have. Upgrading Go is the way out.",
                    Query(
                        f"count by (bug, fixed_in) (pprof_known_bug_info{{{CHOSEN}}}) or vector(0)",
                        "{{bug}}: {{fixed_in}}",
                        instant=True,
                    ),
                    width=8,
                ),
                bars(
                    "Modules from elsewhere",
                    "Windows targets by modules in their process that belong neither to Windows nor to the program: "
                    "mostly security software.",
                    Query(
                        f"count by (module) (pprof_foreign_module_info{{{CHOSEN}}}) or vector(0)",
                        "{{module}}",
                        instant=True,
                    ),
                    width=8,
                ),
            ),
            collapsed=True,
        ),
    ),
    matchers=CHOSEN,
)
