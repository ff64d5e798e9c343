"""Objects of Kubernetes as tests look at them."""

from __future__ import annotations

from typing import Any

import yaml

Object = dict[str, Any]

_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


class _Once(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, as Kubernetes does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


def objects(text: str) -> list[Object]:
    """Every document of a text."""
    return [one for one in yaml.load_all(text, _Once) if one is not None]


def of_kind(found: list[Object], kind: str) -> list[Object]:
    return [one for one in found if one["kind"] == kind]


def only(found: list[Object], kind: str) -> Object:
    """The one object of a kind."""
    (one,) = of_kind(found, kind)
    return one


def pods(found: list[Object]) -> list[Object]:
    """The specification of each pod that these objects start."""
    specs = [one["spec"]["template"]["spec"] for one in of_kind(found, "Deployment")]
    return specs + [one["spec"] for one in of_kind(found, "Pod")]


def not_restricted(pod: Object) -> list[str]:
    """What the profile "restricted" of the Pod Security Standards refuses, and a file system that can be written."""
    whole = pod.get("securityContext", {})
    found = [name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    found += [f"volume {one['name']}" for one in pod.get("volumes", []) if not allowed & one.keys()]
    for container in pod["containers"] + pod.get("initContainers", []):
        context = whole | container.get("securityContext", {})
        holds = {
            "runs as root": context.get("runAsNonRoot") is True and context.get("runAsUser") != 0,
            "may gain privileges": context.get("allowPrivilegeEscalation") is False and not context.get("privileged"),
            "has capabilities": context.get("capabilities") == {"drop": ["ALL"]},
            "has no seccomp profile": context.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
            "can write its root": context.get("readOnlyRootFilesystem") is True,
            "has a port of the host": not any("hostPort" in port for port in container.get("ports", [])),
        }
        found += [f"{container['name']} {fault}" for fault, well in holds.items() if not well]
    return found
