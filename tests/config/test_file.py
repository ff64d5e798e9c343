"""The configuration file: what it can say, and what is said about one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.config import BasicAuth, ConfigError, ProfileSettings, Settings, parse_target
from pprof_exporter.config.file import load_config
from pprof_exporter.profile import KINDS

BASE = Settings(
    targets=(parse_target("flag:1"),),
    profiles={name: ProfileSettings(kind.interval, kind.window) for name, kind in KINDS.items()},
)


def load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, BASE)


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    return str(caught.value)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "") == BASE


def test_every_key_has_its_effect(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        global:
          {scrape_interval: 15s, scrape_timeout: 3s, profiling_budget: 0.5, defer_at_most: 1m, backoff_at_most: 2m}
        profiles:
          cpu: {interval: 2m, window: 10s}
          goroutineleak: {enabled: false}
        scrape_configs:
          - job_name: shop
            scheme: https
            path: /in/pprof
            static_configs:
              - targets: [shop-1:6060, "http://other:1/debug/pprof"]
                labels: {service: shop}
        """,
    )
    assert settings.index_interval == 15
    assert settings.timeout == 3
    assert settings.budget == 0.5
    assert settings.defer_at_most == 60
    assert settings.backoff_at_most == 120
    assert settings.profiles["cpu"] == ProfileSettings(interval=120, window=10)
    assert settings.profiles["goroutineleak"].enabled is False
    assert settings.profiles["heap"] == BASE.profiles["heap"]
    assert [str(target.url) for target in settings.targets] == [
        "http://flag:1/debug/pprof/",
        "https://shop-1:6060/in/pprof/",
        "http://other:1/debug/pprof/",
    ]
    assert settings.targets[1].labels == (("service", "shop"),)


@pytest.mark.parametrize("off", ["off", '"off"'])
def test_deferral_can_be_switched_off(tmp_path: Path, off: str) -> None:
    assert load(tmp_path, f"global: {{defer_at_most: {off}}}").defer_at_most == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("globl: {}", "globl: unknown key; did you mean 'global'?"),
        ("global: {scrape_intervall: 5s}", "global.scrape_intervall: unknown key; did you mean 'scrape_interval'?"),
        (
            "scrape_configs: [{job_name: a, static_config: []}]",
            "scrape_configs.0.static_config: unknown key; did you mean 'static_configs'?",
        ),
        (
            "scrape_configs: [{job_name: a, static_configs: [{targets: [], label: {}}]}]",
            "scrape_configs.0.static_configs.0.label: unknown key; did you mean 'labels'?",
        ),
        ("profiles: {cpu: {windw: 5s}}", "profiles.cpu.windw: unknown key; did you mean 'window'?"),
        ("profiles: {cpuu: {}}", "profiles.cpuu: unknown profile; choose from cpu, heap"),
        ("global: {scrape_interval: 5}", ""),
        ("global: {profiling_budget: 1.5}", "global.profiling_budget: input should be less than or equal to 1"),
        ("global: {defer_at_most: later}", "global.defer_at_most: 'later' is not a duration"),
        ("global: {scrape_interval: fast}", "global.scrape_interval: 'fast' is not a duration"),
        ("scrape_configs: [{job_name: ''}]", "scrape_configs.0.job_name"),
        ("scrape_configs: [{job_name: a}, {job_name: a}]", "two scrape_configs have the job_name 'a'"),
        ("scrape_configs: {}", "scrape_configs: input should be a valid list"),
        (
            "scrape_configs: [{job_name: a, static_configs: [{targets: [x:1], labels: {target: y}}]}]",
            "'target' is not allowed as a label name",
        ),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['x:y']}]}]", "is not a target"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['flag:1']}]}]", "flag:1 is listed twice"),
        ("profiles: {cpu: {interval: 5s}}", "a window of 5 s does not fit into an interval of 5 s"),
        ("global: [", "config.yaml:1: "),
        ("a: b\nc: : d", "config.yaml:2: "),
        ("- a", "the top level"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    if not says:
        assert load(tmp_path, text).index_interval == 5
        return
    assert says in problem(tmp_path, text)


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    told = problem(tmp_path, "globl: {}\nglobal: {scrape_timeout: soon}")
    assert len(told.splitlines()) == 2


def test_a_file_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "absent.yaml", BASE)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\x00a")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(binary, BASE)


