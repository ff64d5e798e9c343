"""What Grafana needs of a dashboard, what its linter asks for, and what only a rendering showed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard as Model

from pprof_exporter.catalog.thresholds import THRESHOLDS
from pprof_exporter.dashboards import DASHBOARDS, Dashboard, Panel, dashboard_json
from tests.lab import PROJECT

TYPES = {"stat", "timeseries", "state-timeline", "status-history", "table", "heatmap", "bargauge", "gauge", "text"}
# Of Grafana's list (packages/grafana-data, valueFormats), those that are in use here.
UNITS = {"short", "s", "bytes", "Bps", "reqps", "percentunit", "dateTimeAsIso"}

each = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)


def drawn(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Every panel of the JSON, also those inside a collapsed row."""
    found: list[dict[str, Any]] = []
    for panel in dashboard_json(dashboard)["panels"]:
        found += panel["panels"] if panel["type"] == "row" else [panel]
    return found


def panels(dashboard: Dashboard) -> Iterator[Panel]:
    return (panel for row in dashboard.rows for panel in row.panels)


def variables(dashboard: Dashboard) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in dashboard_json(dashboard)["templating"]["list"]}


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """What a value has that another one lacks."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before:
            yield from lost(before[key], after[key], f"{path}.{key}") if key in after else [f"{path}.{key}"]
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{index}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


@each
def test_grafanas_own_model_knows_every_key(dashboard: Dashboard) -> None:
    ours = dashboard_json(dashboard)
    theirs = json.loads(json.dumps(Model.from_json(ours), cls=JSONEncoder))
    assert list(lost(ours, theirs)) == []


@each
def test_it_imports_and_provisions_from_the_same_file(dashboard: Dashboard) -> None:
    rendered = dashboard_json(dashboard)
    assert rendered["uid"] == dashboard.uid
    assert len(dashboard.uid) <= 40
    assert rendered["schemaVersion"] == 41
    assert not {"__inputs", "__requires", "id"} & set(rendered)


def test_uids_and_titles_differ() -> None:
    assert len({one.uid for one in DASHBOARDS}) == len({one.title for one in DASHBOARDS}) == len(DASHBOARDS) == 4


@each
def test_panels_have_numbers_of_their_own_and_do_not_overlap(dashboard: Dashboard) -> None:
    rows = [panel["id"] for panel in dashboard_json(dashboard)["panels"] if panel["type"] == "row"]
    numbers = [*rows, *(panel["id"] for panel in drawn(dashboard))]
    assert len(set(numbers)) == len(numbers)
    taken: set[tuple[int, int]] = set()
    for panel in drawn(dashboard):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@each
def test_a_row_leaves_no_hole(dashboard: Dashboard) -> None:
    for row in dashboard.rows:
        assert sum(panel.width for panel in row.panels) % 24 == 0, row.title


@each
def test_it_is_no_wall_of_panels(dashboard: Dashboard) -> None:
    assert len(list(panels(dashboard))) <= 25
    assert len([panel for panel in dashboard.rows[0].panels if panel.type == "stat"]) <= 6
    assert all(row.title.endswith("?") or row.collapsed for row in dashboard.rows)


@each
def test_links_keep_time_and_variables_and_lead_to_dashboards_that_are_shipped(dashboard: Dashboard) -> None:
    rendered = dashboard_json(dashboard)
    (link,) = rendered["links"]
    assert (link["keepTime"], link["includeVars"], link["tags"]) == (True, True, rendered["tags"])
    assert set(re.findall(r"/d/([\w-]+)", json.dumps(rendered))) <= {one.uid for one in DASHBOARDS}


@each
def test_every_panel_says_what_it_is_and_what_to_conclude(dashboard: Dashboard) -> None:
    for panel in panels(dashboard):
        assert panel.title
        assert panel.description.endswith("."), panel.title
        assert panel.unit in UNITS, panel.title
        assert panel.type in TYPES, panel.title
        assert panel.queries, panel.title


@each
def test_choices_are_as_the_linter_wants_them(dashboard: Dashboard) -> None:
    chosen = variables(dashboard)
    assert chosen["datasource"]["type"] == "datasource"
    for name, variable in chosen.items():
        assert variable["label"], name
        if variable["type"] != "query":
            continue
        assert variable["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert variable["refresh"] == 2, f"{name} has to follow the time range"
        assert bool(variable.get("allValue")) == variable["includeAll"]
    assert chosen["job"]["multi"]
    assert chosen["job"]["allValue"] == ".+"


@each
def test_every_query_asks_the_chosen_source_for_what_is_chosen(dashboard: Dashboard) -> None:
    for panel in drawn(dashboard):
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            for selector in re.findall(r"(?:pprof_|target\w*:|process_|ALERTS)[\w:]*(\{[^}]*\})?", target["expr"]):
                assert 'job=~"$job"' in selector, target["expr"]


@each
def test_ranges_follow_the_step_or_are_the_rules_own(dashboard: Dashboard) -> None:
    for panel in panels(dashboard):
        for query in panel.queries:
            ranges = set(re.findall(r"\[([^\]]+)\]", query.expr))
            assert ranges <= {"$__rate_interval", "10m", "15m", "30m", "1h"}, panel.title


@each
def test_healthy_is_a_zero_in_green_and_never_no_data(dashboard: Dashboard) -> None:
    for panel in panels(dashboard):
        if panel.type == "stat" and panel.queries[0].expr.startswith("count"):
            assert panel.queries[0].expr.endswith("or vector(0)"), panel.title


@each
def test_timelines_have_fixed_colours(dashboard: Dashboard) -> None:
    # With mappings, color.mode thresholds paints everything green.
    for panel in drawn(dashboard):
        if panel["type"] in ("state-timeline", "status-history"):
            defaults = panel["fieldConfig"]["defaults"]
            assert defaults["color"]["mode"] == "fixed"
            assert all("color" in option for option in defaults["mappings"][0]["options"].values())
            assert panel["interval"], "else there are too many points"


@each
def test_overrides_go_by_query_where_names_have_variables(dashboard: Dashboard) -> None:
    for panel in drawn(dashboard):
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["id"] in ("byFrameRefID", "byName")
            if override["matcher"]["id"] == "byName":
                assert "$" not in override["matcher"]["options"]


@each
def test_times_are_milliseconds(dashboard: Dashboard) -> None:
    for panel in panels(dashboard):
        if "dateTimeAsIso" in json.dumps([panel.unit, list(panel.overrides)]):
            assert all("* 1000" in query.expr for query in panel.queries), panel.title


def test_before_and_after_opens_on_the_newest_change() -> None:
    (upgrade,) = [one for one in DASHBOARDS if one.uid == "pprof-upgrade"]
    target = variables(upgrade)["target"]
    assert target["query"]["query"].startswith("query_result(sort_desc(max by (target) (pprof_last_change_")
    assert (target["sort"], target["multi"], target["includeAll"]) == (0, False, False)


@each
def test_columns_of_tables_have_widths(dashboard: Dashboard) -> None:
    for panel in drawn(dashboard):
        if panel["type"] == "table":
            widths = [
                entry["value"]
                for override in panel["fieldConfig"]["overrides"]
                for entry in override["properties"]
                if entry["id"] == "custom.width"
            ]
            assert widths
            assert sum(widths) <= 1600 * panel["gridPos"]["w"] / 24, panel["title"]


@each
def test_numbers_are_not_covered_by_their_graph(dashboard: Dashboard) -> None:
    for panel in drawn(dashboard):
        if panel["type"] == "stat":
            assert panel["options"]["graphMode"] == "none" or panel["gridPos"]["h"] >= 5


@each
def test_legends_are_lists_and_colours_no_rainbow(dashboard: Dashboard) -> None:
    for panel in drawn(dashboard):
        if panel["type"] == "timeseries":
            assert panel["options"]["legend"]["displayMode"] == "list"
            assert panel["fieldConfig"]["defaults"]["color"]["mode"] in ("shades", "fixed")


@each
def test_limits_of_panels_are_those_of_the_alerts(dashboard: Dashboard) -> None:
    known = {threshold.value for threshold in THRESHOLDS}
    # Counts of what should not be begin at one; a ratio that halved is one that doubled, seen from the other side.
    known |= {1} | {1 / value for value in known if value}
    for panel in panels(dashboard):
        if panel.limits:
            assert {value for value, _ in panel.limits.steps} <= known, panel.title


@each
def test_upgrades_are_marked_and_alerts_on_request(dashboard: Dashboard) -> None:
    marks = {mark["name"]: mark for mark in dashboard_json(dashboard)["annotations"]["list"]}
    if dashboard.matchers:
        assert (marks["Upgrades"]["enable"], marks["Alerts"]["enable"]) == (True, False)
        assert "* 1000" in marks["Upgrades"]["expr"]


def test_what_people_provision_is_what_is_shipped() -> None:
    files = {file.stem for file in (PROJECT / "grafana" / "dashboards").glob("*.json")}
    assert files == {one.uid for one in DASHBOARDS}
