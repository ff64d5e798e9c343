"""The aiohttp application: every path that the exporter answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.exposition import ExpositionPage
from pprof_exporter.scrape import Pool
from pprof_exporter.scrape.probing import Prober
from pprof_exporter.web.access import AccessRules
from pprof_exporter.web.alert_routes import ALERT_PATH, alert_routes
from pprof_exporter.web.authentication import Handler, authentication_gates
from pprof_exporter.web.evidence_access import EvidenceAccess
from pprof_exporter.web.evidence_routes import evidence_routes
from pprof_exporter.web.metrics_handler import metrics_handler
from pprof_exporter.web.pages.runbooks import runbook_routes
from pprof_exporter.web.probe_routes import probe_routes
from pprof_exporter.web.replies import PATHS, html_reply, text_reply


@dataclass(slots=True)
class Readiness:
    """Whether the exporter takes work; false while it stops."""

    ready: bool = True


def build_app(
    registry: CollectorRegistry,
    pool: Pool,
    readiness: Readiness,
    *,
    reload: Callable[[], str | None] | None = None,
    prober: Prober | None = None,
    evidence_access: EvidenceAccess | None = None,
) -> web.Application:
    """The application. `registry` has all metrics but those of targets, which are the pool's.

    `evidence_access` states who may see what, reads evidence and requests captures; without it everybody may see
    the pages, and no evidence is saved.

    `reload` reloads the configuration and returns what is wrong with it, or None. Without it, `/-/reload` answers
    403 as in Prometheus. Without `prober`, so does `/probe`.

    A page for people is loaded when the first one is requested: most exporters are seen by Prometheus alone.
    """
    evidence_access = evidence_access or EvidenceAccess(AccessRules())

    async def targets(request: web.Request) -> web.Response:
        from pprof_exporter.web.pages.targets_page import targets_page, wanted_of  # noqa: PLC0415

        own = pool.supervisor.troubles.current
        return html_reply(request, await targets_page(pool.states, pool.clock.now(), wanted_of(request.query), own))

    async def target(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        state = next((state for state in pool.states if state.target.name == name), None)
        if state is None:
            return text_reply("No such target; see /targets.", 404)
        from pprof_exporter.web.pages.target_page import target_page  # noqa: PLC0415

        return html_reply(request, target_page(state, pool.clock.now(), evidence_access.kept_of(name)))

    async def healthy(request: web.Request) -> web.Response:
        return text_reply("pprof-exporter is healthy.")

    async def ready(request: web.Request) -> web.Response:
        if readiness.ready:
            return text_reply("pprof-exporter is ready.")
        return text_reply("pprof-exporter is stopping.", 503)

    async def reload_configuration(request: web.Request) -> web.Response:
        if reload is None:
            return text_reply("Start the exporter with --web.enable-lifecycle to enable this.", 403)
        problem = reload()
        if problem is None:
            return text_reply("Reloaded.")
        return text_reply(f"Reload failed, the previous configuration stays in use: {problem}", 500)

    page = ExpositionPage(registry, pool)
    access = evidence_access.access
    paths = access.paths
    tokens = {paths.prefix + ALERT_PATH: access.bearer} if access.bearer else {}
    gates = authentication_gates(access.security, pool.clock, tokens)
    app = web.Application(middlewares=[*gates, _counting_errors(pool)])
    app[PATHS] = paths
    app.add_routes(
        _below(
            paths.prefix,
            web.get("/", targets),
            web.get("/targets", targets),
            web.get("/targets/{name:.+}", target),
            web.get("/metrics", metrics_handler(page)),
            *runbook_routes(lambda: [state.target for state in pool.states]),
            *evidence_routes(evidence_access),
            *alert_routes(evidence_access),
            web.get("/-/healthy", healthy),
            web.get("/-/ready", ready),
            web.post("/-/reload", reload_configuration),
            web.put("/-/reload", reload_configuration),
            *probe_routes(prober, pool.clock),
        )
    )
    app.on_cleanup.append(_closing(page))
    return app


def _below(prefix: str, *routes: web.RouteDef) -> list[web.RouteDef]:
    """The routes under a prefix. As in Prometheus, the root then leads there."""
    if not prefix:
        return list(routes)

    async def home(request: web.Request) -> web.Response:
        return text_reply(f"The pages are under {prefix}/.", 302, {"Location": f"{prefix}/"})

    moved = [web.RouteDef(route.method, prefix + route.path, route.handler, route.kwargs) for route in routes]
    return [web.get("/", home), web.get(prefix, home), *moved]


def _counting_errors(pool: Pool) -> Middleware:
    """An error of a page is an internal error like any other: aiohttp would log a traceback for each request."""

    @web.middleware
    async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - any error ends one request
            pool.supervisor.internal_error(error, path=request.path)
            return text_reply("An internal error ended this request; see the log of the exporter.", 500)

    return counting


def _closing(page: ExpositionPage) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        await page.close()

    return close
