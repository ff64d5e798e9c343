"""Fetches the metrics page of a running exporter."""

from __future__ import annotations

import aiohttp
from yarl import URL

from pprof_exporter import USER_AGENT
from pprof_exporter.inputs.url_characters import BadUrl, shown
from pprof_exporter.inputs.urls import parse_url

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_LARGEST = 64 * 2**20


class NoPage(Exception):
    """The page could not be fetched. The message says why, without a password in the URL."""


def page_url(text: str) -> URL:
    """The URL of the page: `http://HOST:9717`, `HOST:9717` and `HOST/PATH/` stand for the metrics there.

    Raises `NoPage`.
    """
    try:
        url = parse_url(text if "://" in text else f"http://{text}")
    except BadUrl as error:
        raise NoPage(f"{shown(text)} is not a URL: {error}") from None
    return url / "metrics" if url.raw_path.endswith("/") else url


async def read_exporter_page(url: URL) -> str:
    """Fetch the page as text. Raises `NoPage`."""
    place = url.with_user(None)
    headers = {"Accept": "text/plain", "User-Agent": USER_AGENT}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session,
            session.get(url, allow_redirects=False) as reply,
        ):
            if reply.status == 401:
                raise NoPage(f"{place} requires a password: write https://USER:PASSWORD@HOST")
            if reply.status != 200:
                raise NoPage(f"{place} answers {reply.status} {reply.reason}")
            body = bytearray()
            async for piece in reply.content.iter_any():
                body += piece
                if len(body) > _LARGEST:
                    raise NoPage(f"{place} is larger than {_LARGEST} bytes")
    except (aiohttp.ClientError, OSError) as error:
        raise NoPage(f"{place} cannot be read: {str(error) or type(error).__name__}") from None
    return body.decode("utf-8", "replace")
