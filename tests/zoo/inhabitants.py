"""The programs of the zoo while they run, each at its address and in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Missing, free_ports
from tests.lab.alertmanager import relocated
from tests.lab.debian import Suite, unpacked
from tests.lab.programs import NEW, OLD
from tests.zoo.packages import PACKAGES, Package, Place, loopback

GENERATIONS: dict[Suite, str] = {OLD: "old", NEW: "new"}
READY_WITHIN = 90.0
"""Seconds until all programs answer, on a machine that is busy with their start."""
_ALERTMANAGER, _PROMETHEUS = "alertmanager", "prometheus"
_EVERY = [(package, generation) for package in PACKAGES for generation in GENERATIONS]


@dataclass(frozen=True, slots=True)
class Inhabitant:
    """One program of one generation."""

    package: Package
    generation: Suite
    executable: Path
    place: Place
    process: subprocess.Popen[bytes]

    @property
    def name(self) -> str:
        """As in `etcd-old`."""
        return name_of(self.package, self.generation)

    @property
    def address(self) -> str:
        """Where the exporter finds it, which is its name in the metrics."""
        return loopback(self.place.pprof)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def log(self) -> str:
        """Its last words."""
        return (self.place.folder / "output").read_text(errors="replace")[-1000:]


def name_of(package: Package, generation: Suite) -> str:
    """The name of a program in tables and labels."""
    return f"{package.name}-{GENERATIONS[generation]}"


@dataclass(frozen=True, slots=True)
class Zoo:
    """The programs that run, and why others do not, by name: Debian's newest packages change at any time."""

    living: list[Inhabitant]
    absent: dict[str, str]


@contextlib.contextmanager
def running(folder: Path, prometheus: dict[str, Any]) -> Iterator[Zoo]:
    """Start all programs at once and wait until each is ready; end them with the block.

    `prometheus` is what the configuration of both Prometheis has besides the scrapes of all others. Of the old
    generation, raises `Missing` when a package cannot be had, and `RuntimeError` with the last words of a program that
    does not start.
    """
    absent: dict[str, str] = {}
    executables = _fetched(absent)
    places = _places(folder, list(executables))
    for name, place in places.items():
        if name.startswith(_PROMETHEUS):
            place.write("config.yml", json.dumps(_configuration(prometheus, places)))
    with contextlib.ExitStack() as stack:
        living = []
        for package, generation in _EVERY:
            if (name := name_of(package, generation)) in executables:
                one = _start(package, generation, executables[name], places[name])
                stack.callback(_end, one)
                living.append(one)
        deadline = time.monotonic() + READY_WITHIN
        for one in list(living):
            try:
                _wait(one, deadline)
            except RuntimeError as error:
                if one.generation == OLD:
                    raise
                living.remove(one)
                absent[one.name] = str(error)
        yield Zoo(living, absent)


def _fetched(absent: dict[str, str]) -> dict[str, Path]:
    """Where each program is, by name. `absent` gets the reasons for those of the new generation that cannot be had."""
    found = {}
    for package, generation in _EVERY:
        name = name_of(package, generation)
        try:
            found[name] = _executable(package, generation)
        except Missing as error:
            if generation == OLD:
                raise
            absent[name] = str(error)
    return found


def _places(folder: Path, names: Sequence[str]) -> dict[str, Place]:
    found = {}
    ports = iter(free_ports(3 * len(names)))
    for name in names:
        own = folder / name
        own.mkdir(parents=True)
        found[name] = Place(own, next(ports), next(ports), next(ports))
    return found


def _configuration(prometheus: dict[str, Any], places: dict[str, Place]) -> dict[str, Any]:
    """Scrape every program each second, whether it has metrics or not, as a first try of somebody would."""
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [loopback(place.pprof)]}]} for name, place in places.items()
    ]
    return {**prometheus, "scrape_configs": [*prometheus["scrape_configs"], *jobs]}


def _executable(package: Package, generation: Suite) -> Path:
    root = unpacked([package.debian], generation)
    program = root / "usr" / (package.program or f"bin/{package.debian}")
    if not program.exists():
        raise Missing(f"{package.debian} of Debian {generation} has no {program.relative_to(root)}")
    return relocated(program) if package.name == _ALERTMANAGER else program


def _start(package: Package, generation: Suite, executable: Path, place: Place) -> Inhabitant:
    arguments = [str(word) for word in package.arguments(place)]
    # Where an Alertmanager finds its templates (`relocated`).
    (place.folder / "usr").symlink_to(executable.parents[1])
    with (place.folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [str(executable), *arguments],
            cwd=place.folder,
            env=_environment(package, place),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Inhabitant(package, generation, executable, place, process)


def _environment(package: Package, place: Place) -> dict[str, str]:
    """Next to nothing: what the caller has set would change what the programs do, and where they write."""
    own = {name: value.format(pprof=place.pprof) for name, value in package.environment.items()}
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(place.folder), **own}


def _wait(one: Inhabitant, deadline: float) -> None:
    last = ""
    while one.process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(one.url + one.package.ready, timeout=5):
                return
        except OSError as error:
            last = str(error)
            time.sleep(0.05)
    raise RuntimeError(f"{one.name} did not start: {last}\n{one.log}")


def _end(one: Inhabitant) -> None:
    """At once: what it has written is thrown away."""
    one.process.kill()
    one.process.wait()


def labelled(living: Sequence[Inhabitant]) -> list[dict[str, Any]]:
    """The programs as `static_configs` of the exporter: each is a service of its own."""
    return [{"targets": [one.address], "labels": {"service": one.name}} for one in living]


NAMES = [name_of(*one) for one in _EVERY]
"""All programs."""
