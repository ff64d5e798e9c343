"""The health check: yes for an exporter that lives, no for everything else, and without what serving needs."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from pprof_exporter.healthcheck import default_url, find_problem, run
from tests.lab import exporter, free_port
from tests.lab import run as run_command


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        (None, "http://127.0.0.1:9717/-/healthy"),
        (":9000", "http://127.0.0.1:9000/-/healthy"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/-/healthy"),
        ("[::]:9000", "http://[::1]:9000/-/healthy"),
        ("[::1]:9000, 10.0.0.1:9001", "http://[::1]:9000/-/healthy"),
    ],
)
def test_it_asks_where_the_exporter_of_the_same_environment_listens(listen: str | None, url: str) -> None:
    assert default_url({"PPROF_EXPORTER_WEB_LISTEN_ADDRESS": listen} if listen else {}) == url


def test_an_exporter_that_lives_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with exporter.running("127.0.0.1:9") as program:
        address = program.url.removeprefix("http://")
        assert run(["--timeout=120"], {"PPROF_EXPORTER_WEB_LISTEN_ADDRESS": address}) == 0
        assert capsys.readouterr().out == "healthy\n"
        assert find_problem(f"{program.url}/nowhere", 120) == f"{program.url}/nowhere: status 404"


def test_an_exporter_that_asks_for_a_password_over_tls_lives(tmp_path: Path) -> None:
    names: list[str | Path] = [
        "-subj",
        "/CN=elsewhere.example",
        "-keyout",
        tmp_path / "key.pem",
        "-out",
        tmp_path / "cert.pem",
    ]
    run_command(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names])
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    web = tmp_path / "web.yml"
    web.write_text(
        f'tls_server_config: {{cert_file: cert.pem, key_file: key.pem}}\nbasic_auth_users: {{prometheus: "{hashed}"}}\n'
    )
    port = free_port()
    command = [sys.executable, "-m", "pprof_exporter", "127.0.0.1:9", f"--web.config.file={web}"]
    with subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert b"listening" in process.stderr.readline()
            assert find_problem(f"https://127.0.0.1:{port}/-/healthy", 120) is None
            assert find_problem(f"http://127.0.0.1:{port}/-/healthy", 120) is not None
        finally:
            process.kill()


def test_nobody_who_listens_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert run(["--url", f"http://127.0.0.1:{port}"], {}) == 1
    assert capsys.readouterr().err.startswith(f"http://127.0.0.1:{port}: ")


def test_one_who_accepts_and_says_nothing_is_not_healthy() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        assert find_problem(f"http://127.0.0.1:{mute.getsockname()[1]}/-/healthy", 0.2) is not None


@pytest.mark.parametrize("argument", ["--url=ftp://x", "--url=9717", "--timeout=0", "--timeout=soon"])
def test_wrong_arguments_are_told(argument: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run([argument], {})
    assert ended.value.code == 2


def test_it_loads_nothing_that_serving_needs() -> None:
    code = """
import sys
from pprof_exporter.__main__ import main
sys.argv[1:] = ["healthcheck", "--url", "http://127.0.0.1:1"]
print(main(), [name for name in ("aiohttp", "pydantic", "psutil") if name in sys.modules])
"""
    assert run_command([sys.executable, "-c", code]).splitlines()[-1] == "1 []"
