"""Results that are remembered for small arguments. What comes from outside can have any size, and must not stay."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

LARGEST_MODULES = 32 * 1024
"""Characters of the modules of a program. A Windows program has 20 to 60, of about 130 each."""
MOST_MODULES = 512
"""Programs whose modules are remembered."""


def remember_small(
    size: Callable[..., int], *, largest: int, most: int
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Remember the results for the latest `most` arguments whose size is at most `largest`."""

    def decorate(find: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        remembered = lru_cache(maxsize=most)(find)

        @wraps(find)
        def found(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            if size(*args, **kwargs) > largest:
                return find(*args, **kwargs)
            return remembered(*args, **kwargs)  # type: ignore[arg-type]  # No type says that all of them are hashable.

        return found

    return decorate


def characters(pairs: tuple[tuple[str, str], ...]) -> int:
    """Characters of pairs of texts."""
    return sum(len(first) + len(second) for first, second in pairs)
