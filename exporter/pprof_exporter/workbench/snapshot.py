"""Every profile that a target has, once and now."""

from __future__ import annotations

import asyncio

from pprof_exporter.evidence import Body
from pprof_exporter.profile import DecodeError, decode
from pprof_exporter.scrape import ProfileState
from pprof_exporter.scrape.errands import ReadProfile, Tools, off_the_loop
from pprof_exporter.scrape.failure import FetchError

# Its content is in heap too.
_LEFT_OUT = "allocs"
_HARM = "it would stop the target for long, as large as it is now"


async def snapshot(tools: Tools) -> tuple[list[Body], dict[str, str]]:
    """The profiles, and by kind why one is missing.

    They wait for places and count towards the budget as any other; what would harm the target is not asked for.
    """
    found: list[Body] = []
    missing: dict[str, str] = {}

    async def take(profile: ProfileState) -> None:
        name = profile.kind.name
        try:
            found.append(await _take(tools, profile))
        except (FetchError, DecodeError) as error:
            missing[name] = f"{error.reason}: {error.detail}"
        except _Harmful:
            missing[name] = _HARM

    async def one_by_one(profiles: list[ProfileState]) -> None:
        for profile in profiles:
            await take(profile)

    index = tools.state.index
    listed = [
        profile
        for name, profile in tools.state.profiles.items()
        if name != _LEFT_OUT and (index is None or index.lists(profile.kind.path))
    ]
    await asyncio.gather(
        one_by_one([profile for profile in listed if not profile.kind.window]),
        one_by_one([profile for profile in listed if profile.kind.window]),
    )
    return found, missing


class _Harmful(Exception):
    """See `guards`."""


async def _take(tools: Tools, profile: ProfileState) -> Body:
    reader = ReadProfile(tools, profile)
    if reader.would_harm():
        raise _Harmful
    async with tools.place(window=bool(profile.kind.window), heavy=reader.heavy):
        reply = await reader.fetch()
    limit = tools.settings.limits.inflated_bytes
    await off_the_loop(lambda: decode(reply.body, max_bytes=limit), len(reply.body))
    return Body(profile.kind.name, reply.asked_at, reply.body)
