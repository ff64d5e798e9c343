"""`compare` as a command: what it reads, writes and returns, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pprof_exporter.cli import main
from tests.capture.test_capture import written
from tests.compare import test_epochs
from tests.lab import PATIENCE


@contextmanager
def serving(body: str, status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = status if self.path == "/metrics" else 404
            self.send_response(found)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two captures of the same eight replies."""
    folder = tmp_path_factory.mktemp("captures")
    for side in ("before", "after"):
        written(folder / side, rounds=8)
    return str(folder / "before"), str(folder / "after")


def test_two_captures_of_the_same_are_no_worse(
    captures: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    html = tmp_path / "report.html"
    assert main(["compare", *captures, "--format=json", f"--html={html}"], {}) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "no worse"
    (pair,) = report["pairs"]
    assert pair["name"] == "shop:6060"
    assert not [one for one in pair["signals"] if one["verdict"] == "worse"]
    assert not [one for one in pair["functions"] if one["movement"] in ("grew", "shrank")]
    assert "Flame graph of cpu" in html.read_text(encoding="utf-8")


@pytest.mark.parametrize(("form", "says"), [("text", "Nothing is worse"), ("markdown", "## Nothing"), ("html", "<h1>")])
def test_every_form_can_go_to_a_file(captures: tuple[str, str], form: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    assert main(["compare", *captures, f"--format={form}", f"--output={file}"], {}) == 0
    assert says in file.read_text(encoding="utf-8")


def test_a_running_exporter_is_asked_for_its_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(test_epochs.page()) as address:
        assert main(["compare", f"--from={address}"], {}) == 1
        assert main(["compare", f"--from=http://user:secret@{address}", "--fail-on=never"], {}) == 0
        shown = capsys.readouterr().out
        assert main(["compare", f"--from={address}", "--target=nobody"], {}) == 2
    assert "fetch_duration_seconds:heap" in shown
    assert "no rank test" in " ".join(shown.split())
    assert "secret" not in shown
    assert "unknown target 'nobody'" in capsys.readouterr().err


def test_what_cannot_be_told_fails_only_if_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    few = test_epochs.page(count=9).replace("0.64", "0.98").replace("0.4\n", "0.04\n")
    with serving(few) as address:
        assert main(["compare", f"--from={address}", "--fail-on=worse"], {}) == 1
        unsure = few.replace('signal="tick_rate_hertz",epoch="now"} 64', 'signal="tick_rate_hertz",epoch="now"} 100')
    with serving(unsure) as address:
        assert main(["compare", f"--from={address}"], {}) == 0
        assert main(["compare", f"--from={address}", "--fail-on=unsure"], {}) == 1
    capsys.readouterr()


def test_nothing_that_could_be_told_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(test_epochs.page(count=1)) as address:
        assert main(["compare", f"--from={address}"], {}) == 2
    assert "Undecided: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "name two captures"),
        (["one"], "name two captures"),
        (["/nowhere/a", "/nowhere/b"], "No such file"),
        (["a", "b", "--from=http://x"], "choose one"),
        (["--stable=127.0.0.1:1"], "required together"),
        (["--from=ftp://x"], "the scheme must be http or https, not 'ftp'"),
        (["--from=http://127.0.0.1:1"], "cannot be read"),
    ],
)
def test_what_cannot_be_compared_ends_with_exit_code_2_and_one_line(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *argv], {}) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("status", "says"), [(401, "requires a password"), (500, "answers 500"), (200, "not a readable metrics page")]
)
def test_a_page_that_does_not_help_is_said_to_be_so(status: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("<html></html>", status) as address:
        assert main(["compare", f"--from={address}"], {}) == 2
    assert says in capsys.readouterr().err


def test_a_report_that_cannot_be_written_says_so(
    captures: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["compare", *captures, f"--html={tmp_path / 'none' / 'x.html'}"], {}) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_exporter_starts_without_loading_what_comparisons_need() -> None:
    code = "import sys, pprof_exporter.cli.main; print(*(name for name in sys.modules if 'workbench.' in name))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE)
    loaded = {name.rpartition(".")[2] for name in ran.stdout.split()}
    assert not loaded & {"statistics", "comparing", "judging", "epochs", "flames", "report_html", "report_text"}
