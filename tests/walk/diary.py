"""What a walk did, and how long each step took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Found = TypeVar("Found")
_PAUSE = 0.5


class Astray(Exception):
    """The documentation led to something else than it says; the text says what."""


class Diary:
    """Prints each step with its time, and the whole as a table at the end."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, float]] = []

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Time what is done within."""
        print(f"{what} ...", flush=True)
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self._steps.append((what, took))
        print(f"    {took:.0f} s", flush=True)

    def table(self) -> str:
        """Every step with its seconds, in Markdown, as the documentation has them."""
        rows = [f"| {what} | {took:.0f} s |" for what, took in self._steps]
        return "\n".join(["| step | time |", "| --- | ---: |", *rows])


def expect(condition: object, what: str) -> None:
    """Go on only if it is so; raise `Astray` with WHAT otherwise."""
    if not condition:
        raise Astray(what)


def succeeded(command: str, code: int, said: str) -> str:
    """What a command said; raise `Astray` with its last words if it failed."""
    if code != 0:
        last = "\n".join(said.strip().splitlines()[-30:])
        raise Astray(f"`{command}` exited with {code}:\n{last}")
    return said


def until(what: str, question: Callable[[], Found], *, within: float) -> Found:
    """Ask until the answer is true, and return it; raise `Astray` after WITHIN seconds. Not being answered is a no."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = answer = question()
        except (OSError, ValueError) as error:
            last = error
        else:
            if answer:
                return answer
        time.sleep(_PAUSE)
    raise Astray(f"not within {within:.0f} s: {what} (at last: {last!r})")
