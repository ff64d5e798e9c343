"""Every process is told apart from the next, and from those beside it: restarts, upgrades, siblings, load balancers.

All of it happens in one scene of less than two minutes, under an exporter whose intervals are a tenth of the default.
Audits of the sampling clock are off, so that only profiles, metrics pages and the system identify a process.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.lab import exporter, free_ports, go, lines
from tests.lab.exporter import Exporter, Scrape
from tests.lab.intervals import SHORTER, shortened
from tests.lab.pages import TargetPage, target_page
from tests.lab.scenes import at_most_twice
from tests.lab.service import Service, started
from tests.lab.stored import StoredEpoch, epochs

VERSIONS = ("1.21.13", "1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")
"""The newest of each release that the package index has."""
PATCHED = ("1.27.1", "1.27.3")
"""Neighbouring patch versions."""

SETTLED = 90 / SHORTER
"""Seconds until the exporter knows what it can know of a process."""
REPLACED_AT = 20.0
RESTARTS = 15
RESTART_EVERY = 60 / SHORTER
"""Seconds from one restart to the next at the least: two rounds of what is fetched most often."""
LONGEST = 3 * (SETTLED + RESTARTS * RESTART_EVERY + 2 * SETTLED)
"""Seconds at the most: a third of it if the exporter gets time for two rounds between restarts, which is more than ten
minutes at default intervals."""
TOLD_WITHIN = 120 / SHORTER + 8
"""Seconds from a change until it is told; processes do not start faster than by default."""

SEVERAL_WITHIN = 3 * 60 / SHORTER + 6
"""Seconds until it is told that several processes answer at an address: the third time that start times are read, which
is with each CPU profile."""

APART = 3.0
"""Seconds between the starts of two replicas: start times prove nothing if they differ by less than a clock may."""

NO_PAGE = "/no-metrics-here"


# Neither is printed whole in a message.
@dataclass(frozen=True, slots=True, repr=False)
class Moment:
    """One scrape, so many seconds after the exporter was ready."""

    at: float
    scrape: Scrape


@dataclass(frozen=True, slots=True, repr=False)
class Scene:
    """What the exporter showed over time, its pages at the end, and the store afterwards. Targets are by service."""

    moments: tuple[Moment, ...]
    names: Mapping[str, str]
    pages: Mapping[str, TargetPage]
    stored: tuple[StoredEpoch, ...]

    @property
    def end(self) -> Scrape:
        """The last scrape."""
        return self.moments[-1].scrape

    def value(self, family: str, service: str, **labels: str) -> float:
        """A value at the end; 0 without the series."""
        return self.end.value(family, target=self.names[service], **labels) or 0

    def changes(self, service: str) -> dict[str, float]:
        """Changes of a target that were counted, by what changed."""
        found = self.end.find("pprof_changes_total", target=self.names[service])
        return {labels["change"]: value for labels, value in found if value}

    def parts(self, service: str) -> dict[str, tuple[str, str]]:
        """From and to of the latest event, by what changed."""
        found = self.end.find("pprof_last_change_info", target=self.names[service])
        return {labels["change"]: (labels["from"], labels["to"]) for labels, _ in found}

    def identities(self, service: str, since: float = 0) -> list[tuple[float, dict[str, str]]]:
        """Labels of pprof_target_info over time."""
        return [
            (moment.at, labels)
            for moment in self.moments
            if moment.at >= since
            for labels, _ in moment.scrape.find("pprof_target_info", target=self.names[service])
        ]

    def first(self, holds: Callable[[Scrape], object]) -> float:
        """The first moment of which this is true, in seconds; infinite if there is none."""
        return next((moment.at for moment in self.moments if holds(moment.scrape)), float("inf"))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """What the exporter showed of all these programs."""
    return play(tmp_path_factory.mktemp("identities"))


@at_most_twice
def play(folder: Path) -> Scene:
    """Everything at once, since most of it is waiting."""
    ports = iter(free_ports(40))

    def service(name: str, program: Path, *arguments: str) -> Service:
        return Service(name, program, arguments=arguments, address=f"127.0.0.1:{next(ports)}")

    older, newer = (go.build(version) for version in PATCHED)
    stable = go.build("1.24.11")
    oldest = go.build(VERSIONS[0])
    # Up to Go 1.22, a CPU profile that is longer than this is refused; later ones extend the time.
    hasty = ("-write-timeout", "900ms")
    direct = {
        "patched": service("patched", older),
        "downgraded": service("downgraded", newer, *hasty),
        "looping": service("looping", newer),
        "stable": service("sisters", stable),
        "canary": service("sisters", newer),
    }
    bare = {
        "downgraded-bare": service("downgraded-bare", newer, *hasty),
        "looping-bare": service("looping-bare", newer),
        **{f"quiet-{version}": service(f"quiet-{version}", go.build(version)) for version in VERSIONS},
    }
    behind = {f"far-{version}": service(f"far-{version}", go.build(version)) for version in VERSIONS}
    replicas = [service("replica", program) for program in (newer, newer, older, newer)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(started(replicas[::2]))
        time.sleep(APART)
        stack.enter_context(started([*direct.values(), *bare.values(), *behind.values(), *replicas[1::2]]))
        for replica in replicas:
            replica.target.control("rates", block=1, mutex=1)
        addresses = [replica.address for replica in replicas]
        groups = [addresses[:2], addresses[2:], *([one.address] for one in behind.values())]
        same, different, *far = stack.enter_context(lines.running(groups))
        jobs = {
            "pages": [(name, one.name, one.address) for name, one in direct.items()]
            + [(name, name, line.address) for name, line in (("robin", same), ("robin-mixed", different))],
            "bare": [(name, one.name, one.address) for name, one in bare.items()]
            + [(name, name, line.address) for name, line in zip(behind, far, strict=True)],
        }
        (folder / "exporter.json").write_text(json.dumps(configuration(jobs)))
        flags = (f"--config.file={folder / 'exporter.json'}", f"--storage.path={folder / 'store'}")
        watching = stack.enter_context(exporter.running(*flags, "--scrape.audit=off"))
        replaced = (
            lambda: direct["patched"].replace(newer),
            lambda: direct["downgraded"].replace(oldest),
            lambda: bare["downgraded-bare"].replace(oldest),
        )
        loops = (PanicLoop(direct["looping"]), PanicLoop(bare["looping-bare"]))
        moments = list(played(watching, replaced, loops))
        names = {name: address for job in jobs.values() for name, _, address in job}
        pages = {name: target_page(watching, address) for name, address in names.items()}
        assert watching.stop() == 0
        return Scene(tuple(moments), names, pages, tuple(epochs(folder / "store")))


def configuration(jobs: Mapping[str, Sequence[tuple[str, str, str]]]) -> dict[str, Any]:
    """Jobs of (name, service, address); those of `bare` have no metrics page."""
    return {
        **shortened(),
        "scrape_configs": [
            {
                "job_name": job,
                **({"metrics_page": NO_PAGE} if job == "bare" else {}),
                "static_configs": [
                    {"targets": [address], "labels": {"service": service}} for _, service, address in targets
                ],
            }
            for job, targets in jobs.items()
        ],
    }


@dataclass(slots=True)
class PanicLoop:
    """Restarts of one service.

    The exporter cannot count a process that came and went between two looks. On a busy machine its looks come late, so
    the next restart waits until the process has given a CPU profile: the start of a process is read with each.
    """

    service: Service
    left: int = RESTARTS
    due: float = SETTLED
    profiles: float = 0.0
    """CPU profiles that were fetched before the current process."""

    def go_on(self, watching: Exporter, at: float, seen: Scrape) -> None:
        """Restart the service if it is time; `at` is in seconds since the scene began."""
        if self.left and at >= self.due and self._fetched(seen) > self.profiles:
            self.service.restart()
            self.left -= 1
            self.due = at + RESTART_EVERY
            self.profiles = self._fetched(watching.scrape())

    def is_over(self, at: float) -> bool:
        """Whether nothing is left to restart, and the exporter had time to settle since."""
        return not self.left and at >= self.due + 2 * SETTLED

    def _fetched(self, seen: Scrape) -> float:
        fetched = {"target": self.service.address, "profile": "cpu", "outcome": "success"}
        return seen.value("pprof_fetches_total", **fetched) or 0


def played(watching: Exporter, replaced: Sequence[Callable[[], None]], loops: Sequence[PanicLoop]) -> Iterator[Moment]:
    """Do everything at its time, and look each second meanwhile."""
    begun, waiting = time.monotonic(), list(replaced)
    while (at := time.monotonic() - begun) < LONGEST and not all(loop.is_over(at) for loop in loops):
        while waiting and at >= REPLACED_AT:
            waiting.pop(0)()
        seen = watching.scrape()
        yield Moment(time.monotonic() - begun, seen)
        for loop in loops:
            loop.go_on(watching, at, seen)
        time.sleep(1)


def test_a_neighbouring_patch_version_is_one_event(scene: Scene) -> None:
    print(scene.changes("patched"), scene.parts("patched"), scene.identities("patched")[-1])
    assert scene.changes("patched") == {"binary": 1, "go": 1}
    builds = [labels["build"] for _, labels in scene.identities("patched", SETTLED)]
    assert scene.parts("patched") == {"binary": (builds[0], builds[-1]), "go": PATCHED}
    name = scene.names["patched"]
    told = scene.first(lambda now: now.value("pprof_changes_total", target=name, change="go"))
    assert told - REPLACED_AT < TOLD_WITHIN
    kept = [epoch for epoch in scene.stored if epoch.service == "patched"]
    assert [epoch.go.removeprefix("go") for epoch in kept] == list(PATCHED)


@pytest.mark.parametrize("service", ["downgraded", "downgraded-bare"])
def test_a_downgrade_is_told_while_cpu_profiles_fail(scene: Scene, service: str) -> None:
    print(service, scene.changes(service), scene.parts(service), scene.identities(service)[-1])
    failed = scene.value("pprof_fetches_total", service, profile="cpu", outcome="failure")
    assert failed > 0
    assert scene.identities(service)[-1][1]["go_version"] == VERSIONS[0]
    counted = scene.changes(service)
    assert counted["go"] == 1
    assert set(counted) <= {"go", "binary"}
    assert scene.parts(service)["go"] == (VERSIONS[-1], VERSIONS[0])
    assert scene.value("pprof_restarts_total", service) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["quiet", "far"])
def test_the_version_of_a_quiet_program_does_not_flap(scene: Scene, kind: str, version: str) -> None:
    service = f"{kind}-{version}"
    seen = [labels["go_version"] for _, labels in scene.identities(service, SETTLED)]
    print(service, sorted(set(seen)))
    assert len(seen) > 30
    assert len(set(seen)) == 1
    if kind == "quiet":
        # The program of a local process says its version.
        assert seen[0] == version
    assert scene.changes(service) == {}
    assert scene.value("pprof_restarts_total", service) == 0


def test_two_builds_of_one_service_at_first_sight_are_no_change(scene: Scene) -> None:
    for service in ("stable", "canary"):
        print(service, scene.changes(service), scene.pages[service].cards)
        assert scene.changes(service) == {}
        assert scene.value("pprof_restarts_total", service) == 0
        assert "F20" not in scene.pages[service].found()
        assert "F16" not in scene.pages[service].found()
    kept = [epoch.go.removeprefix("go") for epoch in scene.stored if epoch.service == "sisters"]
    assert sorted(kept) == ["1.24.11", "1.27.3"]


@pytest.mark.parametrize("service", ["robin", "robin-mixed"])
def test_several_processes_at_one_address_are_told_and_nothing_else(scene: Scene, service: str) -> None:
    name = scene.names[service]
    at = scene.first(lambda now: now.value("pprof_several_processes_info", target=name))
    cards = scene.pages[service].cards
    print(service, at, scene.changes(service), cards)
    assert at < SEVERAL_WITHIN
    assert scene.value("pprof_several_processes_info", service) == 1
    assert scene.changes(service) == {}
    assert [card.mode for card in cards] == ["F16"]
    assert all("Several processes answer at this address" in said for said in cards[0].said)


@pytest.mark.parametrize("service", ["looping", "looping-bare"])
def test_a_panic_loop_counts_each_restart(scene: Scene, service: str) -> None:
    name = scene.names[service]
    counts = [(moment.at, moment.scrape.value("pprof_restarts_total", target=name)) for moment in scene.moments]
    rises = [round(at) for (_, before), (at, count) in pairwise(counts) if count != before]
    several = [
        round(moment.at) for moment in scene.moments if moment.scrape.value("pprof_several_processes_info", target=name)
    ]
    print(service, counts[-1], rises, scene.changes(service), "several:", several)
    assert scene.value("pprof_restarts_total", service) == RESTARTS
    assert scene.changes(service) == {}
    assert scene.value("pprof_several_processes_info", service) == 0
