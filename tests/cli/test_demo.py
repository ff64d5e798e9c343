"""The demo needs no Go, and shows what it promises."""

from __future__ import annotations

import asyncio

from pytest_aiohttp.plugin import AiohttpClient

from pprof_exporter.demo import STORY, Story, replay_app, systems
from pprof_exporter.profile import KINDS, decode, read_index, totals
from tests.lab import exporter


def test_the_story_goes_on_and_begins_again() -> None:
    story = Story(began=100, pace=10)
    assert [story.phase(100 + 10 * step) for step in range(len(STORY) + 1)] == [*STORY, STORY[0]]


async def test_every_phase_of_every_system_answers_like_pprof(aiohttp_client: AiohttpClient) -> None:
    for system in systems():
        for number, phase in enumerate(STORY):
            app = replay_app(system, Story(began=0, pace=1), lambda: float(number))  # noqa: B023 - used within the turn
            client = await aiohttp_client(app)
            index = read_index(await (await client.get("/debug/pprof/")).read())
            for kind in KINDS.values():
                assert index.lists(kind.path), (system, phase)
                if kind.window:
                    continue
                profile = decode(await (await client.get(f"/debug/pprof/{kind.path}")).read())
                assert profile.time_nanos > 1.7e18
            assert (await client.get("/debug/pprof/nosuch")).headers["X-Go-Pprof"] == "1"


async def test_a_window_takes_its_time(aiohttp_client: AiohttpClient) -> None:
    app = replay_app("linux", Story(began=0, pace=1), lambda: 1.0)
    client = await aiohttp_client(app)
    loop = asyncio.get_running_loop()
    began = loop.time()
    profile = decode(await (await client.get("/debug/pprof/profile?seconds=1")).read())
    assert loop.time() - began >= 1
    assert totals(profile)[1] > 3e9


def test_the_command_prints_addresses_and_its_metrics_hold_every_kind() -> None:
    with exporter.running("demo", "--pace=5s") as program:
        assert f"{program.url}/metrics" in program.log
        now = program.wait_for(
            lambda now: len(now.find("pprof_profile_samples")) == len(systems()) * len(KINDS), within=30
        )
        assert now.value("pprof_up", target="windows") == 1
        assert now.value("pprof_up", target="linux") == 1
        assert program.stop() == 0
        assert "Traceback" not in program.log
