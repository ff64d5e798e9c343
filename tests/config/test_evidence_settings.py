"""`evidence` in the configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.config import ConfigError, EvidenceSettings, PushSettings, Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.config.units import parse_size
from pprof_exporter.default_profiles import default_profiles

WHOLE = """
evidence:
  max_bytes: 512MiB
  max_age: 7d
  interval: 30m
  memory: 16MiB
  webhook: {interval: 5m, token_file: secrets/token}
  push:
    url: https://profiles.example/base
    headers: {X-Scope-OrgID: shop}
    basic_auth: {username: exporter, password_file: secrets/password}
"""


def load(folder: Path, text: str) -> EvidenceSettings:
    file = folder / "config.yml"
    file.write_text(text)
    return load_config(file, Settings((), default_profiles())).evidence


def test_every_key_is_taken_over_and_files_are_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    push = PushSettings(
        "https://profiles.example/base", (("X-Scope-OrgID", "shop"),), "exporter", tmp_path / "secrets" / "password"
    )
    assert load(tmp_path, WHOLE) == EvidenceSettings(
        max_bytes=512 * 2**20,
        max_age=7 * 86400.0,
        interval=1800,
        memory=16 * 2**20,
        capture_interval=300,
        token_file=tmp_path / "secrets" / "token",
        push=push,
    )


def test_without_the_section_defaults_hold_and_nothing_is_pushed(tmp_path: Path) -> None:
    assert load(tmp_path, "{}") == load(tmp_path, "evidence: {}") == EvidenceSettings()
    assert EvidenceSettings().push is None
    assert not load(tmp_path, "evidence: {enabled: false}").enabled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evidence: {max_byte: 1GiB}", "did you mean 'max_bytes'"),
        ("evidence: {max_bytes: 1XB}", "is not a size"),
        ("evidence: {max_bytes: 0B}", "is not a size"),
        ("evidence: {max_age: soon}", "is not a duration"),
        ("evidence: {push: {url: 'ftp://x'}}", "write http://"),
        ("evidence: {push: {url: 'https://user:secret@x'}}", "basic_auth"),
        ("evidence: {push: {url: 'http://x', headers: {'a b': c}}}", "a header name has letters"),
        ("evidence: {push: {url: 'http://x', basic_auth: {username: u}}}", "password_file"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.yml:1: evidence") as refused:
        load(tmp_path, text)
    assert said in str(refused.value)
    assert "secret@" not in str(refused.value)


@pytest.mark.parametrize(("text", "size"), [("1B", 1), ("64MiB", 64 * 2**20), ("64MB", 64 * 2**20), ("1TiB", 2**40)])
def test_sizes_are_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size
