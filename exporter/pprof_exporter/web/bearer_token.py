"""A token that lets one kind of request in."""

from __future__ import annotations

import asyncio
import hmac
from pathlib import Path

from aiohttp import web

from pprof_exporter.config import BadSecret, Secret
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
            token = await asyncio.to_thread(Secret(file=self._path).read)
        except BadSecret as error:
            LOG.warning("cannot read token_file", detail=str(error))
            return False
        return bool(token) and hmac.compare_digest(token.encode(), given.strip().encode("utf-8", "surrogateescape"))
