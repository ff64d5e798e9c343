"""A Windows update and a foreign module are seen in the profiles alone, each as itself and as nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.lab import exporter, free_port, go, wine
from tests.lab.exporter import Exporter, Scrape
from tests.lab.target import running

VERSION = "1.24.11"


def changes(now: Scrape) -> dict[str, float]:
    return {labels["change"]: value for labels, value in now.find("pprof_changes_total") if value}


def read_again(program: Exporter) -> Scrape:
    """The metrics once the target has been seen up, and read, for another time."""
    done = program.scrape().value("pprof_fetches_total", profile="goroutine", outcome="success") or 0
    return program.wait_for(
        lambda now: (now.value("pprof_fetches_total", profile="goroutine", outcome="success") or 0) >= done + 2
    )


def test_a_windows_update_and_a_security_module_are_told_apart(fast: Path, tmp_path: Path) -> None:
    listen = ("-listen", f"127.0.0.1:{free_port()}")
    target = listen[1]
    program = go.build(VERSION, "windows")
    flags = (f"--config.file={fast}", f"--storage.path={tmp_path / 'store'}")
    with exporter.running(target, *flags) as watching:
        with running(program, *listen, wine=True):
            before = read_again(watching)
            assert changes(before) == {}
        with running(program, *listen, wine=True):
            assert changes(read_again(watching)) == {}
        with wine.updated(), running(program, *listen, wine=True) as updated:
            watching.wait_for(lambda now: bool(changes(now)))
            # Not every profile lists all modules: some are loaded later.
            now = read_again(watching)
            assert changes(now) == {"operating_system": 1}
            assert now.value("pprof_last_change_timestamp_seconds", change="operating_system") is not None
            times = {labels["module"]: value for labels, value in now.find("pprof_system_module_timestamp_seconds")}
            for labels, value in before.find("pprof_system_module_timestamp_seconds"):
                assert times[labels["module"]] > value
            updated.control("module", path=wine.agent())
            watching.wait_for(lambda now: bool(now.find("pprof_foreign_module_info")))
            loaded = read_again(watching)
            assert changes(loaded) == {"operating_system": 1, "modules": 1}
            ((module, _),) = loaded.find("pprof_foreign_module_info")
            assert "\\" not in module["module"]
            watching.wait_for(
                lambda now: bool(now.find("pprof_signal_median", signal="fetch_duration_seconds:goroutine")), within=60
            )
        assert watching.stop() == 0
    with exporter.running(target, *flags) as again, wine.updated(), running(program, *listen, wine=True):
        # The store remembers over a restart: without the module again, the epoch of the update comes back.
        assert set(changes(read_again(again))) <= {"modules"}
