"""`pprof-exporter demo`: the exporter against targets that it brings along."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from pprof_exporter.cli.logs import set_up_logs
from pprof_exporter.cli.options import Parser, add_listen_flag, add_log_flags
from pprof_exporter.cli.serve import Service, serve
from pprof_exporter.config import Settings, Target, parse_duration, parse_target
from pprof_exporter.demo import STORY, NoGo, Story, live_target, replay_app, systems
from pprof_exporter.scrape import default_profiles
from pprof_exporter.web import Listen, WebSecurity, start_sites

_LOOPBACK = Listen("127.0.0.1", 0)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command; runs until it is interrupted."""
    parser = Parser(
        prog="pprof-exporter demo",
        description="Run the exporter on recorded profiles of a Go service on Linux and Windows, under changing load.",
        environ=environ,
    )
    parser.switch("live", "Also build and scrape the real Go program; needs Go on the PATH")
    parser.flag("pace", "Duration of each phase of the recording", default="1m", read=parse_duration)
    add_listen_flag(parser, "127.0.0.1:9717")
    add_log_flags(parser)
    options = parser.parse_args(argv)
    set_up_logs(options.__dict__["log.level"], options.__dict__["log.format"])
    try:
        return asyncio.run(_demo(options))
    except NoGo as error:
        print(f"pprof-exporter demo: {error}", file=sys.stderr)
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
    print("\n".join(lines), flush=True)
