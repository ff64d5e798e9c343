"""A headless Chromium that opens pages and measures them, over the DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from . import Missing, debian

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Headless, without the warning about root, and without background requests."""


def program() -> Path:
    """The browser. Raises `Missing`."""
    return debian.installed("chromium", "chromium")


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as it was drawn: widths in CSS pixels, what it requested, and what the browser complained of."""

    title: str
    width: float
    room: float
    background: str
    asked: list[str]
    complaints: list[str]


@dataclass
class Tab:
    """One tab of the browser."""

    socket: aiohttp.ClientWebSocketResponse
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _events: list[dict[str, Any]] = field(default_factory=list)

    async def see(self, url: str, *, width: int, dark: bool) -> Seen:
        """Open a page in a window of this width."""
        self._events.clear()
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        for domain in ("Page", "Network", "Log"):
            await self._call(f"{domain}.enable")
        await self._call("Emulation.setDeviceMetricsOverride", **size)
        await self._call("Emulation.setEmulatedMedia", features=scheme)
        await self._call("Page.navigate", url=url)
        async with asyncio.timeout(30):
            while not any(event["method"] == "Page.loadEventFired" for event in self._events):
                self._take(await self.socket.receive_json())
        found = await self._call(
            "Runtime.evaluate",
            expression="JSON.stringify([document.title, document.documentElement.scrollWidth, innerWidth,"
            " getComputedStyle(document.documentElement).backgroundColor + matchMedia('(prefers-color-scheme: dark)')"
            ".matches])",
        )
        title, drawn, room, background = json.loads(found["result"]["value"])
        asked = [one["params"]["request"]["url"] for one in self._of("Network.requestWillBeSent")]
        complaints = [one["params"]["entry"]["text"] for one in self._of("Log.entryAdded")]
        return Seen(title, drawn, room, background, asked, complaints)

    def _of(self, method: str) -> list[dict[str, Any]]:
        return [event for event in self._events if event["method"] == method]

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self._events.append(message)

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(30):
            while (message := await self.socket.receive_json()).get("id") != number:
                self._take(message)
        result: dict[str, Any] = message["result"]
        return result


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Tab]:
    """A browser with one tab, ended with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            str(program()),
            *QUIET,
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await asyncio.to_thread(_port, Path(folder) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as reply:
                    pages = [one for one in await reply.json() if one["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _port(file: Path) -> int:
    """The port that the browser wrote down, as soon as it has."""
    for _ in range(600):
        lines = file.read_text().split() if file.exists() else []
        if lines:
            return int(lines[0])
        time.sleep(0.1)
    raise Missing("Chromium: it did not start within a minute")
