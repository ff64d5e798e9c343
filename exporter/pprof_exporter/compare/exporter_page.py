"""Fetches the metrics page of a running exporter."""

from __future__ import annotations

import aiohttp
from yarl import URL

from pprof_exporter import USER_AGENT

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_LARGEST = 64 * 2**20


class NoPage(Exception):
    """The page could not be fetched. The message says why, without a password in the URL."""


def page_url(text: str) -> URL:
    """The URL of the page: `http://HOST:9717`, `HOST:9717` and `HOST/PATH/` stand for the metrics there.

    Raises `NoPage`.
    """
    try:
        url = URL(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise NoPage(f"{text!r} is not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise NoPage(f"{text!r} is not an http or https URL")
    return url / "metrics" if url.path.endswith("/") else url


async def read_exporter_page(url: URL) -> str:
    """Fetch the page as text. Raises `NoPage`."""
    shown = url.with_user(None)
    headers = {"Accept": "text/plain", "User-Agent": USER_AGENT}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=_TIMEOUT) as session,
            session.get(url, allow_redirects=False) as reply,
        ):
            if reply.status == 401:
                raise NoPage(f"{shown} requires a password: write https://USER:PASSWORD@HOST")
            if reply.status != 200:
                raise NoPage(f"{shown} answers {reply.status} {reply.reason}")
            body = bytearray()
            async for piece in reply.content.iter_any():
                body += piece
                if len(body) > _LARGEST:
                    raise NoPage(f"{shown} is larger than {_LARGEST} bytes")
    except (aiohttp.ClientError, OSError) as error:
        raise NoPage(f"{shown} cannot be read: {str(error) or type(error).__name__}") from None
    return body.decode("utf-8", "replace")
