"""What a scenario is: a service, what is done to it, and which alerts are claimed to tell it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.detection.gateway import Gateway
from tests.detection.programs import Build, Service


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the time of a batch goes, and how long its parts are, in seconds of the clock on the wall.

    The rules have `scale` as factor on each range and wait, the exporter has intervals that fit.
    """

    scale: float
    index: float
    """Seconds between two fetches of the index page."""
    interval: float
    """Seconds between two fetches of most profiles."""
    cpu_interval: float
    cpu_window: float
    healthy: float
    """Seconds of healthy life before the fault, after all targets are up."""
    fault: float
    """Seconds in which the fault has to be told."""
    least: float
    """Seconds that the fault lasts at least: what else is told needs its time, too."""
    recovery: float
    """Seconds in which all alerts have to resolve."""

    def minutes(self, seconds: float) -> float:
        """Minutes of the rules as they are shipped."""
        return seconds / self.scale / 60


HOURS = Pace(1 / 60, 1, 3, 6, 2, healthy=100, fault=240, least=120, recovery=280)
"""An hour is a minute."""
SAMPLES = Pace(1 / 60, 2, 5, 5, 4, healthy=80, fault=150, least=100, recovery=240)
"""As HOURS, with more and longer CPU profiles: a light load has enough samples in half a minute."""
MINUTES = Pace(1 / 20, 1, 1, 6, 1, healthy=80, fault=330, least=100, recovery=200)
"""An hour is three minutes: slow enough for rules that look at single minutes."""
DAYS = Pace(1 / 360, 1, 1, 5, 1, healthy=330, fault=330, least=180, recovery=240)
"""A day is four minutes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Scenarios that are watched by one exporter and one Prometheus at the same time."""

    name: str
    pace: Pace
    said: str


REPLIES = Batch("replies", HOURS, "replies of pprof that fail, lie, or come late")
PROCESSES = Batch("processes", HOURS, "the process and its runtime")
PROFILES = Batch("profiles", SAMPLES, "samples and clocks in profiles")
BUSY = Batch("busy", SAMPLES, "CPU samples of busy services, which need the processors for themselves")
UPGRADES = Batch("upgrades", HOURS, "builds that replace others")
FAST = Batch("fast", MINUTES, "growth within minutes")
LONG = Batch("long", DAYS, "what takes hours and days")
BATCHES = (REPLIES, PROCESSES, PROFILES, BUSY, UPGRADES, FAST, LONG)


@dataclass
class Life:
    """A scenario that runs: its services, its gateway, and what is done to it again and again."""

    services: list[Service]
    gateway: Gateway | None
    pace: Pace
    _ended: threading.Event | None = None
    _thread: threading.Thread | None = None
    troubles: list[str] = field(default_factory=list)

    @property
    def service(self) -> Service:
        """The first service."""
        return self.services[0]

    @property
    def proxy(self) -> Gateway:
        """The gateway of a scenario that has one."""
        assert self.gateway is not None, f"{self.service.name} has no gateway"
        return self.gateway

    @property
    def watched(self) -> list[str]:
        """Where the exporter finds it: HOST:PORT of each target."""
        return [self.gateway.address] if self.gateway else [service.address for service in self.services]

    def repeat(self, every: float, act: Callable[[], object]) -> None:
        """Do this now, and again each time so many seconds have passed, until `settle`."""
        ended = threading.Event()

        def loop() -> None:
            while not ended.is_set():
                try:
                    act()
                except Exception as error:  # noqa: BLE001 - whatever it is, the scenario has not happened as described
                    self.troubles.append(repr(error))
                ended.wait(every)

        self._ended, self._thread = ended, threading.Thread(target=loop, daemon=True)
        self._thread.start()

    def settle(self) -> None:
        """Repeat nothing any more."""
        if self._ended is not None and self._thread is not None:
            self._ended.set()
            self._thread.join(60)

    def end(self) -> None:
        """Stop everything."""
        self.settle()
        for service in self.services:
            service.stop()
        if self.gateway is not None:
            with contextlib.suppress(OSError):
                self.gateway.close()


Act = Callable[[Life], object]


def nothing(life: Life) -> None:
    """Leave it as it is."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One service, and a fault that begins after healthy life and ends again; a healthy one has no fault."""

    name: str
    batch: Batch
    said: str
    """What happens, for the table."""
    mode: str = ""
    """Its failure mode; "" for a healthy scenario."""
    claimed: tuple[str, ...] = ()
    """Alerts of severity warning or critical that tell it. Each has to be notified."""
    companions: tuple[str, ...] = ()
    """Alerts that are true of this fault, too, and may be notified beside the claimed ones."""
    unclaimed: str = ""
    """Why nobody claims to tell this fault; "" for one that is claimed."""
    begin: Act = nothing
    end: Act = nothing
    shape: str = "api"
    build: Build = field(default_factory=Build)
    builds: tuple[Build, ...] = ()
    """Of each of its services, if they differ."""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    gateway: bool = False
    replicas: int = 1
    """Services alike. Without a gateway each is a target; a gateway leads to the first until `begin` names others."""
    windows: bool = False
    """Whether the gateway makes its profiles look like those of Windows, from the start."""
    from_start: bool = False
    """Whether the fault is there before the exporter sees the target."""
    lasting: tuple[str, ...] = ()
    """Claimed alerts that outlast the recovery by design."""

    @property
    def healthy(self) -> bool:
        """Whether nothing may be told of it."""
        return not self.mode
