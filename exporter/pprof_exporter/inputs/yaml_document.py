"""YAML as Prometheus reads it (go-yaml v2): a scalar is text where text is wanted, whatever it looks like.

PyYAML decides what a scalar is before anybody says what is wanted: `1.10` becomes a number, `007` seven, `2024-02-30`
a ValueError. So only its scanner and its composer are used; what is wanted is said by a JSON Schema.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from pprof_exporter.inputs.text_file import is_text
from pprof_exporter.inputs.yaml_scalars import BadScalar, is_null, scalar

YamlPath = tuple[str | int, ...]
Schema = Mapping[str, Any]

_MOST_ALIASED = 100_000
"""Values that aliases may repeat in one file: a few lines can stand for billions."""
_MERGE = "tag:yaml.org,2002:merge"
_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_SHOWN = 100
# What PyYAML raises besides its own errors, such as chr() for the escape "\UFFFFFFFF".
_UNEXPECTED = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError)


class BadYaml(ValueError):
    """The text is not YAML that can be used. It repeats no value, as one may be a password. `line` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


class YamlLines:
    """Line numbers, from 1, by place: the keys and indices that lead there."""

    def __init__(self) -> None:
        self._lines: dict[YamlPath, int] = {}

    def line(self, place: Sequence[str | int]) -> int:
        """The line of a place, or of the nearest one above that is in the file."""
        parts = tuple(place)
        while parts and parts not in self._lines:
            parts = parts[:-1]
        return self._lines.get(parts, 1)

    def add(self, place: YamlPath, node: yaml.Node) -> None:
        """Remember where a place is."""
        self._lines[place] = _line(node)


def parse_yaml(text: str, schema: Schema) -> tuple[Any, YamlLines]:
    """The document, None if there is none, and its lines. Raises `BadYaml`."""
    try:
        root = _compose(text)
        constructor = _Constructor(schema)
        return (None if root is None else constructor.value(root, schema, ())), constructor.lines
    except yaml.MarkedYAMLError as error:
        raise BadYaml(error.problem_mark.line + 1 if error.problem_mark else 1, _problem(error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadYaml(line, f"the character U+{ord(text[error.position]):04X} is not allowed") from None
    except yaml.YAMLError:
        raise BadYaml(1, "not YAML") from None
    except RecursionError:
        raise BadYaml(1, "nested too deeply") from None


def resolved(node: Schema, root: Schema) -> Schema:
    """A node of a schema, with the definition that it refers to, or that one of its options refers to."""
    for option in (node, *node.get("anyOf", ())):
        if "$ref" in option:
            found: Schema = root["$defs"][option["$ref"].rsplit("/", 1)[-1]]
            return found
    for option in node.get("anyOf", ()):
        if "items" in option or "additionalProperties" in option:
            chosen: Schema = option
            return chosen
    return node


def member_schema(node: Schema, part: str | int, root: Schema) -> Schema:
    """What a schema says of a key or an index; nothing if it does not know it."""
    node = resolved(node, root)
    found = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
    if found is None and isinstance(part, str):
        found = node.get("additionalProperties")
    return found if isinstance(found, dict) else {}


def _compose(text: str) -> yaml.Node | None:
    """The only document. Raises `yaml.YAMLError`, `RecursionError` and `BadYaml`."""
    loader = yaml.SafeLoader(text)
    try:
        documents = list(_documents(loader))
    except _UNEXPECTED:
        raise BadYaml(loader.line + 1, "an escape stands for no character") from None
    finally:
        loader.dispose()
    for other in documents[1:]:
        if not is_null(other):
            raise BadYaml(_line(other), "a second document begins here; a file has one")
    return documents[0] if documents else None


def _documents(loader: yaml.SafeLoader) -> Iterator[yaml.Node]:
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            yield node


class _Constructor:
    """Makes values of nodes, as a schema wants them."""

    def __init__(self, schema: Schema) -> None:
        self.lines = YamlLines()
        self._root = schema
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._aliased = 0

    def value(self, node: yaml.Node, schema: Schema, place: YamlPath) -> Any:
        """The value of a node. Raises `BadYaml`."""
        if isinstance(node, yaml.ScalarNode):
            self._count(node)
            try:
                return scalar(node, schema)
            except BadScalar as error:
                raise BadYaml(_line(node), str(error)) from None
        with self._inside(node):
            if isinstance(node, yaml.SequenceNode):
                return [self._member(value, schema, place, i) for i, value in enumerate(node.value)]
            return {name: self._member(value, schema, place, name, key) for name, key, value in self._pairs(node)}

    def _member(
        self, node: yaml.Node, schema: Schema, place: YamlPath, part: str | int, key: yaml.Node | None = None
    ) -> Any:
        inner = (*place, part)
        self.lines.add(inner, key or node)
        return self.value(node, member_schema(schema, part, self._root), inner)

    def _pairs(self, node: yaml.Node) -> list[tuple[str, yaml.Node, yaml.Node]]:
        """The keys of a mapping with their values, and those that it merges and does not have itself."""
        own: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[str, yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for pair in self._merged(value):
                    merged.setdefault(pair[0], pair)
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise BadYaml(_line(key), "a key must be text")
            name = "" if is_null(key) else key.value
            if not is_text(name):
                raise BadYaml(_line(key), "half a surrogate pair is no character")
            if name in own:
                raise BadYaml(_line(key), f"the key {name[:_SHOWN]!r} occurs twice; remove one")
            own[name] = (name, key, value)
        return list((merged | own).values())

    def _merged(self, node: yaml.Node) -> list[tuple[str, yaml.Node, yaml.Node]]:
        if isinstance(node, yaml.MappingNode):
            with self._inside(node):
                pairs = self._pairs(node)
            for _, _, value in pairs:
                self._count(value)
            return pairs
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(part, yaml.MappingNode) for part in parts):
            raise BadYaml(_line(node), "<< merges a mapping, or a list of mappings")
        # Of two with one key, the first counts (yaml.org/type/merge.html); go-yaml goes from the last to the first.
        return [pair for part in parts for pair in self._merged(part)]

    @contextlib.contextmanager
    def _inside(self, node: yaml.Node) -> Iterator[None]:
        if id(node) in self._open:
            raise BadYaml(_line(node), "an anchor contains itself")
        if node.tag not in _COLLECTIONS:
            raise BadYaml(_line(node), "put text that begins with * or ! in quotes")
        self._count(node)
        self._open.add(id(node))
        yield
        self._open.discard(id(node))

    def _count(self, node: yaml.Node) -> None:
        self._aliased += id(node) in self._seen
        if self._aliased > _MOST_ALIASED:
            raise BadYaml(_line(node), f"aliases repeat more than {_MOST_ALIASED} values")
        self._seen.add(id(node))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _problem(error: yaml.MarkedYAMLError) -> str:
    """A problem of YAML that does not repeat words of the file: a password may begin with `*`, `!` or `&`."""
    problem = error.problem or "not YAML"
    if problem.startswith(("found undefined alias", "found undefined tag handle")):
        return "put text that begins with * or ! in quotes"
    return problem
