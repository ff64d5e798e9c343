"""`probe` and `modules` of the configuration file."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from pprof_exporter.config import AllowRule, ConfigError, Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.default_profiles import default_profiles

BASE = Settings((), default_profiles())


def load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, BASE)


def collected(settings: Settings, module: str) -> set[str]:
    profiles = settings.probing.modules_with(settings.profiles)[module].profiles
    return {name for name, profile in profiles.items() if profile.enabled}


TELLING = [
    "basic_auth: {username: pprof, password: secret}",
    "authorization: {credentials: secret}",
    "http_headers: {X-Key: {secrets: [secret]}}",
]
BOUNDED = ["hosts: ['*.shop.example']", "networks: [10.0.0.0/8]"]


@pytest.mark.parametrize("telling", TELLING)
@pytest.mark.parametrize("bounds", BOUNDED)
def test_a_module_that_may_go_to_some_may_have_credentials(tmp_path: Path, telling: str, bounds: str) -> None:
    of_module = f"modules: {{guarded: {{{telling}, allowed: {{{bounds}}}}}}}"
    of_all = f"probe: {{allowed: {{{bounds}}}}}\nmodules: {{guarded: {{{telling}}}}}"
    for text in (of_module, of_all):
        client = load(tmp_path, text).probing.modules["guarded"].client
        assert client.carries_secrets
        assert "secret" not in repr(client)


@pytest.mark.parametrize("telling", TELLING)
@pytest.mark.parametrize(
    "bounds",
    [
        "",
        "ports: [6060]",
        "schemes: [https]",
        "hosts: ['*']",
        "hosts: ['*.*']",
        "hosts: [shop, '*']",
        "networks: [0.0.0.0/0]",
        "networks: [10.0.0.0/8, '::/0']",
    ],
)
def test_credentials_for_anybody_are_refused(tmp_path: Path, telling: str, bounds: str) -> None:
    with pytest.raises(ConfigError, match=r"modules\.guarded: anyone who reaches /probe .* hosts or networks"):
        load(tmp_path, f"modules: {{guarded: {{{telling}, allowed: {{{bounds}}}}}}}")


def test_to_check_a_certificate_takes_no_bounds(tmp_path: Path) -> None:
    module = load(tmp_path, "modules: {inside: {tls_config: {server_name: shop.example}}}").probing.modules["inside"]
    assert module.client.tls.server_name == "shop.example"
    assert not module.client.carries_secrets


@pytest.mark.parametrize("key", ["proxy_url: 'http://proxy:3128'", "oauth2: {}", "follow_redirects: true"])
def test_what_would_lead_elsewhere_is_no_key_of_a_module(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        load(tmp_path, f"modules: {{guarded: {{{key}}}}}")


def test_two_modules_come_along() -> None:
    assert set(BASE.probing.modules_with(BASE.profiles)) == {"default", "cheap"}
    assert collected(BASE, "cheap") == set()
    assert collected(BASE, "default") == set(BASE.profiles) - {"goroutineleak", "memstats", "stacks"}


def test_every_key_has_its_effect(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        probe:
          allowed:
            schemes: [https]
            hosts: ["*.Shop.example", "10.*"]
            networks: [10.0.0.0/8, fd00::/8]
            ports: [6060, 8000-8009]
          timeout_offset: 250ms
          timeout: 5s
          concurrency: 7
          targets: 8
          forget_after: 2h
          history: 9
        modules:
          memory:
            collect: [heap, stacks]
            profiles: {heap: {interval: 2m}}
            timeout: 4s
            path: /internal/pprof
            allowed: {ports: [6060]}
        """,
    )
    probing, module = settings.probing, settings.probing.modules["memory"]
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert probing.allowed == AllowRule(("https",), ("*.shop.example", "10.*"), networks, ((6060, 6060), (8000, 8009)))
    assert (probing.timeout_offset, probing.timeout, probing.concurrency) == (0.25, 5, 7)
    assert (probing.targets, probing.forget_after, probing.history) == (8, 7200, 9)
    assert (module.path, module.timeout, module.allowed.ports) == ("/internal/pprof/", 4, ((6060, 6060),))
    assert collected(settings, "memory") == {"heap", "stacks"}
    assert module.profiles["heap"].interval == 120


def test_modules_take_over_what_holds_for_all_targets(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        profiles: {cpu: {window: 3s}, block: {enabled: false}}
        modules: {own: {profiles: {cpu: {interval: 5m}}}, blocked: {collect: [block]}}
        """,
    )
    profiles = settings.probing.modules["own"].profiles
    assert (profiles["cpu"].interval, profiles["cpu"].window) == (300, 3)
    assert "block" not in collected(settings, "own") | collected(settings, "default")
    assert collected(settings, "blocked") == {"block"}


def test_a_module_may_take_the_place_of_one_that_comes_along(tmp_path: Path) -> None:
    assert collected(load(tmp_path, "modules: {default: {collect: [heap]}}"), "default") == {"heap"}


def test_probes_concern_no_target_that_is_watched(tmp_path: Path) -> None:
    assert load(tmp_path, "modules: {own: {}}") == BASE


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("modules: {a: {colect: []}}", "modules.a.colect: unknown key; did you mean 'collect'?"),
        ("modules: {a: {collect: [heep]}}", "modules.a.collect: unknown profile heep; choose from cpu, heap"),
        ("modules: {a: {profiles: {heep: {}}}}", "modules.a.profiles: unknown profile heep"),
        ("modules: {a: {collect: [heap], profiles: {cpu: {}}}}", "cpu: the module does not collect it"),
        ("modules: {a: {profiles: {cpu: {enabled: true}}}}", "modules.a.profiles.cpu.enabled: unknown key"),
        ("modules: {a: {profiles: {cpu: {window: 2m}}}}", "modules.a.profiles.cpu: a window of 120 s does not fit"),
        ("modules: {a: {timeout: 0}}", "modules.a.timeout: input should be greater than 0"),
        ("modules: {a: {path: debug}}", "modules.a.path: 'debug': write the path where pprof is mounted"),
        ("modules: {a: {path: /a/../b}}", "write the path where pprof is mounted"),
        ("modules: {a: {path: '/a?b'}}", "write the path where pprof is mounted"),
        ("probe: {allowed: {schemes: [ftp]}}", "probe.allowed.schemes: 'ftp': the scheme must be http or https"),
        ("probe: {allowed: {hosts: ['a b']}}", "probe.allowed.hosts: 'a b': write a name or an address"),
        ("probe: {allowed: {networks: [10.0.0.1/8]}}", "probe.allowed.networks: 10.0.0.1/8 has host bits set; write"),
        ("probe: {allowed: {networks: [shop]}}", "write for example 10.0.0.0/8"),
        ("probe: {allowed: {ports: [0]}}", "probe.allowed.ports: '0': write a port, or a range"),
        ("probe: {allowed: {ports: [9-8]}}", "'9-8': write a port, or a range"),
        ("probe: {allowed: {ports: [65536]}}", "'65536': write a port, or a range"),
        ("probe: {allowed: {network: []}}", "probe.allowed.network: unknown key; did you mean 'networks'?"),
        ("probe: {history: 0}", "probe.history: input should be greater than or equal to 1"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
