"""`/metrics`: the format, names and compression that the client requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from pprof_exporter.exposition import ExpositionPage, prefers_gzip

# Larger pages are sent as they are put together, of unknown length.
_WHOLE = 2**20


def metrics_handler(page: ExpositionPage) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that answers with this page."""

    async def metrics(request: web.Request) -> web.Response:
        accept = ",".join(request.headers.getall(hdrs.ACCEPT, []))
        reply = await page.reply(accept, request.query.getall("name[]", []))
        headers = {hdrs.CONTENT_TYPE: reply.content_type, hdrs.VARY: "Accept, Accept-Encoding"}
        if gzip_wanted(request):
            return web.Response(body=reply.gzipped(), headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
        if reply.size > _WHOLE:
            return web.Response(body=reply.plain(), headers=headers)
        return web.Response(body=b"".join([piece async for piece in reply.plain()]), headers=headers)

    return metrics


def gzip_wanted(request: web.Request) -> bool:
    """Whether the client wants its reply compressed."""
    return prefers_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, [])))
