"""What `pprof-exporter demo` does once its flags are read: targets that replay recordings, and the exporter."""

from __future__ import annotations

import asyncio
import contextlib
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from pprof_exporter.cli.logs import set_up_logs
from pprof_exporter.cli.output import complain, say
from pprof_exporter.cli.serve import Service, serve
from pprof_exporter.config import Settings, Target, parse_target
from pprof_exporter.config.listen_address import Listen
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.demo import STORY, NoGo, Story, live_target, replay_app, systems
from pprof_exporter.web import WebSecurity, start_sites

_LOOPBACK = Listen("127.0.0.1", 0)


def serve_demo(options: Namespace) -> int:
    """Run until interrupted; returns the exit code."""
    set_up_logs(options.__dict__["log.level"], options.__dict__["log.format"])
    try:
        return asyncio.run(_demo(options))
    except NoGo as error:
        complain(str(error), program="pprof-exporter demo")
        return 2


async def _demo(options: Namespace) -> int:
    story = Story(began=time.time(), pace=options.pace)
    async with contextlib.AsyncExitStack() as stack:
        targets = [await _replayed(stack, system, story) for system in systems()]
        if options.live:
            url = await stack.enter_async_context(live_target())
            targets.append(replace(parse_target(url), name="live"))
        # Short intervals, so that the demo shows results soon.
        known = default_profiles()
        profiles = {name: replace(settings, interval=min(settings.interval, 15)) for name, settings in known.items()}
        service = Service(
            settings=Settings(tuple(targets), profiles, index_interval=5),
            addresses=vars(options)["web.listen-address"],
            security=WebSecurity(),
            evidence=Path(stack.enter_context(TemporaryDirectory(prefix="pprof-exporter-"))),
        )
        return await serve(service, ready=lambda urls: _say(urls[0], targets, options.pace))


async def _replayed(stack: contextlib.AsyncExitStack, system: str, story: Story) -> Target:
    runner = web.AppRunner(replay_app(system, story), access_log=None, shutdown_timeout=0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    urls = await start_sites(runner, [_LOOPBACK])
    return replace(parse_target(urls[0]), name=system)


def _say(url: str, targets: list[Target], pace: float) -> None:
    lines = [
        "",
        f"  Status of the targets     {url}/",
        f"  Saved profiles            {url}/evidence",
        f"  Metrics                   {url}/metrics",
        *(f"  {f'Target {target.name}':<24}  {target.url}" for target in targets),
        "",
        f"  Phases of the recorded service: {', '.join(STORY)}, {pace:g} s each. Press Ctrl-C to stop.",
        "",
    ]
    say("\n".join(lines), flush=True)
