"""What a grammar is, and all that there are."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import tests.fuzz


@dataclass(frozen=True, slots=True)
class Grammar:
    """One kind of input. `generate` must depend on nothing but its argument, so that a case can be made again."""

    name: str
    generate: Callable[[Random], bytes]
    read: Callable[[bytes], object]
    """The function of the exporter. It may return, or raise one of `refusals`."""
    refusals: tuple[type[Exception], ...]


def grammars() -> dict[str, Grammar]:
    """All grammars by name: the tuples `GRAMMARS` of the modules of this package."""
    found: dict[str, Grammar] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(tests.fuzz.__path__)):
        # `__main__` runs on import, and tests are collected by pytest.
        if module == "__main__" or module.startswith("test_"):
            continue
        for grammar in getattr(importlib.import_module(f"tests.fuzz.{module}"), "GRAMMARS", ()):
            if grammar.name in found:
                raise ValueError(f"two grammars have the name {grammar.name}")
            found[grammar.name] = grammar
    return found
