"""A pprof endpoint that replays recorded profiles, as if a service went through good and bad times.

The recordings are of one real program (`make record`); only their time stamps are replaced, so that they seem
to be taken now. Each phase of the story is one folder.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

from pprof_exporter.profile.reader.layout import VARINT, Message
from pprof_exporter.profile.reader.wire import encoded, fields

STORY = ("idle", "busy", "leaking1", "leaking2", "leaking3", "contended")

_SYSTEMS = {"linux": "linux-go1.27.3", "windows": "windows-go1.27.3"}
_AS_TEXT = ("heap", "threadcreate")
_BINARY = "application/octet-stream"
_TIME_NANOS = 9 << 3 | VARINT  # What stands before it in profile.proto.


@dataclass(frozen=True, slots=True)
class Story:
    """Which recording is on at which time: every phase lasts `pace` seconds, then the next, and round again."""

    began: float
    pace: float

    def phase(self, now: float) -> str:
        """The folder to replay from."""
        return STORY[int((now - self.began) / self.pace) % len(STORY)]


def systems() -> tuple[str, ...]:
    """Systems that there are recordings of."""
    return tuple(_SYSTEMS)


def replay_app(system: str, story: Story, clock: Callable[[], float] = time.time) -> web.Application:
    """An application that answers like net/http/pprof of a service on `system`."""
    folder = files("pprof_exporter.demo") / "recordings" / _SYSTEMS[system]

    def recorded(name: str) -> Traversable:
        return folder / story.phase(clock()) / name

    async def index(request: web.Request) -> web.Response:
        return web.Response(body=recorded("index.html").read_bytes(), content_type="text/html", charset="utf-8")

    async def profile(request: web.Request) -> web.Response:
        window = _seconds(request.query.get("seconds", ""))
        file = recorded("profile.pb.gz")
        began = time.time_ns()
        await asyncio.sleep(window)
        return web.Response(body=_taken_at(file.read_bytes(), began), content_type=_BINARY)

    async def trace(request: web.Request) -> web.Response:
        # Only a busy program has ticks to show, so its trace stands for all phases.
        await asyncio.sleep(_seconds(request.query.get("seconds", "1")))
        return web.Response(body=(folder / "busy" / "trace.bin").read_bytes(), content_type=_BINARY)

    async def text(request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2]
        debug = "_debug1" if name not in ("cmdline", "metrics") else ""
        body = recorded(f"{name}{debug}.txt").read_bytes()
        return web.Response(body=body, content_type="text/plain", charset="utf-8")

    async def snapshot(request: web.Request) -> web.Response:
        if request.query.get("debug") == "1" and request.match_info["name"] in _AS_TEXT:
            return await text(request)
        file = recorded(f"{request.match_info['name']}.pb.gz")
        if not file.is_file():
            return web.Response(status=404, text="Unknown profile\n", headers={"X-Go-Pprof": "1"})
        return web.Response(body=_taken_at(file.read_bytes(), time.time_ns()), content_type=_BINARY)

    app = web.Application()
    app.add_routes(
        [
            web.get("/debug/pprof/", index),
            web.get("/debug/pprof/profile", profile),
            web.get("/debug/pprof/trace", trace),
            web.get("/debug/pprof/cmdline", text),
            web.get("/debug/pprof/{name:[a-z]+}", snapshot),
        ]
    )
    return app


def _seconds(text: str) -> int:
    # Go takes what is not a whole number above 0 for 30 (net/http/pprof.Profile).
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else 30


def _taken_at(body: bytes, nanos: int) -> bytes:
    message = gzip.decompress(body)
    begin = 0
    kept = bytearray()
    for tag, _, _, end in fields(Message.PROFILE, message, 0, len(message)):
        if tag != _TIME_NANOS:
            kept += message[begin:end]
        begin = end
    return gzip.compress(bytes(kept) + encoded(_TIME_NANOS) + encoded(nanos), compresslevel=1)
