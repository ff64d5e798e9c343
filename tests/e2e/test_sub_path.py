"""The exporter behind a real reverse proxy, net/http/httputil's, under a path that it strips or keeps."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab import PATIENCE, exporter, free_port, go
from tests.lab.target import running
from tests.web.crawl import paths_below, visited_from

ROOT = "/pprof-exporter/"
PROXY = """
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	upstream, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	var proxy http.Handler = httputil.NewSingleHostReverseProxy(upstream)
	if os.Args[3] == "strip" {
		proxy = http.StripPrefix("/pprof-exporter", proxy)
	}
	mux := http.NewServeMux()
	mux.Handle("/pprof-exporter/", proxy)
	log.Fatal(http.ListenAndServe(os.Args[1], mux))
}
"""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go.build_empty(go.VERSIONS[-1], tmp_path_factory.mktemp("proxy") / "build", source=PROXY)


@contextlib.contextmanager
def proxying(proxy: Path, upstream: str, how: str) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen([proxy, address, upstream, how])
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(ConnectionError, urllib.error.URLError):
                urllib.request.urlopen(f"http://{address}{ROOT}").close()
                break
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://{address}{ROOT}"
    finally:
        process.kill()
        process.wait()


class _NotFollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


OPENER = urllib.request.build_opener(_NotFollowed)


def asked(url: str) -> tuple[int, Mapping[str, str], str]:
    try:
        with OPENER.open(url, timeout=60) as reply:
            return reply.status, dict(reply.headers), reply.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), ""


@pytest.mark.parametrize(
    ("flags", "how"),
    [
        ((), "strip"),
        (("--web.external-url=https://monitoring.example/pprof-exporter/", "--web.route-prefix=/"), "strip"),
        (("--web.external-url=https://monitoring.example/pprof-exporter/",), "keep"),
        (("--web.route-prefix=/pprof-exporter",), "keep"),
    ],
    ids=["no flags", "stripped", "kept", "prefix alone"],
)
def test_every_link_leads_to_a_page(proxy: Path, tmp_path: Path, flags: tuple[str, ...], how: str) -> None:
    below = "" if how == "strip" else ROOT.rstrip("/")
    with running(go.build(go.VERSIONS[-1])) as target:
        name = target.url.removeprefix("http://")
        environ = {"PPROF_EXPORTER_WEB_ROUTE_PREFIX": below} if below else {}
        with (
            exporter.running(target.url, *flags, f"--storage.path={tmp_path}", below=below) as program,
            proxying(proxy, program.url.removesuffix(below), how) as url,
        ):
            program.wait_for(lambda now: now.value("pprof_fetches_total", profile="heap", outcome="success") == 1)
            program.get(f"/probe?target={name}&module=cheap")

            async def visit(link: str) -> tuple[int, Mapping[str, str], str]:
                return await asyncio.to_thread(asked, link)

            found = paths_below(asyncio.run(visited_from(url, visit)), ROOT)
            assert {"", "targets", f"targets/{name}", "probes", "evidence", "runbooks/", "metrics"} <= found
            assert any(path.startswith("probes/") for path in found)
            assert "pprof_up" in program.get("/metrics")[0]
            said = subprocess.run(
                [*exporter.COMMAND, "healthcheck"],
                env=exporter.environment(environ | {"PPROF_EXPORTER_WEB_LISTEN_ADDRESS": program.address}),
                capture_output=True,
                text=True,
                check=False,
            )
            assert (said.returncode, said.stdout) == (0, "healthy\n")
