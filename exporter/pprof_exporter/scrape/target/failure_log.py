"""What the log says of a target that fails: when a reason of failure begins, each hour that it lasts, and when it ends.

A reason begins with its first failed fetch, whatever the profile, and ends when each profile that failed for it has
succeeded or fails for another reason. A target has few lines an hour, however often it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pprof_exporter.catalog import Reason
from pprof_exporter.log_limits import LineAllowance, repeats

REMIND_EVERY = 3600.0
MOST_AT_ONCE = 6
"""Lines of one target in a short time."""
ANOTHER_EVERY = 1200.0
"""Seconds after which it may have one more: three an hour."""

Fields = dict[str, object]
"""Fields of a line besides those that the caller knows."""


@dataclass(slots=True)
class _Episode:
    """A reason for which fetches fail."""

    began: float
    logged_at: float | None = None
    """None: there was no line about it."""
    failures: int = 0
    profiles: set[str] = field(default_factory=set)


class FailureLog:
    """Decides which failures and recoveries of one target are logged."""

    def __init__(self, timer: Callable[[], float]) -> None:
        """`timer` returns seconds that never jump, as `Clock.steady` does."""
        self._timer = timer
        self._episodes: dict[Reason, _Episode] = {}
        self._lines = LineAllowance(timer, at_once=MOST_AT_ONCE, every=ANOTHER_EVERY)

    def failed(self, profile: str, reason: Reason) -> Fields | None:
        """Count a failed fetch. Returns the fields of a line; None: none is due."""
        now = self._timer()
        for other in [other for other in self._episodes if other is not reason]:
            self._leave(profile, other)
        episode = self._episodes.setdefault(reason, _Episode(now))
        episode.failures += 1
        episode.profiles.add(profile)
        due = episode.logged_at is None or now - episode.logged_at >= REMIND_EVERY
        if not due or (line := self._line()) is None:
            return None
        first, episode.logged_at = episode.logged_at is None, now
        return line if first else {**line, **_summary(episode, now), "profiles": ",".join(sorted(episode.profiles))}

    def succeeded(self, profile: str) -> list[Fields]:
        """Take in a successful fetch. Returns the fields of a line for each reason that has ended with it."""
        now, lines = self._timer(), []
        for reason in list(self._episodes):
            ended = self._leave(profile, reason)
            # Without a line about its beginning, its end would tell nothing.
            if ended is not None and ended.logged_at is not None and (line := self._line()) is not None:
                lines.append({"reason": str(reason), **_summary(ended, now), **line})
        return lines

    def recovered(self) -> Fields | None:
        """The fields of a line that says that the target is up; None: none is due."""
        return self._line()

    def _leave(self, profile: str, reason: Reason) -> _Episode | None:
        """A profile does not fail for this reason any more. Returns the episode if it is over."""
        episode = self._episodes[reason]
        episode.profiles.discard(profile)
        return None if episode.profiles else self._episodes.pop(reason)

    def _line(self) -> Fields | None:
        """Fields of one more line: how many were left out before it; None: this one is left out."""
        more = self._lines.take()
        return None if more is None else repeats(more)


def _summary(episode: _Episode, now: float) -> Fields:
    return {"failures": episode.failures, "minutes": round((now - episode.began) / 60)}
