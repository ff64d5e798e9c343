"""`/probe` and `/probes`: paths of probes, and of the pages of the last ones."""

from __future__ import annotations

from aiohttp import web

from pprof_exporter.clock import Clock
from pprof_exporter.scrape.probing import Prober
from pprof_exporter.web.probe_handler import ProbeHandler
from pprof_exporter.web.replies import html_reply, text_reply

_NONE = "Probes are disabled: the exporter runs with --no-web.enable-probe."
_HERE = "/probes"


def probe_routes(prober: Prober | None, clock: Clock) -> list[web.RouteDef]:
    """/probe and the pages of the last probes; without a prober all of them answer 403."""
    if prober is None:

        async def none(request: web.Request) -> web.Response:
            return text_reply(_NONE, 403)

        return [web.get("/probe", none), web.get(_HERE, none), web.get(f"{_HERE}/{{number}}", none)]

    async def probes(request: web.Request) -> web.Response:
        from pprof_exporter.web.pages.probe_pages import probes_page  # noqa: PLC0415 - see `build_app`

        return html_reply(request, probes_page(prober, clock.now()))

    async def probe(request: web.Request) -> web.Response:
        from pprof_exporter.web.pages.probe_pages import probe_page  # noqa: PLC0415

        entry = prober.history.find(int(request.match_info["number"]))
        if entry is None:
            return text_reply("This probe is no longer in the history; see /probes.", 404)
        return html_reply(request, probe_page(entry, clock.now()))

    return [
        web.get("/probe", ProbeHandler(prober, clock).answer),
        web.get(_HERE, probes),
        web.get(f"{_HERE}/{{number:[0-9]{{1,15}}}}", probe),
    ]