UNQUOTED = """
scrape_configs:
  - job_name: 1
    params: {node: [3, 1.10]}
    basic_auth: {username: 1234, password: 007}
    http_headers: {X-Key: {values: [true]}}
    relabel_configs: [{target_label: at, replacement: 2024-02-30}, {regex: 1.50, target_label: on, replacement: yes}]
    static_configs:
      - targets: [h:1]
        labels: {release: 1.10, canary: true, serial: 007, date: 20261128, none: ~, on: "off"}
modules:
  404: {authorization: {credentials: 0x1F}, allowed: {hosts: [10.0], ports: [6060]}}
"""


def test_text_without_quotes_is_the_text_that_it_is_written_as(tmp_path: Path) -> None:
    settings = load(tmp_path, UNQUOTED)
    (job,) = settings.jobs
    assert job.name == "1"
    assert job.params == (("node", "3"), ("node", "1.10"))
    assert isinstance(job.client.auth, BasicAuth)
    assert (job.client.auth.username.text, job.client.auth.password.text) == ("1234", "007")
    assert job.client.headers[0][1].text == "true"
    assert [rule.replacement for rule in job.rules] == ["2024-02-30", "yes"]
    assert job.rules[1].regex == "1.50"
    assert dict(settings.targets[1].labels) == {
        "release": "1.10",
        "canary": "true",
        "serial": "007",
        "date": "20261128",
        "at": "2024-02-30",
        "on": "off",
    }
    assert set(settings.probing.modules) == {"404"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_of_every_editor_say_the_same(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(UNQUOTED.replace("\n", end).encode(encoding))
    assert load_config(path, BASE) == load(tmp_path, UNQUOTED)


@pytest.mark.parametrize(
    "value",
    ["!!bool foo", "!!int foo", "!!timestamp [x]", "*a", "&x [*x]", "{<<: 1}", "[" * 2_000, "\x07", '"\\ud800"'],
)
def test_no_error_of_the_yaml_library_escapes(tmp_path: Path, value: str) -> None:
    said = problem(tmp_path, f"scrape_configs:\n  - job_name: a\n    relabel_configs: [{{replacement: {value}}}]\n")
    assert said.startswith(f"{tmp_path / 'config.yaml'}:")
    assert len(said) < 500


@pytest.mark.parametrize("value", ["9" * 5_000 + "s", "9" * 30 + "w", ".inf", ".nan", "1e999"])
def test_a_duration_beyond_all_measure_is_refused(tmp_path: Path, value: str) -> None:
    assert "global.scrape_interval" in problem(tmp_path, f"global: {{scrape_interval: {value}}}")


def test_a_label_that_the_exporter_has_itself_is_kept_under_the_name_that_prometheus_gives_it(tmp_path: Path) -> None:
    settings = load(
        tmp_path, "scrape_configs: [{job_name: a, static_configs: [{targets: [h:1], labels: {version: 1.10, le: 7}}]}]"
    )
    assert settings.targets[1].labels == (("exported_le", "7"), ("exported_version", "1.10"))


@pytest.mark.parametrize(
    "text",
    [
        'scrape_configs: [{job_name: a, file_sd_configs: [{files: ["\\0.json"]}]}]',
        'scrape_configs: [{job_name: a, basic_auth: {password_file: "\\0"}}]',
    ],
)
def test_a_zero_byte_in_the_name_of_a_file_is_refused(tmp_path: Path, text: str) -> None:
    assert f"{tmp_path / 'config.yaml'}:1: " in problem(tmp_path, text)
