"""What happens again and again is logged a few times, and then now and then with a count."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

_EVERY = 600.0
_MOST = 1024


@dataclass(slots=True)
class _Event:
    """When an event was last logged, and how often it happened since."""

    logged_at: float
    unlogged: int = 0


class LogLimit:
    """Decides which of many equal events are logged: the first, and then one in `every` seconds with the count.

    An event is identified by a key, such as the reason of a failure and its target. With more than `most` keys, the one
    that was logged longest ago counts as new when it comes again.
    """

    def __init__(self, timer: Callable[[], float], *, every: float = _EVERY, most: int = _MOST) -> None:
        """`timer` returns seconds that never jump, as `Clock.steady` does."""
        self._timer = timer
        self._every = every
        self._most = most
        self._events: OrderedDict[Hashable, _Event] = OrderedDict()

    def admit(self, key: Hashable) -> int | None:
        """How many equal events were not logged since the last one that was; None: do not log this one either."""
        now = self._timer()
        event = self._events.get(key)
        if event is not None and now - event.logged_at < self._every:
            event.unlogged += 1
            return None
        self._events[key] = _Event(now)
        self._events.move_to_end(key)
        if len(self._events) > self._most:
            self._events.popitem(last=False)
        return 0 if event is None else event.unlogged

    def forget(self, key: Hashable) -> int:
        """Have the next equal event logged at once: this one is over. Returns how many were not logged."""
        event = self._events.pop(key, None)
        return 0 if event is None else event.unlogged


class LineAllowance:
    """The lines that one subject may have: `at_once` in a short time, and one more after each `every` seconds."""

    __slots__ = ("_at_once", "_counted_at", "_every", "_left", "_left_out", "_timer")

    def __init__(self, timer: Callable[[], float], *, at_once: int, every: float) -> None:
        """`timer` returns seconds that never jump, as `Clock.steady` does."""
        self._timer = timer
        self._at_once, self._every = at_once, every
        self._left = float(at_once)
        self._counted_at = timer()
        self._left_out = 0

    def take(self) -> int | None:
        """How many lines were left out since the one before this; None: leave this one out too."""
        now = self._timer()
        self._left = min(self._at_once, self._left + (now - self._counted_at) / self._every)
        self._counted_at = now
        if self._left < 1:
            self._left_out += 1
            return None
        self._left -= 1
        more, self._left_out = self._left_out, 0
        return more


def repeats(more: int) -> dict[str, Any]:
    """The field of a log line that says how many equal events were not logged before it; no field for none."""
    return {"more": more} if more else {}
