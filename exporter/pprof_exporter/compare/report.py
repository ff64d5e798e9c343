"""What a comparison comes to: what was replaced, and each signal and function before and after, for each pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.compare.statistics import Estimate
from pprof_exporter.store import Change


class ChangeVerdict(StrEnum):
    """What is said of one signal, what matters most first."""

    WORSE = "worse"
    """Beyond chance, and by more than the alerts let pass."""
    UNSURE = "cannot tell"
    """It could be worse, or not: too few values, or too wide a spread."""
    BY_DESIGN = "by design"
    """It moved as the versions of Go in between are known to move it."""
    BETTER = "better"
    """What would be worse the other way round."""
    SAME = "no worse"
    """Were it worse by more than the alerts let pass, it would have shown."""
    NOT_JUDGED = "not judged"
    """Neither direction is bad by itself: figures without a verdict."""


class Movement(StrEnum):
    """What is said of the share of one function. Neither is bad by itself."""

    GREW = "grew"
    SHRANK = "shrank"
    BY_DESIGN = "by design"
    STEADY = "steady"
    UNSURE = "cannot tell"


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of one side in the order of their rounds, in the unit of the signal, and where their middle lies.

    Of epochs of an exporter there is only a median and a count: `values` is empty then, and the quartiles are None.
    """

    count: int
    median: float | None
    low_quartile: float | None = None
    high_quartile: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalChange:
    """One signal of one target. `why` is one sentence that carries the verdict.

    `ratio` is after by before, None unless all values are positive; `shift` is after less before. `dominance` is
    Cliff's delta, `p` the chance of the rank test after the correction for all signals of the report; all of these are
    None where nothing could be tested.
    """

    signal: str
    verdict: ChangeVerdict
    why: str
    before: Spread
    after: Spread
    ratio: Estimate | None = None
    shift: Estimate | None = None
    dominance: float | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True)
class FunctionChange:
    """The share of one function of all that a kind of profile shows, medians over the rounds; `why` as in signals."""

    kind: str
    function: str
    movement: Movement
    why: str
    before: float
    after: float
    shift: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Replacement:
    """One thing that is not what it was. `parts` has, by name, what it was and what it is."""

    change: Change
    said: str
    parts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """What was looked at on one side: names of targets, rounds, first and last look in Unix time (None: not known)."""

    targets: tuple[str, ...]
    rounds: int
    first: float | None
    last: float | None
    go_version: str
    system: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One target before and after, or one group of targets and the other.

    `unknown` names what could not be compared of what a target is; `notes` are sentences on what makes the sides unlike
    in other ways. `ticks_before` and `ticks_after` are the intervals of the sampling clock in seconds, of all audits.
    """

    name: str
    before: Side
    after: Side
    replaced: tuple[Replacement, ...]
    unknown: tuple[Change, ...]
    notes: tuple[str, ...]
    signals: tuple[SignalChange, ...]
    functions: tuple[FunctionChange, ...] = ()
    ticks_before: tuple[float, ...] = ()
    ticks_after: tuple[float, ...] = ()

    def of(self, verdict: ChangeVerdict) -> tuple[SignalChange, ...]:
        """The signals with this verdict."""
        return tuple(signal for signal in self.signals if signal.verdict is verdict)

    @property
    def moved(self) -> tuple[FunctionChange, ...]:
        """Functions that grew or shrank, by design or not."""
        still = (Movement.STEADY, Movement.UNSURE)
        return tuple(function for function in self.functions if function.movement not in still)


class Method(StrEnum):
    """Where the two sides come from, and so what can be told."""

    CAPTURES = "captures"
    GROUPS = "groups"
    EPOCHS = "epochs"


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """A whole comparison. `before` and `after` are what a reader calls the sides; `limits` are sentences on the method.

    `alone` are targets that only one side has, as sentences.
    """

    method: Method
    before: str
    after: str
    pairs: tuple[Pair, ...]
    alone: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def signals(self) -> Iterator[SignalChange]:
        """Those of all pairs."""
        return (signal for pair in self.pairs for signal in pair.signals)

    def count(self, verdict: ChangeVerdict) -> int:
        """How many signals of the report have this verdict."""
        return sum(signal.verdict is verdict for signal in self.signals)

    @property
    def verdict(self) -> ChangeVerdict:
        """What the report says in all: worse if anything is, and `UNSURE` where nothing could be told at all."""
        if self.count(ChangeVerdict.WORSE):
            return ChangeVerdict.WORSE
        told = (ChangeVerdict.SAME, ChangeVerdict.BETTER, ChangeVerdict.BY_DESIGN)
        return ChangeVerdict.SAME if any(self.count(verdict) for verdict in told) else ChangeVerdict.UNSURE


def worst_first(signals: Iterable[SignalChange]) -> tuple[SignalChange, ...]:
    """What matters most first, then by name."""
    rank = {verdict: place for place, verdict in enumerate(ChangeVerdict)}
    return tuple(sorted(signals, key=lambda signal: (rank[signal.verdict], signal.signal)))
