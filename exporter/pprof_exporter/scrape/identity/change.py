"""An upgrade or rollback of one target: every part that changed, with the values before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pprof_exporter.store import NO_BUILD_ID, PARTS, Change, Fingerprint

# Longer lists of modules would make long label values.
_LONGEST = 200
_NOTHING = "none"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One event. `at` is the Unix time at which the new process was first seen."""

    at: float
    values: Mapping[Change, tuple[str, str]]
    """The value before and after of each part that changed, in the order of `Change`."""
    new: tuple[Change, ...]
    """The parts that were found last: an event that is told again with another part counts that part only."""


def change_event(
    at: float, before: Fingerprint, after: Fingerprint, changes: Iterable[Change], earlier: ChangeEvent | None
) -> ChangeEvent:
    """The event of these changes, with the parts of `earlier` if it is the same event."""
    new = tuple(changes)
    values = dict(earlier.values if earlier else {})
    values.update({change: _values(change, before.part(change), after.part(change)) for change in new})
    return ChangeEvent(at, {change: values[change] for change in Change if change in values}, new)


def _values(change: Change, before: str, after: str) -> tuple[str, str]:
    if change is Change.GO:
        return before.removeprefix("go"), after.removeprefix("go")
    if change is Change.BINARY:
        (program, old), (renamed, new) = _program_and_build(before), _program_and_build(after)
        # The name of the program says something only if it is another one.
        before, after = (old, new) if program == renamed else (before, after)
    if change is Change.OPERATING_SYSTEM:
        were, are = before.split(PARTS), after.split(PARTS)
        before = PARTS.join(part for part in were if part not in are)
        after = PARTS.join(part for part in are if part not in were)
    return _short(before), _short(after)


def _program_and_build(binary: str) -> tuple[str, str]:
    build = NO_BUILD_ID if binary.endswith(NO_BUILD_ID) else binary.rpartition(" ")[2]
    return binary.removesuffix(build), build


def _short(text: str) -> str:
    text = text or _NOTHING
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
