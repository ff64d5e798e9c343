"""The manifests: built by kustomize, right by the schemas of Kubernetes and the Prometheus Operator, and at one."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pprof_exporter.cli.options import Parser, add_serve_flags
from pprof_exporter.config import Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.default_profiles import default_profiles
from tests.deploy.objects import Object, not_restricted, objects, of_kind, only, pods
from tests.lab import PROJECT, run
from tests.lab.judge import problems
from tests.lab.pypi import kubectl

FOLDER = PROJECT / "deploy" / "kubernetes"


@cache
def built(name: str) -> list[Object]:
    """What `kubectl apply -k` would send."""
    return objects(run([kubectl(), "kustomize", FOLDER / name]))


def exporters(found: list[Object]) -> list[Object]:
    return [one for pod in pods(found) for one in pod["containers"] if one["name"] == "pprof-exporter"]


def test_every_object_is_right_by_the_schema_of_its_kind() -> None:
    assert problems("kubernetes", [one for name in ("example", "standalone") for one in built(name)]) == []


WRONG: dict[str, tuple[str, Callable[[Any], object]]] = {
    "'replica' was unexpected": ("Deployment", lambda one: one["spec"].update(replica=1)),
    "'many' is not of type": ("Service", lambda one: one["spec"]["ports"][0].update(port="many")),
    "portName is unknown": ("PodMonitor", lambda one: one["spec"]["podMetricsEndpoints"][0].update(portName="x")),
    "spec.interval": ("Probe", lambda one: one["spec"].update(interval="often")),
    "rules.0.expr": ("PrometheusRule", lambda one: one["spec"]["groups"][0]["rules"][0].pop("expr")),
}
"""What is said of a fault: the kind of the object, and how it comes to have it."""


def test_what_is_wrong_is_found() -> None:
    faulty = []
    for kind, change in WRONG.values():
        one = copy.deepcopy(only(built("standalone"), kind))
        change(one)
        faulty.append(one)
    said = "\n".join(problems("kubernetes", faulty))
    assert [fault for fault in WRONG if fault not in said] == [], said


def test_pods_are_as_their_namespaces_demand() -> None:
    for name in ("example", "standalone"):
        labels = only(built(name), "Namespace")["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        assert [not_restricted(pod) for pod in pods(built(name))] == [[]]


def test_what_restricted_refuses_is_found() -> None:
    pod = copy.deepcopy(pods(built("standalone"))[0])
    pod["hostPID"] = True
    del pod["containers"][0]["securityContext"]["capabilities"]
    assert not_restricted(pod) == ["hostPID", "pprof-exporter has capabilities"]


def test_only_deployments_with_the_label_get_a_sidecar(tmp_path: Path) -> None:
    shop = yaml.safe_load((FOLDER / "example" / "shop.yaml").read_text())
    other = {**copy.deepcopy(shop), "metadata": {"name": "other", "labels": {"app": "other"}}}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump_all([shop, other]))
    component = os.path.relpath(FOLDER / "sidecar", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(json.dumps({"resources": ["both.yaml"], "components": [component]}))
    found = of_kind(objects(run([kubectl(), "kustomize", tmp_path])), "Deployment")
    names = {one["metadata"]["name"]: {each["name"] for each in pods([one])[0]["containers"]} for one in found}
    assert names == {"shop": {"pprof-exporter", "shop"}, "other": {"shop"}}


def test_monitors_find_the_pods_and_ports_that_there_are() -> None:
    for name in ("example", "standalone"):
        template = next(one for one in of_kind(built(name), "Deployment"))["spec"]["template"]
        monitor = only(built(name), "PodMonitor")["spec"]
        assert monitor["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
        ports = {port["name"] for container in template["spec"]["containers"] for port in container.get("ports", [])}
        assert {endpoint["port"] for endpoint in monitor["podMetricsEndpoints"]} <= ports
    service, probe = only(built("standalone"), "Service"), only(built("standalone"), "Probe")
    template = only(built("standalone"), "Deployment")["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    meta, port = service["metadata"], service["spec"]["ports"][0]["port"]
    assert probe["spec"]["prober"]["url"] == f"{meta['name']}.{meta['namespace']}.svc:{port}"


def test_the_exporter_is_started_with_flags_that_it_has_and_a_configuration_that_it_takes() -> None:
    parser = Parser(environ={})
    add_serve_flags(parser)
    for container in exporters(built("example")) + exporters(built("standalone")):
        options = vars(parser.parse_args(container["args"]))
        assert options["targets"] or options["config.file"]
        assert container["image"] == "registry.example.org/pprof-exporter:0.1.0"
    settings = load_config(FOLDER / "standalone" / "pprof-exporter.yml", Settings((), default_profiles()))
    assert [job.name for job in settings.jobs] == ["shop"]
    (volume,) = [one for one in pods(built("standalone"))[0]["volumes"] if one["name"] == "config"]
    assert volume["configMap"]["name"] == next(
        one["metadata"]["name"]
        for one in of_kind(built("standalone"), "ConfigMap")
        if "pprof-exporter.yml" in one["data"]
    )


def test_rules_and_dashboards_are_those_of_the_project() -> None:
    rules = yaml.safe_load((PROJECT / "rules" / "pprof.rules.yaml").read_text())
    assert only(built("example"), "PrometheusRule")["spec"] == rules
    shipped = {path.name: path.read_text() for path in (PROJECT / "grafana" / "dashboards").glob("*.json")}
    maps = [one for one in of_kind(built("example"), "ConfigMap") if "grafana_dashboard" in one["metadata"]["labels"]]
    assert {name: text for one in maps for name, text in one["data"].items()} == shipped
    # The most that Kubernetes stores of one.
    assert max(len(json.dumps(one)) for one in maps) < 1024 * 1024
