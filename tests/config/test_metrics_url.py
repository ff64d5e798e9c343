"""Where a target serves metrics of its own, as a person writes it, and which URL that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.config import ConfigError, MetricsPage, Settings, parse_metrics_page, parse_target
from pprof_exporter.config.file import load_config
from pprof_exporter.default_profiles import default_profiles

GLOBAL = """
global: {metrics_page: ":8080/metrics"}
scrape_configs:
  - {job_name: shop, static_configs: [{targets: [shop:6060]}]}
  - {job_name: bank, metrics_page: /internal/metrics, static_configs: [{targets: [bank:6060]}]}
"""


def read(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "pprof-exporter.yml"
    file.write_text(text)
    return load_config(file, Settings((), default_profiles()))


@pytest.mark.parametrize(
    ("target", "page", "url"),
    [
        ("shop:6060", "/metrics", "http://shop:6060/metrics"),
        ("https://shop:6443/internal/debug/pprof", "/metrics", "https://shop:6443/metrics"),
        ("shop:6060", ":8080/metrics", "http://shop:8080/metrics"),
        ("[::1]:6060", ":80/a/b", "http://[::1]/a/b"),
        ("https://me:secret@shop:6443", ":9000/metrics", "https://me:secret@shop:9000/metrics"),
    ],
)
def test_it_is_on_the_host_of_the_target(target: str, page: str, url: str) -> None:
    assert str(parse_metrics_page(page).of(parse_target(target).url)) == url


@pytest.mark.parametrize(
    "text", ["", "metrics", ":8080", "8080/metrics", "http://shop:8080/metrics", ":0/x", ":65536/x", "/a?b", "/a b"]
)
def test_what_is_no_page_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        parse_metrics_page(text)


def test_a_job_may_have_its_own(tmp_path: Path) -> None:
    settings = read(tmp_path, GLOBAL)
    shop, bank = settings.targets
    assert settings.overridden(shop.overrides).metrics_page == MetricsPage("/metrics", 8080)
    assert settings.overridden(bank.overrides).metrics_page == MetricsPage("/internal/metrics")


def test_an_error_in_the_file_has_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r":2: global\.metrics_page: .*:8080/metrics"):
        read(tmp_path, "global:\n  metrics_page: 8080\n")
