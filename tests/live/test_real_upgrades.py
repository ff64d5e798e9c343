"""Prometheus and Alertmanager of Debian are upgraded and rolled back, and each step is told once, whole and rightly.

The exporter has its default intervals. Old is the release of this machine (Go 1.19), new is Debian's newest.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab import exporter, programs
from tests.lab.debian import Suite
from tests.lab.exporter import Exporter, Scrape
from tests.lab.pages import TargetPage, target_page
from tests.lab.programs import NEW, OLD, Program
from tests.lab.scenes import at_most_twice
from tests.lab.stored import StoredEpoch, epochs

KNOWN_WITHIN = 150.0
"""Seconds until the identity of a program is known for the first time: a few rounds at default intervals."""
TOLD_WITHIN = 120.0
"""Seconds from the first answer of the new version until the change is told."""
HELD_FOR = 70.0
"""Seconds after that in which nothing else is told: a round of everything, CPU profiles included."""
FEWEST = 3
"""Values in each epoch that a verdict of `compare` needs here: nobody waits five minutes for ten, as by default."""
LATENCIES = ("fetch_duration_seconds:", "canary_duration_seconds:", "latency_difference_seconds:")
"""Of these, three are not enough where other tests run beside this one."""

STEPS: dict[str, tuple[Suite, ...]] = {"up": (OLD, NEW, OLD), "down": (NEW, OLD, NEW)}
"""Versions of the programs of each service, one after the other: an upgrade or downgrade, and its way back."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What pprof_target_info says of a target; `told` is the program's own go_info."""

    binary: str
    go: str
    told: str

    @property
    def build(self) -> str:
        """Without the name of the program."""
        return self.binary.rpartition(" ")[2]


