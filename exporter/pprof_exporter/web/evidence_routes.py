"""`/evidence`: the list, a page for each finding, and its files. Ids and names are looked up, and never made a path."""

from __future__ import annotations

import asyncio

from aiohttp import web

from pprof_exporter.web.evidence_access import EvidenceAccess
from pprof_exporter.web.replies import html_reply, text_reply

_GONE = "No such evidence, or it was removed; see /evidence."
_HEADERS = {"Cache-Control": "no-store"}


def evidence_routes(evidence_access: EvidenceAccess) -> list[web.RouteDef]:
    """`/evidence`, `/evidence/ID` and `/evidence/ID/FILE`."""

    async def index(request: web.Request) -> web.Response:
        from pprof_exporter.web.pages.evidence_pages import OFF, list_page  # noqa: PLC0415 - see `build_app`

        if evidence_access.evidence_store is None:
            return html_reply(request, OFF, _HEADERS)
        refused = evidence_access.access.refuse_reading(request)
        if refused is not None:
            return refused
        number = _number(request.query.get("page", ""))
        document = list_page(evidence_access.evidence_store, request.query.get("target"), number)
        return html_reply(request, document, _HEADERS)

    async def finding(request: web.Request) -> web.Response:
        refused = evidence_access.access.refuse_reading(request)
        if refused is not None:
            return refused
        from pprof_exporter.web.pages.evidence_pages import finding_page  # noqa: PLC0415

        kept = evidence_access.find(request.match_info["id"])
        return html_reply(request, finding_page(kept), _HEADERS) if kept is not None else _gone()

    async def file(request: web.Request) -> web.Response:
        refused = evidence_access.access.refuse_reading(request)
        if refused is not None:
            return refused
        kept = evidence_access.find(request.match_info["id"])
        named = kept.finding.file(request.match_info["file"]) if kept is not None else None
        if evidence_access.evidence_store is None or kept is None or named is None:
            return _gone()
        data = await asyncio.to_thread(evidence_access.evidence_store.read, kept, named)
        if data is None:
            return _gone()
        # Both are of letters, digits, dots and dashes.
        headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{kept.id}-{named.name}"'}
        return web.Response(body=data, content_type="application/octet-stream", headers=headers)

    return [web.get("/evidence", index), web.get("/evidence/{id}", finding), web.get("/evidence/{id}/{file}", file)]


def _gone() -> web.Response:
    return text_reply(_GONE, 404)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
