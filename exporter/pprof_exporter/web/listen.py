"""Where the exporter listens."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import web

from pprof_exporter.config.listen_address import Listen
from pprof_exporter.web.connections import MOST, Connections
from pprof_exporter.web.protocol import page_protocols

_HANDSHAKE_WITHIN = 10.0


async def start_sites(
    runner: web.AppRunner,
    addresses: Sequence[Listen],
    tls: ssl.SSLContext | None = None,
    sockets: Sequence[socket.socket] = (),
    *,
    most: int = MOST,
) -> list[str]:
    """Listen on every address, and on sockets that listen already; returns their URLs, each once.

    At most `most` connections are open at a time.

    Raises `OSError` when an address is taken.
    """
    make = runner.server
    if make is None:
        raise RuntimeError("set the runner up first")
    connections = Connections(page_protocols(make), most=min(most, MOST))
    for address in addresses:
        await _Site(runner, connections, tls, address).start()
    for listening in sockets:
        await _Site(runner, connections, tls, listening).start()
    # IPv4 and IPv6 have a socket each, and for a person both are localhost.
    return list(dict.fromkeys(_url("https" if tls else "http", name) for name in runner.addresses))


class _Site(web.BaseSite):
    """Like the sites of aiohttp, with bounds on connections."""

    def __init__(
        self, runner: web.AppRunner, connections: Connections, tls: ssl.SSLContext | None, where: Listen | socket.socket
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self._connections = connections
        self._where = where

    @property
    def name(self) -> str:
        """Where it listens."""
        return str(self._where)

    async def start(self) -> None:
        """Begin to take connections."""
        await super().start()
        open_ = partial(
            asyncio.get_running_loop().create_server,
            self._connections,
            backlog=self._backlog,
            ssl=self._ssl_context,
            ssl_handshake_timeout=_HANDSHAKE_WITHIN if self._ssl_context else None,
        )
        where = self._where
        self._server = await (open_(where.host, where.port) if isinstance(where, Listen) else open_(sock=where))


def _url(scheme: str, name: Any) -> str:
    # A socket of the file system has a path for a name.
    return f"{scheme}://{_shown(name[0])}:{name[1]}" if isinstance(name, tuple) else f"{scheme}+unix:{name}"


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - shown to a person, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