@dataclass(frozen=True, slots=True)
class Step:
    """One replacement of one program: what was told of it `after` seconds, and what stood there at the end."""

    service: str
    address: str
    before: Identity
    now: Identity | None
    after: float
    changes: dict[str, float]
    """Increases of pprof_changes_total by `change`, those that are not 0."""
    parts: dict[str, tuple[str, str]]
    """From and to by `change`, of pprof_last_change_info."""
    page: TargetPage
    compared: str
    """What `compare --from` prints of all targets."""
    pair: dict[str, Any]
    """What its JSON says of this one; empty with nothing to compare."""

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict of that comparison by signal."""
        return {one["signal"]: one["verdict"] for one in self.pair.get("signals", ())}


@dataclass(frozen=True, slots=True, repr=False)
class Story:
    """All steps, and what the store had at the end."""

    steps: tuple[Step, ...]
    stored: tuple[StoredEpoch, ...]
    scrape: Scrape


def identity(now: Scrape, program: Program) -> Identity | None:
    """What the exporter knows of a program; None while the build or the exact version is unknown."""
    found = now.find("pprof_target_info", target=program.address)
    if not found or found[0][0]["build"] == "unknown" or not found[0][0]["go_version"][-1].isdigit():
        return None
    labels = found[0][0]
    return Identity(f"{labels['program']} {labels['build']}", labels["go_version"], program.go())


def changes(now: Scrape, program: Program) -> dict[str, float]:
    """Value of pprof_changes_total by `change`."""
    return {labels["change"]: value for labels, value in now.find("pprof_changes_total", target=program.address)}


@dataclass
class Watched:
    """A program, and how it stands just before the next step."""

    service: str
    program: Program
    suites: tuple[Suite, ...]
    before: Identity | None = None
    counted: dict[str, float] | None = None
    answered: float = 0.0
    after: float | None = None
    shown: str = ""

    def note(self, now: Scrape) -> None:
        """Print what is told of the program whenever it changes: for the message of a test that fails."""
        address = self.program.address
        info = [
            f"{labels['go_version']} {labels['build']}" for labels, _ in now.find("pprof_target_info", target=address)
        ]
        counted = {change: value for change, value in changes(now, self.program).items() if value}
        restarts = now.value("pprof_restarts_total", target=address)
        several = now.value("pprof_several_processes_info", target=address)
        shown = f"{info} changes {counted} restarts {restarts} several {several}"
        if shown != self.shown:
            print(f"{self.service} {time.monotonic() - self.answered:.0f} s after its start: {shown}")
            self.shown = shown


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """What happened while the programs were replaced twice."""
    return play(tmp_path_factory.mktemp("programs"))


@at_most_twice
def play(folder: Path) -> Story:
    """Everything at once, since most of it is waiting."""
    watched = [
        Watched(f"{name}-{way}", make(folder / f"{name}-{way}", name), suites)
        for name, make in (("prometheus", programs.prometheus_in), ("alertmanager", programs.alertmanager_in))
        for way, suites in STEPS.items()
    ]
    everything = [one.program for one in watched]
    for one in watched:
        if one.service.startswith("prometheus"):
            programs.scrape(one.program, [other for other in everything if other is not one.program])
    config = folder / "exporter.json"
    groups = [{"targets": [one.program.address], "labels": {"service": one.service}} for one in watched]
    config.write_text(json.dumps({"scrape_configs": [{"job_name": "programs", "static_configs": groups}]}))
    with contextlib.ExitStack() as stack:
        for one in watched:
            stack.callback(one.program.stop)
            one.program.start(one.suites[0])
        stack.enter_context(programs.load(everything))
        storage = folder / "store"
        watching = stack.enter_context(exporter.running(f"--config.file={config}", f"--storage.path={storage}"))
        begun = time.monotonic()
        first = watching.wait_for(lambda now: all(identity(now, one.program) for one in watched), within=KNOWN_WITHIN)
        print(f"all known after {time.monotonic() - begun:.0f} s")
        for one in watched:
            one.before, one.counted = identity(first, one.program), changes(first, one.program)
            print(one.service, one.before, one.counted)
        steps = [step for at in (1, 2) for step in replaced(watching, watched, at)]
        scrape = watching.scrape()
        watching.stop()
        stored = tuple(epochs(storage))
        print(*stored, sep="\n")
        return Story(tuple(steps), stored, scrape)


def replaced(watching: Exporter, watched: list[Watched], at: int) -> Iterator[Step]:
    """Replace each program by its version number `at`, and wait until all is told, and a while longer."""
    for one in watched:
        one.program.replace(one.suites[at])
        one.answered, one.after = time.monotonic(), None

    def told(now: Scrape) -> bool:
        for one in watched:
            one.note(now)
            if one.after is None and changes(now, one.program) != one.counted:
                one.after = time.monotonic() - one.answered
        return all(one.after is not None for one in watched)

    with contextlib.suppress(AssertionError):
        watching.wait_for(told, within=TOLD_WITHIN)
    ends = time.monotonic() + HELD_FOR
    while time.monotonic() < ends:
        now = watching.scrape()
        for one in watched:
            one.note(now)
        time.sleep(1)
    now = watching.scrape()
    text, pairs = compared(watching)
    for one in watched:
        yield step(watching, one, now, text, pairs)
        one.before, one.counted = identity(now, one.program) or one.before, changes(now, one.program)


def step(watching: Exporter, one: Watched, now: Scrape, text: str, pairs: dict[str, dict[str, Any]]) -> Step:
    """What is told of a program since it was replaced; `text` and `pairs` are of `compared`."""
    address, before, current = one.program.address, one.before, identity(now, one.program)
    assert before is not None, f"the identity of {one.service} was lost"
    counted = one.counted or {}
    found = Step(
        one.service,
        address,
        before,
        current,
        one.after if one.after is not None else float("inf"),
        {
            change: value - counted.get(change, 0)
            for change, value in changes(now, one.program).items()
            if value != counted.get(change, 0)
        },
        {
            labels["change"]: (labels["from"], labels["to"])
            for labels, _ in now.find("pprof_last_change_info", target=address)
        },
        target_page(watching, address),
        text,
        pairs.get(address, {}),
    )
    print(found.service, found.before, found.now, f"after {found.after:.0f} s", found.changes, found.parts)
    print([(card.mode, card.said) for card in found.page.cards])
    print({name: verdict for name, verdict in found.verdicts.items() if verdict in ("worse", "better", "no worse")})
    return found


def compared(watching: Exporter) -> tuple[str, dict[str, dict[str, Any]]]:
    """`compare --from` of all targets: its text, and what its JSON says of each that has two sides."""
    asked = ("compare", f"--from={watching.url}", "--fail-on=never", f"--set=regression_observations={FEWEST}")
    text, report = (
        subprocess.run(
            [sys.executable, "-m", "pprof_exporter", *asked, *more], capture_output=True, check=False, text=True
        )
        for more in ((), ("--format=json",))
    )
    # With too few values for any verdict, the exit code is 2, and the report says what changed all the same.
    pairs = json.loads(report.stdout)["pairs"]
    return text.stdout + text.stderr, {pair["name"]: pair for pair in pairs}


def of(story: Story, service: str) -> list[Step]:
    """The steps of one service in order."""
    return [step for step in story.steps if step.service == service]


SERVICES = [f"{name}-{way}" for name in ("prometheus", "alertmanager") for way in STEPS]


@pytest.mark.parametrize("service", SERVICES)
def test_the_versions_are_those_that_the_programs_say(story: Story, service: str) -> None:
    there, back = of(story, service)
    assert there.now is not None, there.before
    assert back.now is not None, back.before
    assert [one.go for one in (there.before, there.now, back.before, back.now)] == [
        one.told for one in (there.before, there.now, back.before, back.now)
    ]
    assert there.before == back.now
    assert there.before.binary != there.now.binary
    assert there.before.go != there.now.go


@pytest.mark.parametrize("service", SERVICES)
def test_each_step_is_one_event_with_build_and_go(story: Story, service: str) -> None:
    for step in of(story, service):
        assert step.after < TOLD_WITHIN
        assert step.changes == {"binary": 1, "go": 1}


@pytest.mark.parametrize("service", SERVICES)
def test_each_event_says_from_what_to_what(story: Story, service: str) -> None:
    for step in of(story, service):
        assert step.now is not None
        assert step.parts == {
            "binary": (step.before.build, step.now.build),
            "go": (step.before.go, step.now.go),
        }
        # An upgrade is a note: nobody has to act on it.
        assert "F16" not in step.page.found()
        assert f"Go {step.before.go} to {step.now.go}" in step.page.text


@pytest.mark.parametrize("service", SERVICES)
def test_compare_names_both_versions_and_nothing_is_worse(story: Story, service: str) -> None:
    for step in of(story, service):
        assert step.now is not None
        pair = json.dumps(step.pair)
        for go in (step.before.go, step.now.go):
            assert go in pair
            assert go in step.compared
        assert step.verdicts != {}
        worse = [signal for signal, verdict in step.verdicts.items() if verdict == "worse"]
        assert [signal for signal in worse if not signal.startswith(LATENCIES)] == []
        assert "F20" not in step.page.found()
    # The first version ran too briefly for a comparison; the second did not.
    assert {"no worse", "better"} & set(of(story, service)[-1].verdicts.values())


@pytest.mark.parametrize("service", SERVICES)
def test_the_store_has_an_epoch_for_each_version(story: Story, service: str) -> None:
    there, _ = of(story, service)
    assert there.now is not None
    kept = [epoch for epoch in story.stored if epoch.service == service]
    assert [(epoch.binary, epoch.go.removeprefix("go")) for epoch in kept][:2] == [
        (one.binary, one.go) for one in (there.before, there.now)
    ]
    # After a rollback, the first epoch comes back, or another of the same version begins.
    assert {(epoch.binary, epoch.go.removeprefix("go")) for epoch in kept} == {
        (one.binary, one.go) for one in (there.before, there.now)
    }


@pytest.mark.parametrize("service", SERVICES)
def test_each_step_is_one_restart(story: Story, service: str) -> None:
    address = of(story, service)[0].address
    assert story.scrape.value("pprof_restarts_total", target=address) == len(of(story, service))
    assert story.scrape.value("pprof_several_processes_info", target=address) in (None, 0)
