"""Results that are remembered for small arguments. What comes from outside can have any size, and must not stay."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar, TypeVarTuple

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

LARGEST_MODULES = 32 * 1024
"""Characters of the modules of a program. A Windows program has 20 to 60, of about 130 each."""
MOST_MODULES = 512
"""Programs whose modules are remembered."""

_UNKNOWN: Final = object()


def remember_small(
    size: Callable[..., int], *, largest: int, most: int
) -> Callable[[Callable[[*Arguments], Result]], Callable[[*Arguments], Result]]:
    """Remember the results for up to `most` arguments whose size is at most `largest`; forget all before the next one.

    The size is asked for only when a result is new: a profile needs these results a dozen times.
    """

    def decorate(find: Callable[[*Arguments], Result]) -> Callable[[*Arguments], Result]:
        remembered: dict[object, Result] = {}
        known = remembered.get

        @wraps(find)
        def found(*args: *Arguments) -> Result:
            result = known(args, _UNKNOWN)
            if result is not _UNKNOWN:
                return result  # type: ignore[return-value]  # Only this function writes.
            result = find(*args)
            if size(*args) <= largest:
                if len(remembered) >= most:
                    remembered.clear()
                remembered[args] = result
            return result

        return found

    return decorate


def characters(pairs: tuple[tuple[str, str], ...]) -> int:
    """Characters of pairs of texts."""
    return sum(len(first) + len(second) for first, second in pairs)
