"""The command line: what it refuses, with which words and exit codes, and where values come from."""

from __future__ import annotations

import argparse
import json
import socket
import time
from pathlib import Path

import pytest

from pprof_exporter import __version__
from pprof_exporter.cli import main
from pprof_exporter.cli.options import Parser, add_serve_flags, settings_from, variable_of
from pprof_exporter.config import Settings
from pprof_exporter.profile import READER
from tests.lab import exporter, free_port


def settings(argv: list[str], environ: dict[str, str] | None = None) -> Settings:
    parser = Parser(environ=environ or {})
    add_serve_flags(parser)
    return settings_from(parser.parse_args(argv))


def flags() -> list[str]:
    parser = Parser(environ={})
    add_serve_flags(parser)
    positive = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    return [action.option_strings[0].removeprefix("--") for action in positive if action.option_strings]


def test_without_anything_to_do_it_says_how_to_name_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-web.enable-probe"], {}) == 2
    assert "pprof-exporter localhost:6060" in capsys.readouterr().err


def test_without_targets_it_answers_probes() -> None:
    with exporter.running() as program:
        assert 'pprof_up{target="127.0.0.1:9"} 0.0' in program.get("/probe?target=127.0.0.1:9")[0]
        assert program.scrape().value("pprof_exporter_probes_total", result="down") == 1
        assert "pprof-exporter localhost:6060" in program.log
        assert program.stop() == 0


def test_a_reload_brings_new_modules(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("modules: {one: {collect: []}}")
    with exporter.running(f"--config.file={file}") as program:
        assert "pprof_up" in program.get("/probe?target=127.0.0.1:9&module=one")[0]
        loaded = program.scrape().value("pprof_exporter_config_last_reload_success_timestamp_seconds") or 0
        file.write_text("modules: {two: {collect: []}}")
        program.hang_up()
        program.wait_for(
            lambda now: (now.value("pprof_exporter_config_last_reload_success_timestamp_seconds") or 0) > loaded
        )
        assert "pprof_up" in program.get("/probe?target=127.0.0.1:9&module=two")[0]
        assert program.stop() == 0


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["ftp://shop"], "http or https"),
        (["shop:1", "shop:1"], "listed twice"),
        (["shop:1", "--scrape.cpu-window=90s"], "does not fit"),
        (["--config.file=/nowhere/config.yaml"], "No such file"),
        (["shop:1", "--web.config.file=/nowhere/web.yaml"], "No such file"),
    ],
)
def test_what_cannot_be_used_ends_with_exit_code_2_and_one_line(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv, {}) == 2
    told = capsys.readouterr().err
    assert says in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--scrape.interval=5", "30s, 5m or 1h30m"),
        ("--web.listen-address=9717", "127.0.0.1:9717"),
        ("--scrape.profiles=cpu,heep", "unknown profile 'heep'; choose from cpu, heap"),
        ("--scrape.concurrency=0", "whole number"),
        ("--log.level=loud", "loud"),
        ("--scrape.int=5s", "unrecognized"),
    ],
)
def test_a_bad_flag_says_what_to_write(flag: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["shop:1", flag], {})
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_version_and_help_tell(capsys: pytest.CaptureFixture[str]) -> None:
    version = f"pprof-exporter {__version__} ({READER.name} reader)\n"
    for flag, says in (("--version", version), ("--help", "pprof-exporter inspect FILE")):
        with pytest.raises(SystemExit) as ended:
            main([flag], {})
        assert ended.value.code == 0
        assert says in capsys.readouterr().out


@pytest.mark.parametrize("flag", flags())
def test_every_flag_has_a_variable_and_its_help_names_it(flag: str) -> None:
    parser = Parser(environ={})
    add_serve_flags(parser)
    assert f"[{variable_of(flag)}]" in " ".join(parser.format_help().split())


def test_variables_are_read_and_flags_win() -> None:
    environ = {
        "PPROF_EXPORTER_SCRAPE_INTERVAL": "15s",
        "PPROF_EXPORTER_SCRAPE_PROFILES": "heap,goroutine",
        "PPROF_EXPORTER_SCRAPE_TOP_FUNCTIONS": "3",
    }
    read = settings(["shop:1", "--scrape.top-functions=4"], environ)
    assert read.index_interval == 15
    assert [name for name, profile in read.profiles.items() if profile.enabled] == ["heap", "goroutine"]
    assert read.limits.functions == 4


def test_flags_set_intervals_and_the_file_goes_on_top(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("profiles: {cpu: {window: 7s}}")
    read = settings(["shop:1", "--scrape.cpu-interval=3m", "--scrape.cpu-window=2s", f"--config.file={file}"])
    assert read.profiles["cpu"].interval == 180
    assert read.profiles["cpu"].window == 7


def test_a_window_of_a_flag_may_fit_into_the_interval_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("profiles: {cpu: {interval: 2m}}")
    read = settings(["shop:1", "--scrape.cpu-window=90s", f"--config.file={file}"])
    assert (read.profiles["cpu"].interval, read.profiles["cpu"].window) == (120, 90)


def test_a_taken_port_ends_with_exit_code_1_and_no_traceback() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(AssertionError, match="cannot listen") as said,
            exporter.running("127.0.0.1:9", address=address),
        ):
            pass
    assert "Traceback" not in str(said.value)


def test_logs_can_be_json() -> None:
    with exporter.running("127.0.0.1:9", environ={"PPROF_EXPORTER_LOG_FORMAT": "json"}) as program:
        first = json.loads(program.log.splitlines()[0])
    assert first["msg"] == "listening"
    assert first["level"] == "info"
    assert first["targets"] == 1


def test_a_reload_takes_a_new_file_over_and_keeps_the_old_one_when_it_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"

    def write(*ports: int) -> None:
        targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
        file.write_text(f"scrape_configs: [{{job_name: a, static_configs: [{{targets: [{targets}]}}]}}]")

    first, second = free_port(), free_port()
    write(first)
    with exporter.running(f"--config.file={file}") as program:
        program.wait_for(lambda now: now.value("pprof_up", target=f"127.0.0.1:{first}") == 0)
        write(first, second)
        program.hang_up()
        program.wait_for(lambda now: now.value("pprof_up", target=f"127.0.0.1:{second}") == 0)
        file.write_text("scrape_configs: 5")
        program.hang_up()
        broken = program.wait_for(lambda now: now.value("pprof_exporter_config_last_reload_successful") == 0)
        assert broken.value("pprof_exporter_targets") == 2
        assert "scrape_configs: input should be a valid list" in program.log
        write(second)
        program.hang_up()
        program.wait_for(lambda now: now.value("pprof_exporter_targets") == 1)
        asked = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - asked < 6
        assert "Traceback" not in program.log
