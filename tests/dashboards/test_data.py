"""Every panel has something to show, quickly, of one target and of two hundred, whatever happened to them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pprof_exporter.dashboards import DASHBOARDS, Dashboard, Panel, dashboard_json
from tests.dashboards.asking import Span, asked, panels
from tests.dashboards.history import STEP, History, simulated, write_blocks
from tests.lab import prometheus
from tests.lab.debian import Suite
from tests.lab.prometheus import Prometheus

pytestmark = pytest.mark.lab

SCENES: tuple[tuple[Suite, bool, int], ...] = (
    ("stable", True, 1),
    ("stable", False, 1),
    ("stable", True, 200),
    ("sid", True, 1),
)
"""Generation of Prometheus, whether there was an upgrade, and how many targets."""
HOURS = 2.0
# Four times the interval between two samples, as Grafana works it out.
VARIABLES = {
    "$__rate_interval": "20m",
    "$shift": "1h",
    "$job": ".+",
    "$service": ".*",
    "$instance": ".+",
    "$target": "shop:6060",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A Prometheus with a history in it."""

    server: Prometheus
    span: Span
    upgraded: bool


def histories() -> list[Any]:
    return [
        pytest.param((suite, upgrade, targets), id=f"{suite}-{'upgrade' if upgrade else 'healthy'}-{targets}")
        for suite, upgrade, targets in SCENES
    ]


@pytest.fixture(scope="module")
def simulations() -> dict[bool, History]:
    return {upgrade: asyncio.run(simulated(hours=HOURS, upgrade=upgrade)) for upgrade in (True, False)}


@pytest.fixture(scope="module", params=histories())
def scene(
    request: pytest.FixtureRequest, simulations: dict[bool, History], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    suite, upgrade, targets = request.param
    folder = tmp_path_factory.mktemp("blocks")
    history = simulations[upgrade]
    write_blocks(history, folder, targets=targets, suite=suite)
    with prometheus.running({}, suite, data=folder / "data") as server:
        yield Scene(server, Span(history.end - (HOURS - 0.5) * 3600, history.end, STEP, VARIABLES), upgrade)


# What is only there once something changed, and is left empty, not zero, where nothing did.
ONLY_AFTER_A_CHANGE = {
    "Changed",
    "Each signal, before and now",
    "Who else changed?",
    "Alerts",
    "Targets and failure modes",
}


NOT_SIMULATED = (
    # One target, and two hundred that change at once, have no control group.
    "pprof_signal_control_ratio",
    # The targets are not on this machine, and have no metrics page.
    "pprof_memory_limit_bytes",
)


@pytest.mark.parametrize(("dashboard", "panel"), panels())
def test_every_query_of_a_panel_has_something_to_show(scene: Scene, dashboard: Dashboard, panel: Panel) -> None:
    for query in panel.queries:
        answer = asked(scene.server.url, query.expr, scene.span, instant=query.instant)
        assert answer.remarks == []
        # A machine that is busy for a moment is asked again; a query that is slow is slow each time.
        for _ in range(2):
            if answer.took >= 1:
                answer = asked(scene.server.url, query.expr, scene.span, instant=query.instant)
        assert answer.took < 1, f"{answer.took:.2f} s for {query.expr}"
        changed = "last_change" in query.expr or panel.title in ONLY_AFTER_A_CHANGE
        if (scene.upgraded or not changed) and not any(family in query.expr for family in NOT_SIMULATED):
            assert answer.finite, query.expr


def test_an_upgrade_is_one_mark_for_each_thing_that_changed(scene: Scene) -> None:
    for dashboard in DASHBOARDS:
        marks = [mark for mark in dashboard_json(dashboard)["annotations"]["list"] if mark["name"] == "Upgrades"]
        for mark in marks:
            series = asked(scene.server.url, mark["expr"], scene.span, instant=False).series
            # Marks at the same time of the same series are drawn as one.
            events = {(one["metric"]["change"], value) for one in series for _, value in one["values"]}
            assert sorted(change for change, _ in events) == (["binary", "go"] if scene.upgraded else [])


def test_the_upgrade_dashboard_opens_on_what_changed(scene: Scene) -> None:
    (upgrade,) = [one for one in DASHBOARDS if one.uid == "pprof-upgrade"]
    (variable,) = [one for one in upgrade.variables if one.name == "target"]
    found = re.fullmatch(r"query_result\((.*)\)", variable.query)
    assert found is not None
    series = asked(scene.server.url, found[1], scene.span, instant=True).series
    assert series[0]["metric"]["target"].startswith("shop")
