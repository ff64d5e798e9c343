"""The composition: right by the schema of compose, and made of what the project has."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pprof_exporter.cli.options import Parser, add_serve_flags
from pprof_exporter.config import Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.default_profiles import default_profiles
from tests.lab import PATIENCE, PROJECT, go, run
from tests.lab.judge import problems
from tests.lab.prometheus import amtool, promtool
from tests.lab.pypi import hadolint

FOLDER = PROJECT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def mounts(service: str) -> list[tuple[Path, str]]:
    """What a service sees of the project, and where."""
    pairs = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    return [((FOLDER / pair[0]).resolve(), pair[1]) for pair in pairs if pair[0].startswith(".")]


def laid(service: str, to: Path) -> Path:
    """The folder /etc of a service, as its mounts lay it."""
    for source, at in mounts(service):
        target = to / at.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    return to / "etc"


def test_the_file_is_right_by_the_schema_of_compose() -> None:
    broken = json.loads(json.dumps(COMPOSE))
    broken["services"]["shop"]["prots"] = []
    said = problems("compose", [COMPOSE, broken])
    assert len(said) == 1
    assert "prots" in said[0]


def test_the_linter_has_nothing_to_say_of_the_service() -> None:
    assert json.loads(run([hadolint(), "--format", "json", FOLDER / "shop.Dockerfile"])) == []


@pytest.mark.parametrize("service", SERVICES)
def test_everything_that_is_mounted_is_there_and_cannot_be_written(service: str) -> None:
    for volume in SERVICES[service].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (FOLDER / source).exists(), source
            assert rest.endswith(":ro"), volume
        else:
            assert source in COMPOSE["volumes"]
    for built in [SERVICES[service]["build"]] if "build" in SERVICES[service] else []:
        assert (FOLDER / built["context"] / built["dockerfile"]).is_file()
        assert (FOLDER / built["context"]).resolve() == PROJECT


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_root_s_or_open_to_the_network(service: str) -> None:
    told = SERVICES[service]
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in told.get("ports", []))
    assert "image" not in told or "build" in told or ":" in told["image"], "pin a version"


def test_services_are_called_by_names_that_there_are() -> None:
    texts = [(FOLDER / name).read_text() for name in ("prometheus.yml", "pprof-exporter.yml", "targets/exporters.yml")]
    texts.append((PROJECT / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    addresses = {("alertmanager", 9093), ("shop", 6060), ("pprof-exporter", 9717), ("prometheus", 9090)}
    for host, port in addresses:
        assert any(f"{host}:{port}" in text for text in texts)
        assert f"127.0.0.1:{port}:{port}" in SERVICES[host]["ports"]
    assert not any(
        "localhost" in line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")
    )


def test_prometheus_and_alertmanager_take_what_they_are_given(tmp_path: Path) -> None:
    run([promtool(), "check", "config", "--lint-fatal", laid("prometheus", tmp_path) / "prometheus" / "prometheus.yml"])
    said = run([amtool(), "check-config", laid("alertmanager", tmp_path) / "alertmanager" / "alertmanager.yml"])
    assert "1 templates" in said
    files = (FOLDER / "alertmanager.yml", PROJECT / "deploy" / "alertmanager" / "alertmanager.yml")
    ours, shipped = (yaml.safe_load(path.read_text()) for path in files)
    assert ours["route"] == shipped["route"]
    assert ours["inhibit_rules"] == shipped["inhibit_rules"]
    assert ours["receivers"] == [{"name": one["name"]} for one in shipped["receivers"]]


def test_the_exporter_takes_its_flags_and_its_configuration() -> None:
    parser = Parser(environ={})
    add_serve_flags(parser)
    options = vars(parser.parse_args(SERVICES["pprof-exporter"]["command"]))
    assert (mounts("pprof-exporter")[0][1]) == str(options["config.file"])
    settings = load_config(FOLDER / "pprof-exporter.yml", Settings((), default_profiles()))
    assert [target.url.authority for target in settings.targets] == ["shop:6060"]


def test_grafana_looks_for_dashboards_where_they_are() -> None:
    provider = yaml.safe_load((PROJECT / "grafana/provisioning/dashboards/pprof.yaml").read_text())["providers"][0]
    assert provider["options"]["path"] in [at for _, at in mounts("grafana")]


def test_the_service_takes_its_arguments() -> None:
    program = go.build(go.VERSIONS[-1])
    done = subprocess.run([program, "-help"], capture_output=True, text=True, check=False, timeout=PATIENCE)
    for argument in SERVICES["shop"]["command"]:
        assert not argument.startswith("-") or f"  {argument} " in done.stderr
