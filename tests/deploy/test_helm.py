"""The chart: rendered by Helm itself, and right by the schemas of what it renders."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pprof_exporter import __version__
from pprof_exporter.cli.options import Parser, add_serve_flags
from tests.deploy.objects import Object, not_restricted, objects, of_kind, only, pods
from tests.lab import LAB, PATIENCE, PROJECT
from tests.lab.judge import problems
from tests.lab.pypi import helm

CHART = PROJECT / "deploy" / "helm" / "pprof-exporter"
VALUES = sorted((CHART / "ci").glob("*.yaml"))
EVERYTHING = CHART / "ci" / "everything-values.yaml"


def asked(*words: str | Path) -> tuple[int, str]:
    """Exit code and words of a `helm` command that keeps its state below `.lab`."""
    home = str(LAB / "pypi" / "helm-home")
    environ = {"HOME": home, "PATH": "/usr/bin:/bin"}
    done = subprocess.run([helm(), *words], env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


@cache
def rendered(*arguments: str) -> list[Object]:
    """The objects that an installation would have."""
    code, said = asked("template", "watch", CHART, "--namespace=monitoring", *arguments)
    assert code == 0, said
    return objects(said)


def refused(**values: Any) -> str:
    """What Helm says of values that it does not take."""
    words = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    code, said = asked("template", "watch", CHART, *words)
    assert code != 0, said
    return said


def test_helm_has_nothing_to_warn_of() -> None:
    code, said = asked("lint", "--strict", CHART, *[f"--values={path}" for path in VALUES])
    assert code == 0, said
    assert "WARNING" not in said


def test_every_object_is_right_and_every_pod_restricted() -> None:
    found = [rendered(), *(rendered(f"--values={path}") for path in VALUES)]
    assert problems("kubernetes", [one for each in found for one in each]) == []
    assert [not_restricted(pod) for each in found for pod in pods(each)] == [[]] * 6


def test_everything_is_there_when_asked_for_and_little_when_not() -> None:
    kinds = {one["kind"] for one in rendered(f"--values={EVERYTHING}")}
    optional = {"NetworkPolicy", "ServiceMonitor", "PodMonitor", "Probe", "PrometheusRule", "PersistentVolumeClaim"}
    assert optional | {"Deployment", "Service", "ServiceAccount", "ConfigMap", "Pod"} == kinds
    small = rendered(f"--values={CHART / 'ci' / 'smallest-values.yaml'}")
    assert sorted(one["kind"] for one in small) == ["ConfigMap", "Deployment", "Pod", "Service"]
    assert {one["metadata"]["name"] for one in small} == {"watcher", "watcher-test"}


def test_rules_and_dashboards_are_those_of_the_project() -> None:
    found = rendered(f"--values={EVERYTHING}")
    rules = yaml.safe_load((PROJECT / "rules" / "pprof.rules.yaml").read_text())
    assert only(found, "PrometheusRule")["spec"] == rules
    shipped = {path.name: path.read_text() for path in (PROJECT / "grafana" / "dashboards").glob("*.json")}
    maps = [one["data"] for one in of_kind(found, "ConfigMap") if "grafana_dashboard" in one["metadata"]["labels"]]
    assert {name: text for data in maps for name, text in data.items()} == shipped


def test_the_version_is_that_of_the_program_and_a_digest_wins() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__
    assert pods(rendered())[0]["containers"][0]["image"] == f"pprof-exporter:{__version__}"
    assert "@sha256:" in pods(rendered(f"--values={EVERYTHING}"))[0]["containers"][0]["image"]


def test_the_exporter_has_the_flags_and_the_configuration() -> None:
    parser = Parser(environ={})
    add_serve_flags(parser)
    found = rendered(f"--values={EVERYTHING}")
    options = vars(parser.parse_args(pods(found)[0]["containers"][0]["args"]))
    assert options["log.format"] == "json"
    (data,) = [one["data"] for one in of_kind(found, "ConfigMap") if "pprof-exporter.yml" in one["data"]]
    asked_for = yaml.safe_load(EVERYTHING.read_text())["config"]
    assert yaml.safe_load(data["pprof-exporter.yml"]) == asked_for


def test_with_passwords_the_program_asks_itself() -> None:
    container = pods(rendered(f"--values={EVERYTHING}"))[0]["containers"][0]
    for probe, path in (("readinessProbe", "ready"), ("livenessProbe", "healthy")):
        command = container[probe]["exec"]["command"]
        assert command == ["pprof-exporter", "healthcheck", f"--url=https://127.0.0.1:9717/-/{path}"]


def test_the_service_sends_nothing_to_the_pod_of_the_test() -> None:
    found = rendered()
    selector = only(found, "Service")["spec"]["selector"].items()
    assert selector <= only(found, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert not selector <= only(found, "Pod")["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"imagee": {}}, "imagee"),
        ({"image.digest": "latest"}, "digest"),
        ({"probe": {"enabled": True}}, "name at least one"),
        ({"podMonitor.interval": 30}, "interval"),
        ({"service.port": 0}, "port"),
    ],
)
def test_wrong_values_are_refused_with_their_name(values: dict[str, Any], says: str) -> None:
    assert says in refused(**values)


def test_the_readme_of_values_is_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(values) == set(schema["properties"]) - {"global"}
