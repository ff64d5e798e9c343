"""A token that lets one kind of request in."""

from __future__ import annotations

import asyncio
import hmac
from pathlib import Path

from aiohttp import web

from pprof_exporter.event_log import LOG


class Bearer:
    """A token in a file, which is read each time, so that it can be changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def allows(self, request: web.Request) -> bool:
        """Whether the request carries the token. An empty token, or a file that cannot be read, matches no request."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            token = (await asyncio.to_thread(self._path.read_bytes)).strip()
        except OSError as error:
            LOG.warning("cannot read token_file", file=str(self._path), detail=error.strerror)
            return False
        return bool(token) and hmac.compare_digest(token, given.strip().encode("utf-8", "surrogateescape"))
