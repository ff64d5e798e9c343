"""Runs a batch: healthy life, the faults, and the time after them. Says what was told of each scenario, and when."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.detection.scenario import Batch, Life, Scenario
from tests.detection.scene import Scene, watching
from tests.lab.receiver import Notification

_SOON = 60.0
"""Seconds until all targets were fetched for the first time."""
_CALM = 30.0
"""Seconds after the last fault before anything counts as resolved for good."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was told of one scenario. Times are minutes of the rules as they are shipped."""

    scenario: Scenario
    told: Mapping[str, float]
    """Alerts that were notified from the begin of the fault on, and after how long."""
    informed: tuple[str, ...] = ()
    """Alerts of severity info that fired and were not notified."""
    early: tuple[str, ...] = ()
    """Alerts that were notified during healthy life."""
    resolved: float | None = None
    """How long after the end of the fault its last alert was resolved; None if one still fires."""
    troubles: tuple[str, ...] = ()
    """What went wrong with the scenario itself."""
    said: Mapping[str, str] = field(default_factory=dict)
    """The description of each alert that was notified, for whoever looks for a cause."""

    @property
    def missed(self) -> tuple[str, ...]:
        """Claimed alerts that were not notified."""
        return tuple(name for name in self.scenario.claimed if name not in self.told)

    @property
    def foreign(self) -> tuple[str, ...]:
        """Alerts that nobody claims to be true of this scenario."""
        own = {*self.scenario.claimed, *self.scenario.companions}
        return (*self.early, *(name for name in self.told if name not in own))

    @property
    def unresolved(self) -> bool:
        """Whether an alert outlasts the fault, against its claim."""
        return self.resolved is None and not self.scenario.lasting

    @property
    def failed(self) -> bool:
        """Whether a claim does not hold."""
        return bool(self.missed or self.foreign or self.unresolved or self.troubles)


class Listener:
    """Which alerts fire by the notifications so far, by scenario."""

    def __init__(self, scene: Scene) -> None:
        self._received = scene.receiver.received
        self._read = 0
        self.firing: dict[str, set[str]] = {}
        self._open: dict[str, dict[str, str]] = {}

    def news(self) -> list[Notification]:
        """The notifications since the last call."""
        new = self._received[self._read :]
        self._read += len(new)
        for one in new:
            service = one.labels.get("service", "")
            key = json.dumps(one.labels, sort_keys=True)
            opened = self._open.setdefault(service, {})
            if one.status == "firing":
                opened[key] = one.name
            else:
                opened.pop(key, None)
            self.firing[service] = set(opened.values())
        return new


