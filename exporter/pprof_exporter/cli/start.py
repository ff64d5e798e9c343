"""Starts the exporter: settings from flags and files, logs, and then the service."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pprof_exporter.cli.interpreter import quick_imports, return_large_blocks, share_lock_often
from pprof_exporter.cli.options import check_readable, settings_from
from pprof_exporter.cli.output import complain
from pprof_exporter.config import ConfigError

if TYPE_CHECKING:
    import socket

    from pprof_exporter.web.replies import PagePaths


def start(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the exporter until it is stopped; returns its exit code."""
    values = vars(options)
    try:
        if web_config := values["web.config.file"]:
            check_readable(web_config)
        settings = settings_from(options, environ)
        sockets = _systemd_sockets(environ) if values["web.systemd-socket"] else []
    except ConfigError as error:
        return _fail(str(error))
    idle = not settings.targets and not values["config.file"]
    if idle and not values["web.enable-probe"]:
        return _fail(
            "no targets. Name a target, as in `pprof-exporter localhost:6060`, set --config.file, or remove "
            "--no-web.enable-probe."
        )
    with quick_imports():
        import asyncio

        from pprof_exporter.cli.logs import set_up_logs
        from pprof_exporter.cli.serve import Service, serve
        from pprof_exporter.event_log import LOG
        from pprof_exporter.web.security import WebSecurity, load_web_config

    try:
        security = load_web_config(web_config) if web_config else WebSecurity()
    except ConfigError as error:
        return _fail(str(error))
    set_up_logs(values["log.level"], values["log.format"])
    if idle:
        LOG.info(
            "no targets configured, serving /probe only",
            advice="Name a target, as in `pprof-exporter localhost:6060`, or run `pprof-exporter demo`.",
        )
    service = Service(
        settings=settings,
        addresses=[] if sockets else values["web.listen-address"],
        sockets=sockets,
        security=security,
        load=(lambda: settings_from(options, environ)) if values["config.file"] else None,
        config=values["config.file"],
        watch=values["config.watch"],
        lifecycle=values["web.enable-lifecycle"],
        paths=_paths(values),
        probe=values["web.enable-probe"],
        storage=values["storage.path"] / "epochs.sqlite" if values["storage.path"] else None,
        evidence=values["storage.path"] / "evidence" if values["storage.path"] else None,
    )
    share_lock_often()
    return_large_blocks()
    return asyncio.run(serve(service))


def _paths(values: Mapping[str, Any]) -> PagePaths:
    from pprof_exporter.web.replies import PagePaths

    external, prefix = values["web.external-url"], values["web.route-prefix"]
    return PagePaths((external or "") if prefix is None else prefix, external)


def _systemd_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    from pprof_exporter.cli.sockets import systemd_sockets

    return systemd_sockets(environ, os.getpid())


def _fail(problem: str) -> int:
    complain(problem)
    return 2
