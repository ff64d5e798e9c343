"""What is wrong with files of others' formats, by the schemas that their projects publish.

`problems` starts this file again in an environment of its own (`tests.lab.pypi`), where those schemas are.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_PACKAGES = (
    "kubernetes-validate==1.37.0",
    "cloudcoil-models-prometheus-operator==0.80.1.0",
    "check-jsonschema==0.39.0",
    "tree-sitter==0.26.1",
    "tree-sitter-powershell==0.26.4",
)
_TIMEOUT = 1200.0
_OPERATOR = "monitoring.coreos.com/v1"


def problems(kind: str, things: Sequence[object]) -> list[str]:
    """One line for each fault. `kind` is `kubernetes` (objects), `compose` (files) or `powershell` (scripts)."""
    from tests.lab import run  # noqa: PLC0415 - not there in the other environment
    from tests.lab.pypi import environment  # noqa: PLC0415

    handed = Path(environment("judge", _PACKAGES)).parent / f"{kind}.{id(things)}.json"
    handed.write_text(json.dumps(list(things)))
    try:
        return run([handed.parent / "bin" / "python", "-I", __file__, kind, handed], timeout=_TIMEOUT).splitlines()
    finally:
        handed.unlink()


def _kubernetes(one: Any) -> list[str]:
    """An object of Kubernetes 1.25 to 1.37, or of the Prometheus Operator; unknown fields are faults."""
    name = f"{one['kind']} {one['metadata']['name']}"
    if one["apiVersion"] == _OPERATOR:
        return [f"{name}: {said}" for said in _operator(one)]
    validate = importlib.import_module("kubernetes_validate")
    found = []
    for version in ("1.25", "1.37"):
        try:
            validate.validate(one, version, strict=True)
        except (validate.ValidationError, validate.SchemaNotFoundError) as error:
            found.append(f"{name}: {version}: {error.message}")
    return found


def _operator(one: Any) -> list[str]:
    models = importlib.import_module("cloudcoil.models.prometheus_operator.v1")
    try:
        read = getattr(models, one["kind"]).model_validate(one)
    except ValueError as error:
        return str(error).splitlines()
    # The models drop what they do not know.
    return list(_dropped(one, read.model_dump(mode="json", by_alias=True, exclude_unset=True), ""))


def _dropped(given: Any, kept: Any, path: str) -> Iterator[str]:
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from _dropped(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is unknown"
    elif isinstance(given, list) and isinstance(kept, list):
        for at, (value, other) in enumerate(zip(given, kept, strict=True)):
            yield from _dropped(value, other, f"{path}[{at}]")


def _compose(one: Any) -> list[str]:
    jsonschema = importlib.import_module("jsonschema")
    package = importlib.import_module("check_jsonschema").__file__ or ""
    schema = json.loads((Path(package).parent / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(one)]


def _powershell(one: Any) -> list[str]:
    """Places that the grammar cannot make sense of, as line and text."""
    sitter = importlib.import_module("tree_sitter")
    language = sitter.Language(importlib.import_module("tree_sitter_powershell").language())
    waiting = [sitter.Parser(language).parse(one.encode()).root_node]
    found = []
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            found.append(f"line {node.start_point[0] + 1}: {(node.text or b'').decode()[:60]!r}")
        else:
            waiting += node.children
    return found


if __name__ == "__main__":
    judge = {"kubernetes": _kubernetes, "compose": _compose, "powershell": _powershell}[sys.argv[1]]
    for thing in json.loads(Path(sys.argv[2]).read_text()):
        for fault in judge(thing):
            print(fault.replace("\n", " "))
