"""Go's own reader of profiles, google/pprof as every Go toolchain carries it, as a process that answers questions."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import Missing, exclusive, go, run

SOURCE = Path(__file__).parent / "go" / "main.go"
MODULE = "github.com/google/pprof"


def build(version: str = go.VERSIONS[-1]) -> Path:
    """Build `go/main.go` with the sources of google/pprof of a Go toolchain; nothing is fetched besides Go itself.

    A module outside of Go may not import what the `cmd` module vendors, hence a copy of that one folder below `.lab`.
    """
    command = toolchain = go.toolchain(version)
    vendored = toolchain.parents[1] / "src" / "cmd" / "vendor" / MODULE / "profile"
    if not vendored.is_dir():
        raise Missing(f"Go {version} carries no sources of {MODULE}")
    with exclusive(f"google-pprof-{version}") as folder:
        program, stamp = folder / "decode", folder / "source.sha256"
        digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
        if program.exists() and stamp.exists() and stamp.read_text() == digest:
            return program
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(vendored, folder / "pprof" / "profile")
        minor = ".".join(version.split(".")[:2])
        (folder / "pprof" / "go.mod").write_text(f"module {MODULE}\n\ngo {minor}\n")
        (folder / "go.mod").write_text(
            f"module decode\n\ngo {minor}\n\nrequire {MODULE} v0.0.0\n\nreplace {MODULE} => ./pprof\n"
        )
        shutil.copy(SOURCE, folder)
        run([command, "build", "-o", program, "."], cwd=folder, env=go._environment({}))  # noqa: SLF001
        stamp.write_text(digest)
    return program


class Google:
    """The running process; each question is one line, and so is its answer. It uses one processor, as Python does."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"GOMAXPROCS": "1"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)

    def read(self, batch: Path, count: int) -> list[str]:
        """What Go finds in each of so many messages, which `write_batch` wrote; or "no" and why it refuses one.

        Entries of the four tables, three numbers of the whole, the totals, and `sums`.
        """
        return [self._ask(f"read {batch}"), *(self._answer("read") for _ in range(count - 1))]

    def parse(self, batch: Path, count: int) -> list[str]:
        """For each of so many files "ok" if `profile.ParseData` takes it, else "no" and why not."""
        return [self._ask(f"parse {batch}"), *(self._answer("parse") for _ in range(count - 1))]

    def gunzip(self, batch: Path, count: int) -> list[str]:
        """Length and CRC of the contents of each of so many streams; or "no" and why Go refuses one."""
        return [self._ask(f"gunzip {batch}"), *(self._answer("gunzip") for _ in range(count - 1))]

    def sums(self, path: Path) -> tuple[int, ...]:
        """The total of the last sample type, how many functions it has, and the sums of their flat and cum values."""
        return tuple(map(int, self._ask(f"sums {path}").split()))

    def seconds(self, path: Path, rounds: int) -> float:
        """CPU seconds that one reading and summing takes, as the mean of so many."""
        return int(self._ask(f"time {rounds} {path}")) / 1e9 / rounds

    def _ask(self, question: str) -> str:
        if self._process.stdin is None:
            raise BrokenPipeError(question)
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self._answer(question)

    def _answer(self, question: str) -> str:
        answer = self._process.stdout.readline() if self._process.stdout else ""
        if not answer:
            raise BrokenPipeError(f"no answer to {question}")
        return answer.strip()


def write_batch(path: Path, parts: Sequence[bytes]) -> None:
    """Write what `Google` reads as a batch."""
    path.write_bytes(b"".join(len(part).to_bytes(4, "little") + part for part in parts))
