"""The image, the composition, and the manifests of pods, in containers that podman runs."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.objects import Object, objects
from tests.docs.pages import commands, under
from tests.lab import PROJECT, run
from tests.lab.pypi import environment, helm, kubectl
from tests.walk import images
from tests.walk.asking import EXPORTER, alerts, got, has_every_profile, is_powerless, is_up
from tests.walk.diary import Diary, expect, until
from tests.walk.machine import are_free
from tests.walk.podman import BASE, Podman, build_options, podman

_DEPLOY = PROJECT / "deploy"
_PAGE = _DEPLOY / "README.md"
_IMAGE = "localhost/pprof-exporter"
_SHOP = "localhost/shop"
_LEFT_OUT = ("grafana",)
"""Services of the composition whose image cannot be made here."""


def walk(root: Path, diary: Diary) -> None:
    """Build, run, compose, and start the pods of every kind of manifest."""
    are_free([3000, 6060, 9090, 9093, 9717])
    with podman(root) as engine:
        images.golang(engine, root / "golang")
        with diary.step("the image built"):
            engine.build(_DEPLOY / "docker" / "Dockerfile", _IMAGE, PROJECT)
        engine.build(_DEPLOY / "compose" / "shop.Dockerfile", _SHOP, PROJECT)
        sizes = [int(engine.run("image", "inspect", "--format={{.Size}}", image)) for image in (_IMAGE, BASE)]
        print(f"    {(sizes[0] - sizes[1]) / 1e6:.0f} MB beside those of its base")
        with diary.step("the image run as the page says, until the service is up"):
            _run(engine)
        expect('reader="native"' in got(EXPORTER, "/metrics"), "the image has no compiled reader")
        _is_confined(engine, "exporter")
        began = time.monotonic()
        engine.run("stop", "exporter")
        expect(time.monotonic() - began < 5, "it does not stop when it is asked to")
        engine.run("rm", "--all", "--force", "--time", "0")
        _compose(engine, root, diary)
        with diary.step("pods of the manifests and of the chart, until each is ready"):
            for name, found in _manifests().items():
                _play(engine, root / f"{name}.yaml", found)


def _run(engine: Podman) -> None:
    typed = [shlex.split(command) for block in under(_PAGE, "Docker") for command in commands(block)]
    (command,) = [words for words in typed if words[:2] == ["docker", "run"]]
    engine.run("network", "create", "walk")
    engine.run("run", "--detach", "--network=walk", "--name=shop", _SHOP, "-listen", ":6060")
    engine.run(
        "run", "--detach", "--network=walk", "--name=exporter", *[word for word in command[2:] if word != "--rm"]
    )
    until("the service is up", lambda: is_up("shop:6060"), within=30)


def _is_confined(engine: Podman, container: str) -> None:
    """It is healthy as a user that is not root, without capabilities, on a file system that it cannot write."""
    engine.run("healthcheck", "run", container)
    process = engine.run("inspect", "--format={{.State.Pid}}", container).strip()
    status = Path(f"/proc/{process}/status").read_text()
    expect(is_powerless(status), f"it could do more than it should:\n{status}")
    expect("Read-only" in engine.run("exec", container, "sh", "-c", "touch /x 2>&1 || true"), "it can write")


def _compose(engine: Podman, root: Path, diary: Diary) -> None:
    """What the page has one do with the composition: bring it up, freeze the service, and let it go on."""
    file = yaml.safe_load((_DEPLOY / "compose" / "compose.yaml").read_text())
    services = [name for name in file["services"] if name not in _LEFT_OUT]
    images.prometheus_of_debian(engine, root / "prometheus", file["services"]["prometheus"]["image"])
    images.alertmanager_of_debian(engine, root / "alertmanager", file["services"]["alertmanager"]["image"])
    compose: list[str | Path] = [environment("compose", ["podman-compose==1.6.0"]) / "podman-compose", "--in-pod=false"]

    def ask(*words: str) -> None:
        engine.other(*compose, *words, cwd=_DEPLOY / "compose")

    try:
        with diary.step("the composition built and started, until every profile is in Prometheus"):
            ask(f"--podman-build-args={shlex.join(build_options())}", "up", "--build", "--detach", *services)
            until("every profile is in Prometheus", has_every_profile, within=300)
        for container in json.loads(engine.run("ps", "--format=json")):
            if container["Names"][0] != "pprof-exporter_shop_1":
                engine.run("healthcheck", "run", container["Names"][0])
        with diary.step("from `pause` of its service to the alert in Alertmanager"):
            ask("pause", "shop")
            until("PprofTargetWedged fires", lambda: "PprofTargetWedged" in alerts(), within=600)
        with diary.step("from `unpause` until the alert is gone"):
            ask("unpause", "shop")
            until("PprofTargetWedged is resolved", lambda: "PprofTargetWedged" not in alerts(), within=600)
    finally:
        ask("down", "--volumes")


def _manifests() -> dict[str, list[Object]]:
    """The objects of each way into Kubernetes."""
    chart = _DEPLOY / "helm" / "pprof-exporter"
    return {
        "sidecar": objects(run([kubectl(), "kustomize", _DEPLOY / "kubernetes" / "example"])),
        "standalone": objects(run([kubectl(), "kustomize", _DEPLOY / "kubernetes" / "standalone"])),
        "chart": objects(run([helm(), "template", "watch", chart])),
    }


def _play(engine: Podman, file: Path, found: list[Object]) -> None:
    """Start the pod of each Deployment with its ConfigMaps, and wait until the exporter in it is ready."""
    wanted: list[dict[str, Any]] = [one for one in found if one["kind"] in ("ConfigMap", "Deployment")]
    for deployment in wanted:
        if deployment["kind"] == "Deployment":
            deployment["spec"]["replicas"] = 1  # Podman gives all pods the ports of this machine.
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                engine.run("tag", _SHOP if container["name"] == "shop" else _IMAGE, container["image"])
    file.write_text(yaml.safe_dump_all(wanted))
    engine.run("play", "kube", file)
    until(f"{file.stem} is ready", lambda: got(EXPORTER, "/-/ready"), within=30)
    if file.stem == "sidecar":
        until("the service beside it is up", lambda: is_up("localhost:6060"), within=30)
    engine.run("play", "kube", "--down", file)
