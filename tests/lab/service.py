"""A Go program at one address, which can be ended, started again and replaced while it is watched."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import Missing, free_port
from tests.lab.rewrite import Rewriter, rewriting
from tests.lab.target import Target, running

PORT_TAKEN = 15.0
"""Seconds to wait while a connection of another program has the port: between two runs it belongs to nobody."""


@dataclass
class Service:
    """A Go program that can be killed and started again at its address, and a proxy before it if it has one."""

    name: str
    program: Path
    wine: bool = False
    proxied: bool = False
    arguments: tuple[str, ...] = ()
    """Flags of the program, besides its address."""
    yields: bool = True
    """Whether it takes only the processor time that others leave: what is watched then disturbs no watching."""
    address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    _life: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _target: Target | None = None
    proxy: Rewriter | None = None

    @property
    def target(self) -> Target:
        """The program that runs now."""
        assert self._target is not None, f"{self.name} does not run"
        return self._target

    @property
    def watched(self) -> str:
        """Where the exporter finds it: HOST:PORT, its name in the metrics."""
        return self.proxy.url.removeprefix("http://") if self.proxy else self.address

    def start(self) -> None:
        """Run it. Raises `Missing` if it does not start."""
        deadline = time.monotonic() + PORT_TAKEN
        while True:
            try:
                self._target = self._life.enter_context(
                    running(self.program, "-listen", self.address, *self.arguments, wine=self.wine, nice=self.yields)
                )
            except Missing as error:
                if "address already in use" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """End it at once."""
        self._life.close()
        self._target = None

    def restart(self) -> None:
        """End it, and run it again."""
        self.stop()
        self.start()

    def replace(self, program: Path) -> None:
        """End it, and run another program at its address."""
        self.program = program
        self.restart()


@contextlib.contextmanager
def started(services: Sequence[Service]) -> Iterator[None]:
    """Run them all, with their proxies."""
    with contextlib.ExitStack() as stack:
        for service in services:
            stack.callback(service.stop)
            service.start()
            if service.proxied:
                service.proxy = stack.enter_context(rewriting(f"http://{service.address}"))
        yield
