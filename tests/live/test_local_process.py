"""The process behind a port names the Go version of the binary that runs, whatever lies at its path meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from yarl import URL

from pprof_exporter.profile import GoVersion
from pprof_exporter.profile.goversion import VersionSource
from pprof_exporter.scrape.target.local_process import LocalProcess, LocalProcesses
from tests.lab.go import VERSIONS, build
from tests.lab.target import Target, running
from tests.scrape.fakes import FakeClock


async def found_of(processes: LocalProcesses, target: Target) -> LocalProcess:
    url = URL(target.url)
    assert url.host
    assert url.port
    found = await processes.find(url.host, url.port)
    assert found is not None
    assert found.pid == target.pid
    assert found.go.source is VersionSource.BINARY
    return found


async def test_an_upgrade_on_one_port_is_seen_at_once_and_not_before_the_restart(
    tmp_path: Path, clock: FakeClock
) -> None:
    program, processes = tmp_path / "target", LocalProcesses(clock)
    before = None
    listen = "127.0.0.1:0"
    for version, following in zip(VERSIONS, [*VERSIONS[1:], VERSIONS[0]], strict=True):
        install(version, program)
        with running(program, f"-listen={listen}") as target:
            found = await found_of(processes, target)
            assert found.go.exact == GoVersion.parse(target.go) == GoVersion.parse(f"go{version}")
            assert found.executable == str(program)
            assert before is None or before.started < found.started
            install(following, program)
            clock.time += 61
            again = await found_of(processes, target)
            assert (again.go, again.executable, again.started) == (found.go, found.executable, found.started)
            assert again.cpu_seconds <= (await found_of(processes, target)).cpu_seconds
            before, listen = found, target.url.removeprefix("http://")


async def test_cpu_seconds_are_those_of_the_program(clock: FakeClock) -> None:
    with running(build(VERSIONS[-1])) as target:
        said = float(target.stats()["cpu_seconds"])
        assert (await found_of(LocalProcesses(clock), target)).cpu_seconds == pytest.approx(said, abs=0.1)


def install(version: str, program: Path) -> None:
    """Replace the file, as a package manager does; a running program keeps the old one."""
    fresh = program.with_suffix(".new")
    shutil.copy(build(version), fresh)
    fresh.replace(program)
