"""What is done to services, as functions of a scenario that runs."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.detection.gateway import PPROF, Gateway, Mode
from tests.detection.programs import Build, Service
from tests.detection.scenario import Act, Life
from tests.lab.rewrite import Change


def each(*acts: Act) -> Act:
    """One after the other."""

    def act(life: Life) -> None:
        for one in acts:
            one(life)

    return act


def switched(name: str, value: int) -> Act:
    """A fault of the program, for each of its services."""

    def act(life: Life) -> None:
        for service in life.services:
            service.switch(name, value)

    return act


def off(*names: str) -> Act:
    """No such fault any more."""
    return each(*(switched(name, 0) for name in names))


def answering(mode: Mode, *names: str) -> Act:
    """The gateway answers all requests to pprof, or those with these names, in this mode."""
    return lambda life: life.proxy.answer(mode, *(names or (PPROF,)))


def answering_by(mode: Callable[[Gateway], Mode]) -> Act:
    """As `answering`, in a mode that asks the gateway."""
    return lambda life: life.proxy.answer(mode(life.proxy), PPROF)


def changed(change: Change, *names: str) -> Act:
    """The gateway changes the profiles with these names."""
    return lambda life: life.proxy.change(change, *names)


def healed(life: Life) -> None:
    """The gateway answers as the service does."""
    life.proxy.heal()


def unreachable(life: Life) -> None:
    """Connections are refused."""
    life.proxy.close()


def reachable(life: Life) -> None:
    """Connections are accepted again."""
    life.proxy.open()


def balanced(life: Life) -> None:
    """The gateway leads to all services in turns."""
    life.proxy.lead_to([service.address for service in life.services])


def unbalanced(life: Life) -> None:
    """The gateway leads to the first service."""
    life.proxy.lead_to([life.service.address])


def replaced(build: Build, *arguments: str) -> Act:
    """Another build, or other flags, for each service."""

    def act(life: Life) -> None:
        for service in life.services:
            service.replace(build, *arguments)

    return act


def restarted(life: Life) -> None:
    """Each service ends and is started again."""
    for service in life.services:
        service.restart()


def ended(life: Life) -> None:
    """The process is gone."""
    life.service.stop()


def started(life: Life) -> None:
    """The process is there again."""
    life.service.start()


def frozen(life: Life) -> None:
    """The process makes no progress."""
    life.service.signal(signal.SIGSTOP)


def thawed(life: Life) -> None:
    """The process goes on."""
    life.service.signal(signal.SIGCONT)


def again_each(minutes: float, act: Callable[[Service], object]) -> Act:
    """Do something again and again, each time so many minutes of the rules have passed."""
    return lambda life: life.repeat(minutes * 60 * life.pace.scale, lambda: act(life.service))


def settled(life: Life) -> None:
    """Nothing is done again and again any more."""
    life.settle()
