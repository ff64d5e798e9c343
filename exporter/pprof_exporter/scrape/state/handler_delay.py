"""Handlers that sample: they sleep for a constant time before they answer, and so seem to hang or to be slow.

VictoriaMetrics (lib/httpserver) serves its mutex profile so: it sets the fraction to 10, sleeps for 10 s, and only then
answers. Such a sleep is a window of the profile and no latency of the target. It is recognised by being constant, by
being a multiple of half a second as people write it, and by other profiles that come at once. A reply is never sooner
than the sleep, so the soonest one decides how long it is; on a busy host, many come later. Work that takes long varies
in both directions.

Until a sleep is confirmed or refuted, the latency of a reply that may have slept is what came after the sleep. Counted
in full, its first replies would be slow fetches for as long as an alert looks back.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from pprof_exporter.clock import Clock

_STEP = 0.5
# A reply that confirms a sleep comes up to this much later, besides what other profiles take. `_EARLY`: clocks differ.
_TOLERANCE = 0.1
_EARLY = 0.02
# A busy target answers up to this share of the sleep later. Such a reply neither confirms the sleep nor refutes it.
_LATE = 0.1
# So many replies of a profile that is off by default may be further from the others. More refute the sleep.
_OUTLIERS = 2
# What takes shorter is a latency, whatever causes it.
_SHORTEST = 1.0
# Other profiles take less than this share of it, or up to the second share while everything is slow.
_OTHERS = 0.1
_OTHERS_BUSY = 0.5
_CONFIRMED_BY = 3
_CONFIRMED_LONGER_BY = 2
# A sleep that so many replies do not confirm is none.
_DECIDED_BY = 6
# Of a profile that is off by default, so many exact replies confirm it then, if none was an outlier.
_CONFIRMED_AT_LAST_BY = 2
_LONGER = 60.0
"""The deadline of a longer try, in seconds."""
# A longer try disturbs the target: some handlers profile it meanwhile. Seconds until the next of the same profile,
# doubled each time, and until the next of any profile.
_NEXT_LONGER = 3600.0
_MOST = 86_400.0
_APART = 300.0
# Go does not record these unless the program asks for it. Any other profile that takes the same time again and again is
# slow, as long as its replies come before the timeout.
_OFF_BY_DEFAULT = ("block", "mutex")
# A window is forgotten after so many timeouts in a row.
_MISSES = 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """How long to wait for the next reply: `window` seconds in the handler, and `extra` ones on top of the timeout."""

    window: float = 0
    extra: float = 0

    @property
    def long(self) -> bool:
        """Whether the fetch waits so long that others must not wait for it."""
        return self.window > 0 or self.extra > 0


class LongerTurn:
    """When the next longer try of any profile of a target may be, in steady time."""

    def __init__(self) -> None:
        self.not_before = -math.inf


class HandlerDelay:
    """What is known of the delay of one profile."""

    def __init__(self, clock: Clock, turn: LongerTurn, *, on_request: bool) -> None:
        """`on_request`: a handler has a reason to record this profile only while it is asked for it."""
        self._clock = clock
        self._on_request = on_request
        self._turn = turn
        self._forget_tries()
        self.forget()
        self.started_at = -math.inf
        """Steady time at which the latest fetch began."""

    def forget(self) -> None:
        """Forget the delay of the process before."""
        self._at_once = False
        """Whether it has ever answered at once in this process. What is slow later became slow: that is latency."""
        self._start_over()

    def _start_over(self) -> None:
        self.window = 0.0
        """Seconds that the handler sleeps; 0 if it does not, or if nothing is known."""
        self.supposed = 0.0
        """Seconds that it slept before the latest reply, as far as that is known before it is confirmed."""
        self._slept = 0.0
        self._replies = 0
        self._outliers = 0
        self._refuted = False
        self._seen: deque[float] = deque(maxlen=_DECIDED_BY + 1)
        self._longest = 0.0
        self._timeouts = 0
        self._tries_longer = False
        self._hangs = False

    def _forget_tries(self) -> None:
        self._tries = 0
        self._not_before = -math.inf

    @property
    def wants_longer(self) -> bool:
        """Whether the latest fetch timed out, and a longer try is due that shows whether it would have answered."""
        now = self._clock.steady()
        may_sleep = not self.window and not self._at_once
        return may_sleep and self._timeouts > 0 and now >= self._not_before and now >= self._turn.not_before

    @property
    def unclear(self) -> bool:
        """Whether one more fetch would tell a handler that sleeps from one that hangs."""
        return self.wants_longer or bool(self._longest and self._slept and not self.window)

    @property
    def patience(self) -> float:
        """Seconds beyond the timeout that the latest reply needed, if it is no window yet."""
        return 0.0 if self.window else self._longest

    @property
    def undecided(self) -> bool:
        """Whether fetches time out, and no longer try has shown yet that the handler hangs."""
        return self._timeouts > 0 and not self._hangs and not self._at_once

    def attempt(self, timeout: float, *, others_answer: bool) -> Attempt:
        """How to make the next fetch. The longest try is made alone, and only while other requests are answered."""
        self.started_at = self._clock.steady()
        self._tries_longer = False
        if self.window:
            return Attempt(window=self.window)
        if self._longest:
            return Attempt(extra=self._longest)
        if not others_answer or not self.wants_longer:
            return Attempt()
        now = self._clock.steady()
        self._not_before = now + min(_NEXT_LONGER * 2**self._tries, _MOST)
        self._tries = min(self._tries + 1, 8)
        self._turn.not_before = now + _APART
        self._tries_longer = True
        return Attempt(extra=max(0.0, _LONGER - timeout))

    def timed_out(self) -> None:
        """The reply did not begin within the deadline."""
        self._timeouts += 1
        self._hangs = self._hangs or self._tries_longer
        self._seen.clear()
        self._slept = self._longest = self.supposed = 0.0
        if self.window and self._timeouts >= _MISSES:
            self._start_over()

    def answered(self, seconds: float, others: float | None, *, timeout: float) -> None:
        """The whole reply took `seconds`; `others` is what other profiles take, None if it is not known."""
        self._timeouts, self._hangs, self.supposed = 0, False, 0.0
        if self.window:
            if seconds < self.window - _TOLERANCE:
                # It no longer sleeps, or not as long.
                self._start_over()
                self._at_once = seconds < _SHORTEST
            return
        if seconds < _SHORTEST:
            self._start_over()
            self._at_once = True
        beyond = seconds > timeout
        self._longest = seconds if beyond else 0.0
        if self._at_once or others is None or not (beyond or self._on_request):
            return
        if others <= _OTHERS * seconds:
            self._weigh(seconds, others, beyond=beyond)
        elif others > _OTHERS_BUSY * seconds or seconds + _EARLY < self._slept:
            return
        # A moment in which everything is slow shows nothing, and what was supposed before still holds.
        self.supposed = 0.0 if self._refuted else self._slept

    def _weigh(self, seconds: float, others: float, *, beyond: bool) -> None:
        """Take in a reply of a profile that takes much longer than the others."""
        rest = seconds - others
        at_most = math.floor((seconds + _EARLY) / _STEP) * _STEP
        exact = rest - at_most <= _TOLERANCE
        if self._slept and not self._is_near(rest, at_most):
            self._outliers += 1
            if not self._on_request or self._outliers > _OUTLIERS:
                self._refute()
                if not exact:
                    return
            elif at_most > self._slept:
                return
        if self._slept:
            self._slept = min(self._slept, at_most)
        elif exact or beyond or self._on_request:
            self._slept = at_most
        self._replies += 1
        self._seen.append(rest)
        if self._slept and self._is_confirmed(beyond=beyond):
            self.window = self._slept
            self._longest, self._refuted = 0.0, False
            self._forget_tries()
        elif self._replies > _DECIDED_BY:
            self._refuted = True

    def _is_near(self, rest: float, at_most: float) -> bool:
        """Whether a reply that took `rest` beyond the latency of others may have slept as long as those before.

        It has slept for `at_most` seconds.
        """
        return (1 - _LATE) * self._slept <= at_most and rest - self._slept <= max(_TOLERANCE, _LATE * self._slept)

    def _is_confirmed(self, *, beyond: bool) -> bool:
        confirm = sum(rest - self._slept <= _TOLERANCE for rest in self._seen)
        if confirm >= (_CONFIRMED_LONGER_BY if beyond else _CONFIRMED_BY):
            return True
        constant = self._on_request and not self._outliers and self._replies > _DECIDED_BY
        return constant and confirm >= _CONFIRMED_AT_LAST_BY

    def _refute(self) -> None:
        """The profile takes long by itself: from now on its latency counts, unless a sleep is confirmed."""
        self._seen.clear()
        self._slept, self._replies, self._outliers = 0.0, 0, 0
        self._refuted = True


class LongerTries:
    """The delays of all profiles of a target, which make longer tries in turn."""

    def __init__(self, clock: Clock, names: list[str]) -> None:
        turn = LongerTurn()
        self.by_profile = {name: HandlerDelay(clock, turn, on_request=name in _OFF_BY_DEFAULT) for name in names}

    def begin_process(self) -> None:
        """Forget the delays of the process before."""
        for delay in self.by_profile.values():
            delay.forget()

    def windows(self) -> dict[str, float]:
        """The windows that were learned, in seconds by profile."""
        return {name: delay.window for name, delay in self.by_profile.items() if delay.window}
