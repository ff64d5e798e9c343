"""Where in a YAML file each value stands, so that an error can name its line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

YamlPath = tuple[str | int, ...]


class DuplicateKeyError(yaml.MarkedYAMLError):
    """A key stands twice in one mapping: YAML forbids it, and the loader would silently take the last."""


class YamlLines:
    """Line numbers, from 1, by place: the keys and indices that lead there. Raises `DuplicateKeyError`."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._lines: dict[YamlPath, int] = {}
        self._seen: set[int] = set()
        if root is not None:
            self._walk(root, ())

    def line(self, place: Sequence[str | int]) -> int:
        """The line of a place, or of the nearest one above that is in the file."""
        parts = tuple(place)
        while parts and parts not in self._lines:
            parts = parts[:-1]
        return self._lines.get(parts, 1)

    def _walk(self, node: yaml.Node, place: YamlPath) -> None:
        # An alias leads to a node that was here before, if not back to itself.
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, place)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                self._lines[(*place, i)] = value.start_mark.line + 1
                self._walk(value, (*place, i))

    def _walk_mapping(self, node: yaml.MappingNode, place: YamlPath) -> None:
        names: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in names:
                raise DuplicateKeyError(
                    problem=f"the key {name!r} occurs twice; remove one", problem_mark=key.start_mark
                )
            names.add(name)
            self._lines[(*place, name)] = key.start_mark.line + 1
            self._walk(value, (*place, name))


def load_with_lines(text: str) -> tuple[Any, YamlLines]:
    """The document and its marks. Raises `yaml.YAMLError`."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        marks = YamlLines(root)
        return (None if root is None else loader.construct_document(root)), marks
    finally:
        loader.dispose()
