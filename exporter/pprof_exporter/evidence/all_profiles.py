"""Fetches every profile of a target once."""

from __future__ import annotations

import asyncio

from pprof_exporter.evidence_store import RawProfile
from pprof_exporter.profile import DecodeError, decode
from pprof_exporter.scrape import ProfileState
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.target.collector import ProfileCollector
from pprof_exporter.scrape.target.context import TargetContext

# The heap profile has the same content.
_LEFT_OUT = "allocs"
_HARM = "it would stop a target of this size for long"


async def fetch_all_profiles(context: TargetContext) -> tuple[list[RawProfile], dict[str, str]]:
    """The profiles, and the reasons for missing ones by kind.

    The fetches wait for slots and spend the budget like all others. Profiles that would harm the target are left out.
    """
    found: list[RawProfile] = []
    missing: dict[str, str] = {}

    async def fetch(profile: ProfileState) -> None:
        name = profile.kind.name
        try:
            found.append(await _fetch(context, profile))
        except (FetchError, DecodeError) as error:
            missing[name] = f"{error.reason}: {error.detail}"
        except _Harmful:
            missing[name] = _HARM

    async def one_by_one(profiles: list[ProfileState]) -> None:
        for profile in profiles:
            await fetch(profile)

    index = context.state.index
    listed = [
        profile
        for name, profile in context.state.profiles.items()
        if name != _LEFT_OUT and (index is None or index.lists(profile.kind.path))
    ]
    await asyncio.gather(
        one_by_one([profile for profile in listed if not profile.kind.window]),
        one_by_one([profile for profile in listed if profile.kind.window]),
    )
    return found, missing


class _Harmful(Exception):
    """The fetch would stop the target for long, see `guards`."""


async def _fetch(context: TargetContext, profile: ProfileState) -> RawProfile:
    collector = ProfileCollector(context, profile)
    if collector.would_harm():
        raise _Harmful
    async with context.slot(window=bool(profile.kind.window), heavy=collector.heavy):
        reply = await collector.fetch()
    await context.decode_reply(reply, lambda limit: decode(reply.body, max_bytes=limit))
    return RawProfile(profile.kind.name, reply.asked_at, reply.body)