class BatchRun:
    """One batch while it runs."""

    def __init__(self, batch: Batch, scenarios: Sequence[Scenario], scene: Scene) -> None:
        self._batch, self._scenarios, self._scene = batch, scenarios, scene
        self._listener = Listener(scene)
        names = [one.name for one in scenarios]
        self._told: dict[str, dict[str, float]] = {name: {} for name in names}
        self._said: dict[str, dict[str, str]] = {name: {} for name in names}
        self._early: dict[str, tuple[str, ...]] = {}
        self._informed: dict[str, set[str]] = {name: set() for name in names}
        self._begun = dict.fromkeys(names, time.monotonic())
        self._ended: dict[str, float] = {}
        self._resolved: dict[str, float | None] = dict.fromkeys(names)

    def live_healthily(self) -> None:
        """Let time pass. Only faults from the start may be told."""
        until = time.monotonic() + self._batch.pace.healthy
        while time.monotonic() < until:
            self._take()
            time.sleep(0.5)
        for one in self._scenarios:
            if not one.from_start:
                self._early[one.name] = tuple(sorted(self._told[one.name]))
                self._told[one.name] = {}

    def break_all(self) -> None:
        """Begin all faults, and wait until what is claimed was told, and long enough for what is not."""
        self._inform()
        _at_once(self._beginning(one) for one in self._scenarios if not one.from_start)
        begun = time.monotonic()
        pace = self._batch.pace
        while (now := time.monotonic()) < begun + pace.fault:
            self._take()
            self._inform()
            if now > begun + pace.least and all({*one.claimed} <= {*self._told[one.name]} for one in self._scenarios):
                break
            time.sleep(0.5)

    def mend_all(self) -> None:
        """End all faults, and wait until no alert fires."""
        ending = threading.Thread(target=_at_once, args=([self._ending(one) for one in self._scenarios],))
        ending.start()
        begun = time.monotonic()
        while time.monotonic() < begun + self._batch.pace.recovery:
            self._take()
            for one in self._scenarios:
                if self._listener.firing.get(one.name) or one.name not in self._ended:
                    self._resolved[one.name] = None
                elif self._resolved[one.name] is None:
                    self._resolved[one.name] = time.monotonic() - self._ended[one.name]
            if all(value is not None for value in self._resolved.values()) and time.monotonic() > begun + _CALM:
                break
            time.sleep(0.5)
        ending.join()

    def outcomes(self) -> list[Outcome]:
        """What was told of each scenario."""
        return [self._outcome(one) for one in self._scenarios]

    def _outcome(self, one: Scenario) -> Outcome:
        minutes = self._batch.pace.minutes
        resolved = self._resolved[one.name]
        return Outcome(
            one,
            {name: minutes(seconds) for name, seconds in self._told[one.name].items()},
            tuple(sorted(self._informed[one.name])),
            self._early.get(one.name, ()),
            None if resolved is None else minutes(resolved),
            tuple(self._scene.lives[one.name].troubles[:2]),
            self._said[one.name],
        )

    def _take(self) -> None:
        """Note the alerts that were notified since the last call."""
        now = time.monotonic()
        for one in self._listener.news():
            owner = self._owner(one)
            if one.status == "firing" and owner in self._told:
                self._told[owner].setdefault(one.name, now - self._begun[owner])
                self._said[owner].setdefault(one.name, one.annotations.get("description", ""))

    def _owner(self, one: Notification) -> str:
        """The scenario that a notification is about. One without a target is of the first that claims it."""
        service = one.labels.get("service", "")
        return service or next((other.name for other in self._scenarios if one.name in other.claimed), "")

    def _inform(self) -> None:
        for labels, _ in self._scene.server.query('ALERTS{alertstate="firing", severity="info"}'):
            self._informed.get(labels.get("service", ""), set()).add(labels["alertname"])

    def _beginning(self, one: Scenario) -> Callable[[], None]:
        def act() -> None:
            self._begun[one.name] = time.monotonic()
            one.begin(self._scene.lives[one.name])

        return _guarded(self._scene.lives[one.name], act)

    def _ending(self, one: Scenario) -> Callable[[], None]:
        def act() -> None:
            self._ended[one.name] = time.monotonic()
            one.end(self._scene.lives[one.name])

        return _guarded(self._scene.lives[one.name], act)


def run(batch: Batch, scenarios: Sequence[Scenario], folder: Path, report: Callable[[str], None]) -> list[Outcome]:
    """Run the scenarios of one batch at the same time."""
    with watching(batch, scenarios, folder) as scene:
        _wait_for_targets(scene, scenarios)
        current = BatchRun(batch, scenarios, scene)
        report(f"{batch.name}: {len(scenarios)} scenarios, {batch.pace.healthy:.0f} s of healthy life")
        current.live_healthily()
        report(f"{batch.name}: faults begin")
        current.break_all()
        _describe(scene, folder)
        report(f"{batch.name}: faults end")
        current.mend_all()
        return current.outcomes()


def _describe(scene: Scene, folder: Path) -> None:
    """Store what may explain an outcome: metrics, log, and all alerts that fire or are pending."""
    (folder / "metrics.txt").write_text(scene.program.scrape().text)
    (folder / "exporter.log").write_text(scene.program.log)
    (folder / "alerts.json").write_text(json.dumps([labels for labels, _ in scene.server.query("ALERTS")], indent=1))
    busy = scene.server.query("max_over_time(pprof_exporter_overloaded[1h])")
    (folder / "overloaded").write_text("".join(f"{value}\n" for _, value in busy))


def _wait_for_targets(scene: Scene, scenarios: Sequence[Scenario]) -> None:
    count = sum(len(life.watched) for life in scene.lives.values())
    starting = {one.name for one in scenarios if one.from_start}
    scene.program.wait_for(
        lambda now: (
            len(now.find("pprof_up")) == count
            and all(value == 1 or labels["service"] in starting for labels, value in now.find("pprof_up"))
        ),
        within=_SOON,
    )


def _guarded(life: Life, act: Callable[[], None]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the scenario has not happened as described
            life.troubles.append(repr(error))

    return guarded


def _at_once(acts: Iterable[Callable[[], None]]) -> None:
    """Do all of this, a few at a time."""
    left = list(acts)
    while left:
        threads = [threading.Thread(target=act) for act in left[:_AT_ONCE]]
        del left[:_AT_ONCE]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
