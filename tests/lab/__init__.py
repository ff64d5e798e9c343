"""The real things that tests run against: Go of several versions, Wine, Prometheus.

Each module fetches one thing into `.lab/` (or finds it on the machine) and starts it on loopback.
What cannot be had raises `Missing`, which the test session turns into a skip with its reason,
or into a failure when `CI=true`.
"""

from __future__ import annotations

import contextlib
import fcntl
import random
import shlex
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LAB = PROJECT / ".lab"
PATIENCE = 900.0
"""Seconds after which a program that is waited for hangs. At the lowest priority, beside real programs on a busy
machine, half a minute of work takes several."""
GIVES_WAY = ("nice", "-n", "10")
"""Begin of the command of a program that gets the processor time that its watchers leave, and a tenth of theirs.

It must not have a session of its own: Linux shares the processors among sessions, and priorities count within one only
(sched(7), "autogroup"). It would get as much as all that watches it together.
"""
_PORTS = range(20_000, 32_000)
"""Below those from which systems serve clients, and servers that ask for any port: Linux from 32768, others from 49152.
Of these, one that was free a moment ago was taken by a client before its program had started."""
_ANY = random.SystemRandom()


class Missing(Exception):
    """A tool that this machine does not have and that could not be fetched; the text says why."""


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = PATIENCE,
) -> str:
    """Run to its end, return standard output; raise `Missing` with the last words of a failed command."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=cwd, env=env, timeout=timeout, capture_output=True, check=False, text=True, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{shlex.join(words)}: {error}") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Missing(f"{shlex.join(words)} exited with {done.returncode}: {' | '.join(last)}")
    return done.stdout


@contextlib.contextmanager
def exclusive(name: str) -> Iterator[Path]:
    """Hold `.lab/NAME.lock` so that parallel test workers do not fetch the same thing twice."""
    LAB.mkdir(exist_ok=True)
    path = LAB / f"{name}.lock"
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield LAB / name


def free_port() -> int:
    """A TCP port on loopback that is free, and that the system gives to nobody else."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different ports of that kind."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = _ANY.choice(_PORTS)
            try:
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found
