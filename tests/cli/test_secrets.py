"""A real exporter with secrets everywhere shows them nowhere: not in its log, not on a page, not in `config check`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pprof_exporter.cli import main
from tests.lab import exporter, free_port

SECRET = "s3cret-Xyzzy"
PATHS = ("/", "/targets", "/metrics", "/runbooks/", "/-/healthy")


class Echo(BaseHTTPRequestHandler):
    """Refuses everything, and repeats every header of the request in its reply."""

    seen: set[str]

    def do_GET(self) -> None:
        self.seen.update(self.headers.values())
        body = "\n".join(self.headers.values()).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def echoing() -> Iterator[tuple[int, set[str]]]:
    seen: set[str] = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Mine", (Echo,), {"seen": seen})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port, seen
        finally:
            server.shutdown()
            thread.join()


def job(name: str, port: int, client: str) -> str:
    return (
        f"  - job_name: {name}\n    static_configs: [{{targets: ['127.0.0.1:{port}/{name}']}}]\n"
        f"    relabel_configs: [{{target_label: target, replacement: {name}}}]\n"
        f"    {client}\n"
    )


def test_secrets_stay_with_the_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, token = tmp_path / "config.yaml", tmp_path / "token"
    token.write_text(SECRET)
    with echoing() as (port, seen):
        gone = free_port()
        login = f"{{client_id: a, client_secret: {SECRET}, token_url: 'http://127.0.0.1:{port}/'}}"
        file.write_text(
            "global: {scrape_timeout: 5s}\nscrape_configs:\n"
            + job("basic", port, f"basic_auth: {{username: scott, password: {SECRET}}}")
            + job("token", port, "authorization: {credentials_file: token}")
            + job("variable", port, "authorization: {credentials_env: TOKEN}")
            + job("login", port, f"oauth2: {login}")
            + job("header", port, f"http_headers: {{X-Key: {{secrets: [{SECRET}]}}}}")
            + job("proxy", port, f"proxy_url: 'http://me:{SECRET}@127.0.0.1:{gone}'")
            + job("down", gone, f"basic_auth: {{password: {SECRET}}}")
            + f"  - job_name: sd\n    http_sd_configs: [{{url: 'http://me:{SECRET}@127.0.0.1:{port}/'}}]\n"
        )
        names = ("basic", "token", "variable", "login", "header", "proxy", "down")
        with exporter.running(
            f"--config.file={file}", "--log.level=debug", "--log.format=json", environ={"TOKEN": SECRET}
        ) as program:
            program.wait_for(
                lambda now: (
                    all(now.value("pprof_up", target=name) == 0 for name in names if name != "proxy")
                    # That a proxy is away is the exporter's own trouble.
                    and (now.value("pprof_exporter_exhausted_total", resource="proxy") or 0) > 0
                    and len(now.find("pprof_exporter_discovery_refreshes_total", outcome="failure")) > 0
                ),
                within=120,
            )
            shown = "".join(program.get(path)[0] for path in (*PATHS, *(f"/targets/{name}" for name in names)))
            file.write_text(file.read_text() + f"  - job_name: broken\n    authorization: [{SECRET}]\n")
            program.hang_up()
            program.wait_for(lambda now: now.value("pprof_exporter_config_last_reload_successful") == 0, within=120)
            assert program.stop() == 0
            said = program.log
    assert any(SECRET in value for value in seen)
    assert "http 403" in shown.lower()
    assert "unauthorized" in said
    for text in (shown, said):
        assert SECRET not in text
        assert "Traceback" not in text
    main(["config", "check", str(file)], {"TOKEN": SECRET})
    checked = capsys.readouterr()
    assert SECRET not in checked.out + checked.err
