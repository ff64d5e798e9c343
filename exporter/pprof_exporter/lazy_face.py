"""The face of a package, loaded lazily (PEP 562): a module of it is imported when one of its names is first used.

A face lists its names three times: imported under `TYPE_CHECKING`, for type checkers; in `__all__`; and in the table
for `lazy_face`. `tests/test_lazy_face.py` holds the three together. It also forbids a name that a module of the package
has: Python sets that attribute to the module.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def lazy_face(package: str, names_by_module: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package; the names of each of its modules are separated by spaces."""
    home = {name: module for module, names in names_by_module.items() for name in names.split()}

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(f"{package}.{home[name]}"), name)
        # From now on the name is found without this function.
        setattr(sys.modules[package], name, value)
        return value

    return load
