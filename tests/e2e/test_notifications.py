"""Each fault is notified once, by the right alert with its figures, and no other; it resolves when the fault ends.

Twelve services with a fault each and a healthy one, watched at the same time by both generations of Prometheus and
Alertmanager, with the shipped rules and routes.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.scene import Watch, exporting, firing, quiet_for, watching
from tests.lab import go, wine
from tests.lab.changes import shifted, stripped, thinned
from tests.lab.debian import Suite
from tests.lab.exporter import Scrape
from tests.lab.rewrite import PROFILES
from tests.lab.service import Service, started

SUITES: tuple[Suite, ...] = ("stable", "sid")
WINDOWS = "1.24.11"
MOMENTARY = {("untimely", "PprofTimeWentBackwards")}
"""Reports an event, and resolves by itself while the fault lasts."""

BY_SCALE = {("windows", "PprofTargetDown"), ("frozen", "PprofFetchSlow")}
"""Alerts that may fire since a second counts as a minute here.

Under Wine a program may take some to start. The one request that a frozen program answers when it thaws is one of ten
in half an hour, not one of sixty.
"""

LASTING = {("windows", "PprofUpgradeRegression")}
"""Holds until the new epoch has had more good values than bad ones, and so for as long as the fault did."""


@dataclass(frozen=True, slots=True)
class Case:
    """One service and its fault. `notified` are the alerts that are sent; `figure` is in a description."""

    service: Service
    break_it: Callable[[Service], object]
    mend: Callable[[Service], object]
    notified: frozenset[str]
    figure: str = ""

    @property
    def expected(self) -> set[tuple[str, str]]:
        return {(self.service.name, name) for name in self.notified}


def case(
    name: str,
    break_it: Callable[[Service], object],
    *notified: str,
    mend: Callable[[Service], object] = Service.restart,
    figure: str = "",
    proxied: bool = False,
) -> Case:
    return Case(Service(name, go.build(go.VERSIONS[-1]), proxied=proxied), break_it, mend, frozenset(notified), figure)


def fault(path: str, mode: str, **query: object) -> Callable[[Service], object]:
    return lambda service: service.target.fault(path, mode, **query)


def healed(service: Service) -> None:
    service.target.control("reset")


def unchanged(service: Service) -> None:
    assert service.proxy is not None
    service.proxy.heal()


def changed(*arguments: object) -> Callable[[Service], object]:
    def change(service: Service) -> None:
        assert service.proxy is not None
        service.proxy.change(*arguments)  # type: ignore[arg-type]  # passed through

    return change


def switch(name: str, **query: object) -> Callable[[Service], object]:
    return lambda service: service.target.control(name, **query)


def freeze(service: Service) -> None:
    service.target.pause()


def thaw(service: Service) -> None:
    service.target.resume()


def nothing(service: Service) -> None:
    """Leave it as it is."""


def windows_update(stack: contextlib.ExitStack) -> Callable[[Service], object]:
    """The system libraries are replaced until the stack is closed, and the heap endpoint is slow from then on."""

    def update(service: Service) -> None:
        service.stop()
        stack.enter_context(wine.updated())
        service.start()
        service.target.fault("heap", "slow", ms=500)

    return update


def cases(stack: contextlib.ExitStack) -> list[Case]:
    windows = Service("windows", go.build(WINDOWS, "windows"), wine=True)
    return [
        case("healthy", nothing, mend=nothing),
        case(
            "losing",
            changed(thinned(0.5), "profile"),
            "PprofCpuCoverageLow",
            mend=unchanged,
            figure=r"account for (only )?[345]\d(\.\d+)?%",
            proxied=True,
        ),
        case("leaking", switch("leak", how="lost", n=7), "PprofGoroutinesLeaked", figure=r"\b7\b"),
        case("garbled", fault("heap", "html"), "PprofDecodeFailing", mend=healed, figure="html"),
        case("unmounted", fault("*", "404"), "PprofNotMounted", mend=healed),
        case("contested", fault("profile", "busy"), "PprofProfilerConflict", mend=healed, figure="%"),
        case("stopped", Service.stop, "PprofTargetDown", mend=Service.start),
        case("frozen", freeze, "PprofTargetWedged", mend=thaw),
        case(
            "untimely",
            changed(shifted(-10), *PROFILES),
            "PprofClockSkew",
            # The step itself, which is seen once.
            "PprofTimeWentBackwards",
            mend=unchanged,
            figure=r"-?(9\.\d|10)",
            proxied=True,
        ),
        case("nameless", changed(stripped, "heap"), "PprofSymbolsMissing", mend=unchanged, figure="100%", proxied=True),
        case("slow", fault("heap", "slow", ms=1700), "PprofFetchSlow", mend=healed, figure="heap"),
        case("refused", fault("profile", "write-timeout"), "PprofProfileRejected", mend=healed, figure="WriteTimeout"),
        Case(
            windows,
            windows_update(stack),
            healed,
            frozenset({"PprofUpgradeRegression"}),
            r"operating.system",
        ),
    ]


def test_each_fault_is_told_once_by_its_own_alert_and_resolves(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        services = cases(stack)
        expected = set().union(*(one.expected for one in services))
        stack.enter_context(started([one.service for one in services]))
        for one in services:
            one.service.target.control("burn", threads=1 if one.service.name == "losing" else 0)
        program = stack.enter_context(exporting([one.service for one in services], tmp_path))
        # At first everything is fetched at once; what takes minutes here takes seconds at full scale.
        program.wait_for(lambda now: len(now.find("pprof_up")) == len(services) and all_up(now), within=60)
        time.sleep(10)
        watches = [stack.enter_context(watching(program, tmp_path, suite)) for suite in SUITES]
        quiet_for(40, watches)

        for one in services:
            one.break_it(one.service)
        for watch in watches:
            wait_for_notified(watch, lambda firing_now: expected - MOMENTARY <= firing_now, within=180)
        time.sleep(20)
        for watch in watches:
            assert expected - MOMENTARY <= firing(watch.receiver.received) <= expected | BY_SCALE, watch.state()
            assert names(watch) - BY_SCALE == expected, watch.state()
            for one in services:
                check_words(one, watch)

        for one in services:
            one.mend(one.service)
        for watch in watches:
            wait_for_notified(watch, lambda firing_now: firing_now <= LASTING | BY_SCALE, within=240)
            assert names(watch) - BY_SCALE == expected, watch.state()
        assert "Traceback" not in program.log


def names(watch: Watch) -> set[tuple[str, str]]:
    """Service and name of every alert that was sent so far."""
    return {(one.labels.get("service", ""), one.name) for one in watch.receiver.received}


def all_up(now: Scrape) -> bool:
    return all(value == 1 for _, value in now.find("pprof_up"))


def wait_for_notified(watch: Watch, holds: Callable[[set[tuple[str, str]]], object], *, within: float) -> None:
    """Wait until the firing alerts, according to notifications, satisfy the condition."""
    try:
        watch.receiver.wait_for(lambda received: holds(firing(received)), within=within)
    except AssertionError as missing:
        raise AssertionError(watch.state()) from missing


def check_words(one: Case, watch: Watch) -> None:
    """Each message names the target and leads to a runbook, and the figure is in its description."""
    messages = [sent for sent in watch.receiver.received if sent.labels.get("service") == one.service.name]
    descriptions = " ".join(sent.annotations["description"] for sent in messages)
    assert re.search(one.figure, descriptions), descriptions
    for sent in messages:
        assert sent.labels["target"] == one.service.watched
        assert one.service.watched in sent.annotations["summary"] + sent.annotations["description"]
        assert sent.name in sent.annotations["runbook_url"]
