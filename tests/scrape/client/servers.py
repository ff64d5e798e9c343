"""Servers that note what they are asked, and what a test asks of them under client settings."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
from aiohttp import web
from yarl import URL

from pprof_exporter.config import BasicAuth, ClientSettings, Secret, TlsSettings
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.errors import FetchError

Answer = Callable[[web.BaseRequest], web.Response]
SECRET = "s3cret-Xyzzy"
PATIENCE = 20.0


class Server:
    """Notes what it is asked, and answers what `replies` has for the path, or 200."""

    def __init__(self) -> None:
        self.url = URL()
        self.asked: list[web.BaseRequest] = []
        self.forms: list[dict[str, list[str]]] = []
        self.replies: dict[str, Answer] = {}

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request)
        self.forms.append(parse_qs((await request.read()).decode()))
        reply = self.replies.get(request.path)
        return reply(request) if reply else web.Response(text="here")

    @property
    def authorizations(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request in self.asked]


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    server = Server()
    runner = web.ServerRunner(web.Server(server.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, host, 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    server.url = URL(f"{'https' if context else 'http'}://{host}:{port}/debug/pprof/heap")
    try:
        yield server
    finally:
        await runner.cleanup()


async def get(fetcher: Fetcher, settings: ClientSettings, url: URL, timeout: float = PATIENCE) -> bytes:
    return (await fetcher.bind(settings).get(url, timeout=timeout)).body


async def failure(fetcher: Fetcher, settings: ClientSettings, url: URL, timeout: float = PATIENCE) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await get(fetcher, settings, url, timeout)
    assert SECRET not in caught.value.detail
    return caught.value


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


BASIC = ClientSettings(BasicAuth(Secret("scott"), Secret(SECRET)))


def to(location: str, status: int = 302) -> Answer:
    return lambda _: web.Response(status=status, headers={"Location": location})


class Certificates:
    """An authority in a file, and servers that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)
        self.tls = TlsSettings(ca_file=self.ca)

    def server(self, *names: str, **how: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names, **how).configure_cert(context)
        return context

    def client_pair(self, authority: trustme.CA) -> tuple[Path, Path]:
        pair = authority.issue_cert("exporter.example")
        certificate, key = self.folder / "client.pem", self.folder / "client.key"
        pair.cert_chain_pems[0].write_to_path(certificate)
        pair.private_key_pem.write_to_path(key)
        return certificate, key
