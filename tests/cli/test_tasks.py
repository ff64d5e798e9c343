"""Each background task of a running exporter dies in turn: it is logged, counted, started again; nothing says success.

The tasks are those of `BackgroundTask`, so a new one has to be tried here too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.cli import serve as serving_module
from pprof_exporter.cli.serve import Service, serve
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.config.listen_address import Listen
from pprof_exporter.supervision import Supervisor, Work
from pprof_exporter.web.security import WebSecurity
from tests.faults.servers import healthy, serving
from tests.scrape.fakes import settings

FASTER = 100
"""How much faster than the system's the clock of the exporter runs."""
PATIENCE = 120.0
FLEET = 110
"""More targets than are started at once, and than are rendered on request."""

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Surprise(Exception):
    """A fault of ours."""


class QuickClock(SystemClock):
    """Hours within a minute."""

    def steady(self) -> float:
        return self._origin + (super().steady() - self._origin) * FASTER

    def now(self) -> float:
        return self.steady()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / FASTER)


@dataclass
class Breaker:
    """Ends the work of one task with an error, at once and as long as it is `broken`."""

    broken: BackgroundTask | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    runs: dict[BackgroundTask, int] = field(default_factory=dict)
    """How often the work of each task went on without an error."""

    def set(self, task: BackgroundTask | None) -> None:
        self.broken = task
        self.changed.set()
        self.changed = asyncio.Event()

    def check(self, task: BackgroundTask) -> None:
        if self.broken is task:
            raise Surprise(task)

    async def run(self, task: BackgroundTask, work: Work) -> None:
        self.check(task)
        self.runs[task] = self.runs.get(task, 0) + 1
        running = asyncio.ensure_future(work())
        try:
            while not running.done():
                change = asyncio.ensure_future(self.changed.wait())
                await asyncio.wait({running, change}, return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
                self.check(task)
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def ticks() -> AsyncIterator[int]:
    for number in count():
        yield number
        await asyncio.sleep(0.02)


def value(series: Series, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(number for (of, having), number in series.items() if of == name and wanted <= having)


@dataclass
class Scene:
    """A running exporter, in the event loop of the test."""

    url: str
    folder: Path
    breaker: Breaker
    client: aiohttp.ClientSession
    target: str

    async def scrape(self) -> Series:
        async with self.client.get(f"{self.url}/metrics") as reply:
            assert reply.status == 200
            text = await reply.text()
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def wait_for(self, holds: Callable[[Series], bool]) -> Series:
        async with asyncio.timeout(PATIENCE):
            async for _ in ticks():
                if holds(series := await self.scrape()):
                    return series
        raise AssertionError("never reached")

    def discover(self, *targets: str) -> None:
        (self.folder / "new.json").write_text(json.dumps([{"targets": targets}]))
        (self.folder / "new.json").replace(self.folder / "targets.json")

    async def trigger(self, task: BackgroundTask) -> None:
        """Have the exporter start a task that does not run all the time."""
        match task:
            case BackgroundTask.MERGE:
                self.discover(f"http://127.0.0.1:1/{Random().random()}/debug/pprof")
            case BackgroundTask.START:
                # The same targets with other settings begin anew.
                config = self.folder / "config.yaml"
                config.write_text(configuration(self.target, interval=f"{600 + Random().randrange(1000)}s"))
            case BackgroundTask.CAPTURE:
                alert = {"status": "firing", "labels": {"alertname": "PprofFetchSlow", "target": self.target}}
                async with self.client.post(f"{self.url}/-/alert", json={"version": "4", "alerts": [alert]}) as reply:
                    assert reply.status == 200, await reply.text()


def configuration(target: str, interval: str = "600s") -> str:
    return f"""
global: {{scrape_interval: {interval}, scrape_timeout: 5s}}
profiles: {{cpu: {{enabled: false}}}}
evidence:
  webhook: {{interval: 1s}}
  push: {{url: "http://127.0.0.1:1"}}
scrape_configs:
  - job_name: fleet
    static_configs:
      - targets: [{target}, {", ".join(f"'http://127.0.0.1:1/{number}/debug/pprof'" for number in range(FLEET))}]
  - job_name: found
    file_sd_configs: [{{files: [targets.json], refresh_interval: 5s}}]
"""


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    breaker = Breaker()
    original = Supervisor.start

    def start(self: Supervisor, task: BackgroundTask, work: Work, **how: object) -> asyncio.Task[None]:
        return original(self, task, lambda: breaker.run(task, work), **how)  # type: ignore[arg-type] # as given

    async def no_garbage(clock: SystemClock) -> None:
        # The collector is that of the whole process, which is the one of all tests.
        await asyncio.Event().wait()

    monkeypatch.setattr(Supervisor, "start", start)
    monkeypatch.setattr(serving_module, "SystemClock", QuickClock)
    monkeypatch.setattr(serving_module, "collect_garbage_in_steps", no_garbage)
    with serving() as servers:
        target = servers.start(healthy)
        file = tmp_path / "config.yaml"
        file.write_text(configuration(target))
        (tmp_path / "targets.json").write_text("[]")

        def load() -> Settings:
            return load_config(file, settings())

        service = Service(
            settings=load(),
            addresses=[Listen("127.0.0.1", 0)],
            security=WebSecurity(),
            load=load,
            config=file,
            watch=True,
            lifecycle=True,
            storage=tmp_path / "epochs.sqlite",
            evidence=tmp_path / "evidence",
        )
        stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
        running = asyncio.create_task(serve(service, stop=stop, ready=lambda urls: ready.set_result(urls[0])))
        async with aiohttp.ClientSession() as client:
            yield Scene(await asyncio.wait_for(ready, PATIENCE), tmp_path, breaker, client, target)
        stop.set()
        assert await asyncio.wait_for(running, PATIENCE) == 0


def restarts(series: Series, task: BackgroundTask) -> float:
    return value(series, "pprof_exporter_task_restarts_total", task=task)


REFRESHES, EVIDENCE = "pprof_exporter_discovery_refreshes_total", "pprof_exporter_evidence_troubles_total"
FAILS: dict[BackgroundTask, Callable[[Series], bool]] = {
    BackgroundTask.CONFIG_WATCHER: lambda now: value(now, "pprof_exporter_config_last_reload_successful") == 0,
    BackgroundTask.STORE: lambda now: value(now, "pprof_exporter_storage_troubles_total", trouble="internal") > 0,
    BackgroundTask.DISCOVERY: lambda now: value(now, REFRESHES, outcome="failure") > 0,
    BackgroundTask.MERGE: lambda now: value(now, REFRESHES, outcome="failure") > 0,
    BackgroundTask.EVIDENCE: lambda now: value(now, EVIDENCE, trouble="internal") > 0,
    BackgroundTask.CAPTURE: lambda now: value(now, EVIDENCE, trouble="internal") > 0,
    BackgroundTask.PUSH: lambda now: value(now, "pprof_exporter_evidence_pushes_total", outcome="failure") > 0,
}
"""What shows the success of a task, and must not while it is down."""
WITHOUT = {
    BackgroundTask.GARBAGE: "memory is what it is",
    BackgroundTask.LOAD: "pprof_exporter_loop_lag_seconds_count stands still",
    BackgroundTask.TARGET: "pprof_fetches_total of the target stands still",
    BackgroundTask.START: "pprof_exporter_targets is too low",
    BackgroundTask.RENDERING: "pages are rendered on request",
}
"""Tasks without such a metric, and what shows them."""


def test_every_task_has_a_metric_of_its_success_or_none_is_needed() -> None:
    assert set(FAILS) | set(WITHOUT) == set(BackgroundTask)


@pytest.mark.parametrize("task", BackgroundTask)
async def test_a_task_that_dies_comes_back(
    scene: Scene, task: BackgroundTask, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.wait_for(lambda now: value(now, "pprof_exporter_targets") == FLEET + 1)
    scene.breaker.set(task)
    await scene.trigger(task)
    says_failure = FAILS.get(task, bool)
    now = await scene.wait_for(lambda now: restarts(now, task) > 0 and says_failure(now))
    assert value(now, "pprof_exporter_internal_errors_total") > 0
    lines = [record for record in caplog.records if record.exc_info and task in str(record.__dict__.get("fields"))]
    assert len(lines) == 1, "one line with a traceback"

    before = scene.breaker.runs.get(task, 0)
    scene.breaker.set(None)
    # A capture is given up after some tries; the next alert has another one.
    await scene.trigger(task)
    async with asyncio.timeout(PATIENCE):
        async for _ in ticks():
            if scene.breaker.runs.get(task, 0) > before:
                break
    await scene.wait_for(
        lambda now: (
            value(now, "pprof_exporter_config_last_reload_successful") == 1
            and value(now, "pprof_up", target=scene.target) == 1
        )
    )


async def test_every_other_error_of_a_reload_is_a_failed_reload(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def surprise(*_: object) -> Settings:
        raise Surprise

    await scene.wait_for(lambda now: value(now, "pprof_exporter_targets") == FLEET + 1)
    monkeypatch.setattr("pprof_exporter.config.file.load_yaml", surprise)
    (scene.folder / "config.yaml").write_text("{}")
    now = await scene.wait_for(lambda now: value(now, "pprof_exporter_config_last_reload_successful") == 0)
    assert value(now, "pprof_exporter_targets") == FLEET + 1
    assert "the previous configuration stays in use" in caplog.text
    async with scene.client.post(f"{scene.url}/-/reload") as reply:
        text = await reply.text()
    assert reply.status == 500
    assert "its traceback is in the log" in text
    assert "Traceback" not in text
    monkeypatch.undo()
    async with scene.client.post(f"{scene.url}/-/reload") as reply:
        assert reply.status == 200
    now = await scene.scrape()
    assert value(now, "pprof_exporter_config_last_reload_successful") == 1
    assert value(now, "pprof_exporter_targets") == 0
