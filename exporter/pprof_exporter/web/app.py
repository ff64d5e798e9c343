"""The aiohttp application: every path that the exporter answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.scrape import Pool
from pprof_exporter.verdicts import Level
from pprof_exporter.web.guards import guards
from pprof_exporter.web.runbooks import runbook_routes
from pprof_exporter.web.security import WebSecurity
from pprof_exporter.web.target import target_page
from pprof_exporter.web.targets import Wanted, targets_page


@dataclass(slots=True)
class Readiness:
    """Whether the exporter takes work; false while it stops."""

    ready: bool = True


def build_app(
    registry: CollectorRegistry,
    pool: Pool,
    readiness: Readiness,
    *,
    security: WebSecurity | None = None,
    reload: Callable[[], str | None] | None = None,
) -> web.Application:
    """The application. `security` says who may see it; without, everybody may.

    `reload` loads the configuration anew and returns what is wrong with it, or None. Without it, `/-/reload` answers
    403 as in Prometheus.
    """

    async def targets(request: web.Request) -> web.Response:
        return _html(await targets_page(pool.states, pool.clock.now(), _wanted(request)))

    async def target(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        state = next((state for state in pool.states if state.target.name == name), None)
        if state is None:
            return web.Response(status=404, text="There is no such target; /targets lists them all.\n")
        return _html(target_page(state, pool.clock.now()))

    async def healthy(request: web.Request) -> web.Response:
        return web.Response(text="pprof-exporter is healthy.\n")

    async def ready(request: web.Request) -> web.Response:
        if readiness.ready:
            return web.Response(text="pprof-exporter is ready.\n")
        return web.Response(status=503, text="pprof-exporter is stopping.\n")

    async def reload_configuration(request: web.Request) -> web.Response:
        if reload is None:
            return web.Response(status=403, text="Start with --web.enable-lifecycle to allow this.\n")
        problem = reload()
        if problem is None:
            return web.Response(text="Reloaded.\n")
        return web.Response(status=500, text=f"Not reloaded, the configuration in use stays: {problem}\n")

    app = web.Application(middlewares=guards(security or WebSecurity(), pool.clock))
    app.add_routes(
        [
            web.get("/", targets),
            web.get("/targets", targets),
            web.get("/targets/{name:.+}", target),
            web.get("/metrics", make_aiohttp_handler(registry)),
            *runbook_routes(lambda: [state.target for state in pool.states]),
            web.get("/-/healthy", healthy),
            web.get("/-/ready", ready),
            web.post("/-/reload", reload_configuration),
            web.put("/-/reload", reload_configuration),
        ]
    )
    return app


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def _wanted(request: web.Request) -> Wanted:
    """What the query asks for; what makes no sense is left out."""
    query = request.query
    level, number = query.get("level", ""), query.get("page", "")
    return Wanted(
        query.get("q", ""),
        next((known for known in Level if known == level), None),
        int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
    )
