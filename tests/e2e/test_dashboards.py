"""The panels of every dashboard, over real programs and a Prometheus that scrapes them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from pprof_exporter.dashboards import Dashboard, Panel
from tests.dashboards.asking import Span, asked, panels
from tests.e2e.scene import exporting, watching
from tests.lab import go, wine
from tests.lab.debian import Suite
from tests.lab.prometheus import Prometheus
from tests.lab.service import Service, started
from tests.lab.wine import agent

SUITES: tuple[Suite, ...] = ("stable", "sid")
SECONDS = 60.0
"""For which Prometheus watches after the upgrade, at least."""
BASELINE = 'pprof_fetches_total{service="windows", profile="cpu", outcome="success"} >= 8'
"""What there is before the upgrade: the CPU time used has a median of that many profiles."""
SHIFT = "30s"
"""How far back the dashboards compare with."""
LATE = (
    # The module is loaded while the process runs, which may be a change of its own: the control begins anew then.
    'count(pprof_changes_total{service="windows", change="modules"} >= 1)',
    'count(pprof_signal_control_ratio{service="windows"})',
    'count(pprof_signal_load_ratio{service="windows"})',
    # Over half a minute here. A process that hardly gets a processor has none.
    'count(target:pprof_cpu_coverage:ratio_increase30m{service="windows"})',
    f'count(target:pprof_cpu_coverage:ratio_increase30m{{service="windows"}} offset {SHIFT})',
    "count(pprof_up == 1) == 4 and count(pprof_up == 0) == 1",
)
"""What the exporter shows last. On a busy machine that takes longer."""


@dataclass(frozen=True, slots=True)
class Live:
    """The address of each Prometheus that has scraped for a while, and the time in which it did.

    The time ends with a scrape that succeeded, since after one that failed nothing is shown, and that shows all that
    comes late.
    """

    servers: Mapping[Suite, str]
    spans: Mapping[Suite, Span]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    linux = Service("linux", go.build(go.VERSIONS[-1]))
    # With next to no CPU time, the sampled share of it is unknown.
    windows = Service("windows", go.build("1.24.11", "windows"), wine=True, yields=False)
    # With fewer than three targets that are not upgraded there is no control group.
    others = [Service(f"other-{number}", linux.program) for number in range(2)]
    gone = Service("gone", linux.program)
    with contextlib.ExitStack() as stack:
        services = [linux, windows, *others, gone]
        stack.enter_context(started(services))
        at_work(linux)
        at_work(windows)
        program = stack.enter_context(exporting(services, folder, window="3s"))
        servers = {suite: stack.enter_context(watching(program, folder, suite)).server for suite in SUITES}
        begun = time.time()
        time.sleep(SECONDS / 2)
        servers["stable"].wait_for(lambda server: server.query(BASELINE), timeout=240)
        windows.stop()
        stack.enter_context(wine.updated())
        windows.start()
        at_work(windows)
        windows.target.control("module", path=agent())
        linux.target.fault("mutex", "html")
        # A warning that takes five minutes only.
        gone.stop()
        time.sleep(SECONDS)
        variables = {
            "$__rate_interval": "20s",
            "$shift": SHIFT,
            "$job": ".+",
            "$service": ".*",
            "$instance": ".+",
            "$target": windows.watched,
        }
        spans = {suite: Span(begun, _complete(server), 1.0, variables) for suite, server in servers.items()}
        yield Live({suite: server.url for suite, server in servers.items()}, spans)


def _complete(server: Prometheus) -> float:
    """Wait for a scrape that succeeded at which there is all that comes late; returns its instant, as a Unix time."""

    def complete(server: Prometheus) -> float | None:
        ((_, instant),) = server.query('max_over_time(timestamp(up{job="pprof"} == 1)[5m:1s])')
        return instant if all(server.query(expression, instant) for expression in LATE) else None

    found = server.wait_for(complete, timeout=400)
    assert found is not None
    return found


def at_work(service: Service) -> None:
    """Busy, with contention."""
    service.target.control("burn", threads=1)
    service.target.control("rates", block=1, mutex=1)
    service.target.control("contend", workers=2)


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("dashboard", "panel"), panels())
def test_every_panel_has_something_to_show(live: Live, suite: Suite, dashboard: Dashboard, panel: Panel) -> None:
    span = live.spans[suite]
    if dashboard.uid == "pprof-fleet":
        # All of them, as the board opens: the findings are those of another target.
        span = replace(span, variables={**span.variables, "$target": ".+"})
    for query in panel.queries:
        answer = asked(live.servers[suite], query.expr, span, instant=query.instant)
        assert answer.remarks == []
        # The limit is drawn once a target has used a quarter of it, and this one has the memory of the machine.
        if "pprof_memory_limit_bytes" not in query.expr:
            assert answer.finite, query.expr
