"""The exporter: targets, loops, listener and signals, wired together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from aiohttp import web
from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.registry import CollectorRegistry

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.cli.interpreter import collect_garbage_in_steps
from pprof_exporter.cli.os_signals import signal_handlers
from pprof_exporter.cli.watch_file import watch_file
from pprof_exporter.clock import Clock, SystemClock
from pprof_exporter.config import ConfigError, EvidenceSettings, Limits, Settings
from pprof_exporter.config.listen_address import Listen, is_loopback
from pprof_exporter.descriptors import DescriptorLimit, raise_descriptor_limit
from pprof_exporter.event_log import LOG
from pprof_exporter.exposition import ConfigState, ExporterCollector, ExporterParts
from pprof_exporter.scrape import Fetcher, Pool
from pprof_exporter.scrape.client.bytes_in_flight import BytesInFlight
from pprof_exporter.scrape.discovery import Discovery
from pprof_exporter.scrape.probing import Prober, guarded_socket
from pprof_exporter.store import Store
from pprof_exporter.supervision import Supervisor, unhandled_errors
from pprof_exporter.web.access import AccessRules
from pprof_exporter.web.app import Readiness, build_app
from pprof_exporter.web.bearer_token import Bearer
from pprof_exporter.web.evidence_access import EvidenceAccess
from pprof_exporter.web.listen import start_sites
from pprof_exporter.web.replies import PagePaths
from pprof_exporter.web.security import WebSecurity

if TYPE_CHECKING:
    from pprof_exporter.evidence.service import EvidenceService

# Prometheus, systemd and Kubernetes all wait longer than this before they kill.
STOP_WITHIN = 5.0
# A connection stays open for longer than most scrape intervals; the rest of a refused body gets little time.
LISTENER: dict[str, Any] = {"keepalive_timeout": 150.0, "lingering_time": 2.0}


@dataclass(frozen=True, slots=True)
class Service:
    """What the exporter is started with. `load` reads the configuration again; None: there is nothing to reload."""

    settings: Settings
    addresses: list[Listen]
    security: WebSecurity
    sockets: Sequence[socket.socket] = ()
    """Sockets that listen already, as systemd gives them."""
    load: Callable[[], Settings] | None = None
    config: Path | None = None
    """The configuration file; paths in it are relative to it."""
    watch: bool = False
    """Whether to reload the configuration when its file changes."""
    lifecycle: bool = False
    storage: Path | None = None
    """File of the state that survives a restart; None: state is in memory only."""
    evidence: Path | None = None
    """Folder of the profiles that are saved as evidence; None: none are."""
    paths: PagePaths = field(default_factory=PagePaths)
    """Under which path the pages are served, and what stands before their links."""
    probe: bool = True
    """Whether to answer /probe."""


async def serve(
    service: Service, *, stop: asyncio.Event | None = None, ready: Callable[[list[str]], None] | None = None
) -> int:
    """Run until SIGTERM, SIGINT or `stop`; `ready` is called once with the URLs that answer. Returns an exit code."""
    stop = stop or asyncio.Event()
    clock = SystemClock()
    # The spread of retries is no secret; nothing here needs a cryptographic generator.
    random = Random()  # noqa: S311
    supervisor = Supervisor(clock, random)
    service.security.on_internal_error = supervisor.internal_error
    descriptors = _descriptors()
    new_fetcher = partial(
        Fetcher,
        clock,
        max_bytes=service.settings.limits.wire_bytes,
        descriptors=descriptors,
        troubles=supervisor.troubles,
        in_flight=_in_flight(service.settings.limits),
    )
    fetcher, guarded = new_fetcher(), new_fetcher(socket_factory=guarded_socket)
    store = await asyncio.to_thread(Store.open, service.storage, clock.now())
    evidence_service = await _evidence_service(service, clock)
    pool = Pool(
        service.settings,
        fetcher=fetcher,
        clock=clock,
        random=random,
        store=store,
        raw_profiles=evidence_service.raw_profiles if evidence_service else None,
        supervisor=supervisor,
        descriptors=descriptors,
    )
    config = ConfigState(successful=True, loaded_at=clock.now())
    discovery = Discovery(pool.apply, clock, service.config.parent if service.config else Path(), supervisor=supervisor)
    discovery.apply(service.settings)
    prober = Prober(
        service.settings,
        fetcher=guarded,
        limiter=pool.limiter,
        clock=clock,
        random=Random(),  # noqa: S311
        store=store,
        exporter_load=pool.load,
        supervisor=supervisor,
    )

    def use(settings: Settings) -> None:
        discovery.apply(settings)
        _apply_limits(guarded, settings.limits)
        prober.apply(settings)

    reload = _reloader(service, use, config, supervisor, clock) if service.load else None
    tasks = [supervisor.start(BackgroundTask.GARBAGE, lambda: collect_garbage_in_steps(clock))]
    if service.watch and service.config and reload:
        tasks.append(_watch_config(service.config, reload, config, supervisor, clock))
    readiness = Readiness()
    app = build_app(
        _registry(
            pool,
            config,
            clock,
            ExporterParts(
                discovery,
                prober,
                evidence_service.evidence_store if evidence_service else None,
                lambda: service.security.successful,
            ),
        ),
        pool,
        readiness,
        reload=reload if service.lifecycle else None,
        prober=prober if service.probe else None,
        evidence_access=_evidence_access(service, evidence_service, pool, random),
    )
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1, **LISTENER)
    await runner.setup()
    with signal_handlers(stop.set, _quietly(reload)), unhandled_errors(supervisor):
        try:
            urls = service.paths.below(
                await start_sites(
                    runner, service.addresses, service.security.tls, service.sockets, most=descriptors.for_own_pages
                )
            )
        except OSError as error:
            LOG.error("cannot listen", detail=error.strerror or str(error), advice="Set another --web.listen-address.")
            stop.set()
            code = 1
        else:
            code = 0
            LOG.info("listening", urls=" ".join(urls), targets=len(service.settings.targets))
            if ready:
                ready(urls)
        await stop.wait()
    readiness.ready = False
    LOG.info("stopping")
    for task in tasks:
        task.cancel()
    await discovery.close()
    await prober.close()
    if evidence_service is not None:
        await evidence_service.close()
    await pool.close(STOP_WITHIN - 1)
    await runner.cleanup()
    return code


def _in_flight(limits: Limits) -> BytesInFlight:
    """The bound on the memory for replies, which resident targets and probes share."""
    return BytesInFlight(limits.bytes_in_flight, wire=limits.wire_bytes, inflated=limits.inflated_bytes)


def _apply_limits(fetcher: Fetcher, limits: Limits) -> None:
    fetcher.max_bytes = limits.wire_bytes
    fetcher.in_flight.apply(limits.bytes_in_flight, wire=limits.wire_bytes, inflated=limits.inflated_bytes)


async def _evidence_service(service: Service, clock: Clock) -> EvidenceService | None:
    settings = service.settings.evidence
    if service.evidence is not None and settings.enabled:
        from pprof_exporter.evidence.service import EvidenceService

        return await EvidenceService.open(service.evidence, settings, clock)
    if settings.enabled and settings != EvidenceSettings():
        LOG.warning("evidence is not saved: set --storage.path to a folder")
    return None


def _evidence_access(
    service: Service, evidence_service: EvidenceService | None, pool: Pool, random: Random
) -> EvidenceAccess:
    access = _access(service)
    return (
        EvidenceAccess(access, evidence_service.evidence_store, evidence_service.start(pool, random).request)
        if evidence_service
        else EvidenceAccess(access)
    )


def _access(service: Service) -> AccessRules:
    token = service.settings.evidence.token_file
    return AccessRules(
        service.security,
        loopback=all(address.loopback for address in service.addresses) and all(map(_is_loopback, service.sockets)),
        bearer=Bearer(token) if token else None,
        paths=service.paths,
    )


def _is_loopback(listening: socket.socket) -> bool:
    """Whether a socket is reachable from this machine only."""
    name = listening.getsockname()
    # A socket of the file system has a path for a name.
    return not isinstance(name, tuple) or is_loopback(name[0])


def _registry(pool: Pool, config: ConfigState, clock: Clock, parts: ExporterParts) -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(ExporterCollector(pool, config, clock, parts))
    return registry


def _descriptors() -> DescriptorLimit:
    before, now = raise_descriptor_limit()
    if now.most != before.most:
        LOG.info("raised the limit of open files to the hard limit", before=before.most, now=now.most)
    return now


def _watch_config(
    path: Path, reload: Callable[[], str | None], config: ConfigState, supervisor: Supervisor, clock: Clock
) -> asyncio.Task[None]:
    """Reload when the file changes. Until the task runs again after an error, a change would not be noticed."""
    died = False

    def failed(_error: BaseException) -> None:
        nonlocal died
        died, config.successful = True, False

    async def watch() -> None:
        nonlocal died
        if died:
            died = False
            reload()
        await watch_file(path, clock, reload)

    return supervisor.start(BackgroundTask.CONFIG_WATCHER, watch, on_failure=failed, about=str(path))


def _reloader(
    service: Service, use: Callable[[Settings], None], config: ConfigState, supervisor: Supervisor, clock: Clock
) -> Callable[[], str | None]:
    """Reload all or nothing: an unusable file changes nothing, and the log, the reply and a metric report it.

    An error of the exporter itself is a failed reload too, whoever asked for it.
    """
    used = service.settings

    def apply(settings: Settings) -> None:
        try:
            use(settings)
        except Exception:
            use(used)
            raise

    def reload() -> str | None:
        nonlocal used
        problem = ""
        try:
            settings = service.load() if service.load else used
            apply(settings)
        except ConfigError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - the previous configuration is good, whatever is in the file
            supervisor.internal_error(error, file=str(service.config))
            problem = f"an internal error ({type(error).__name__}); its traceback is in the log"
        else:
            used = settings
            config.successful = True
            config.loaded_at = clock.now()
            LOG.info("configuration reloaded", targets=len(settings.targets))
            return None
        config.successful = False
        LOG.error("configuration reload failed, the previous configuration stays in use", detail=problem)
        return problem

    return reload


def _quietly(reload: Callable[[], str | None] | None) -> Callable[[], None] | None:
    if reload is None:
        return None

    def run() -> None:
        reload()

    return run
