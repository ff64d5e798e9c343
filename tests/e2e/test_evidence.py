"""An alert in a real Alertmanager leaves profiles of a real Go program, which Go's own tool opens."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from pathlib import Path

from tests.lab import alertmanager, exporter, go
from tests.lab.target import running
from tests.web.links import with_whole_links


def test_a_webhook_leaves_a_capture_that_go_tool_pprof_opens(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    config = tmp_path / "config.yml"
    config.write_text("evidence: {webhook: {token_file: token}}")
    storage = tmp_path / "storage"
    program = go.build(go.VERSIONS[-1])
    with (
        running(program) as target,
        exporter.running(target.url, f"--config.file={config}", f"--storage.path={storage}") as watching,
        alertmanager.running(_telling(f"{watching.url}/-/alert", token)) as server,
    ):
        name = target.url.removeprefix("http://")
        watching.wait_for(lambda now: now.value("pprof_up", target=name) == 1)
        labels = {"alertname": "PprofCpuCoverageLow", "failure_mode": "F1", "severity": "critical", "target": name}
        server.post([{"labels": labels, "annotations": {"summary": "CPU samples are missing"}}])
        watching.wait_for(lambda now: now.value("pprof_exporter_evidence_saved_total", origin="alert") == 1)

        page = with_whole_links(watching.get(f"/evidence?target={name}")[0], "/evidence")
        found = re.findall(r'href="(/evidence/[^"]+)"', page)
        captured = next(link for link in found if "CPU samples are missing" in watching.get(link)[0])
        files = re.findall(r'href="(/evidence/[^"]+/[^"]+)"', with_whole_links(watching.get(captured)[0], captured))
        for file in files:
            with urllib.request.urlopen(watching.url + file, timeout=10) as reply:
                (tmp_path / file.rpartition("/")[2]).write_bytes(reply.read())
        assert "Traceback" not in watching.log

    manifest = json.loads((storage / captured.removeprefix("/") / "manifest.json").read_text())
    assert (manifest["target"], manifest["origin"], manifest["mode"]) == (name, "alert", "F1")
    assert manifest["process"]["go"] == go.VERSIONS[-1]
    assert time.time() - manifest["at"] < 600
    kinds = {file["kind"] for file in manifest["files"]}
    assert kinds == {"cpu", "heap", "goroutine", "goroutineleak", "block", "mutex", "threadcreate"}
    for file in manifest["files"]:
        assert "PeriodType:" in go.pprof_raw(tmp_path / file["name"]), file


def _telling(url: str, token: Path) -> dict[str, object]:
    """A configuration that sends everything to one webhook at once."""
    http = {"authorization": {"credentials_file": str(token)}}
    webhook = {"url": url, "send_resolved": False, "http_config": http}
    return {
        "route": {"receiver": "exporter", "group_wait": "0s"},
        "receivers": [{"name": "exporter", "webhook_configs": [webhook]}],
    }
