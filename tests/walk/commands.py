"""The two commands with which the README opens."""

from __future__ import annotations

import re
from pathlib import Path

from tests.walk.asking import EXPORTER, got, is_up
from tests.walk.diary import Diary, expect, until
from tests.walk.machine import Machine, are_free, fresh

PACKAGES = ("make", "python3", "python3-venv", "ca-certificates")
"""What the README asks for, as Debian divides it. Certificates come with any installation but the smallest."""
COMPILER = ("gcc", "libc6-dev", "python3-dev")
"""What the compiled reader is built with."""


def walk(root: Path, diary: Diary) -> None:
    """`make demo` until its page shows that it works, then `make test`."""
    are_free([9717])
    with diary.step("a Debian with Python alone (debootstrap)"):
        machine = fresh(root, PACKAGES)
    with diary.step("`make demo`, until both targets are up"), machine.started("exec make demo"):
        until("both targets are up", _both_are_up, within=300)
        expect('reader="python"' in got(EXPORTER, "/metrics"), "it reads with compiled code, and there is no compiler")
    machine.run(f"apt-get update && apt-get install --yes --no-install-recommends {' '.join(COMPILER)} && make clean")
    with diary.step("`make test`"):
        print(_summary(machine))


def _both_are_up() -> bool:
    return is_up("linux") and is_up("windows")


def _summary(machine: Machine) -> str:
    """What each of the two runs of pytest said at its end. Nothing may be skipped, as on CI."""
    said = machine.run("CI=true make test || echo it failed")
    ends = re.findall(r"^=+ (.*passed.*) =+$", said, re.MULTILINE)
    failed = re.findall(r"^(?:FAILED|ERROR) .*$", said, re.MULTILINE)
    expect(not failed, "\n".join([*failed, *ends]))
    expect(len(ends) == 2 and "it failed" not in said, f"`make test` ended with {said[-2000:]}")
    return "\n".join(f"    {end}" for end in ends)
