"""The report of a comparison: for each pair, what was replaced, and each signal and function before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from pprof_exporter.catalog.regressions import RESOURCES, SAMPLED_PROCESSORS, USED_PROCESSORS
from pprof_exporter.compare.figures import FIGURES
from pprof_exporter.compare.statistics import Estimate
from pprof_exporter.store import Change


class ChangeVerdict(StrEnum):
    """The verdict on one signal, the most important first."""

    WORSE = "worse"
    """Beyond chance, and by more than the alerts allow."""
    UNSURE = "cannot tell"
    """It may be worse or not: too few values, or too wide a spread."""
    BY_DESIGN = "by design"
    """It changed as the Go releases between the sides are known to change it."""
    BETTER = "better"
    """The reverse change would be worse."""
    SAME = "no worse"
    """No worse: the intervals exclude a change for the worse by more than the alerts allow."""
    NOT_JUDGED = "not judged"
    """Neither direction is bad by itself: values without a verdict."""


class Movement(StrEnum):
    """How the share of one function changed. No change is bad by itself."""

    GREW = "grew"
    SHRANK = "shrank"
    BY_DESIGN = "by design"
    STEADY = "steady"
    UNSURE = "cannot tell"


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of one side in the order of their rounds, in the unit of the signal, with median and quartiles.

    Epochs of an exporter have only a median and a count: `values` is then empty, and the quartiles are None.
    """

    count: int
    median: float | None
    low_quartile: float | None = None
    high_quartile: float | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SignalChange:
    """One signal of one target. `why` is one sentence with the reason for the verdict.

    `ratio` is after divided by before, None unless all values are positive. `shift` is after minus before.
    `dominance` is Cliff's delta. `p` is that of the rank test, corrected for all signals of the report. All are None
    if nothing could be tested.
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
    """Median share of one function in the total of a profile kind over the rounds. `why` is as in `SignalChange`."""

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
    """One replaced component. `parts` has names, each with the old and the new value."""

    change: Change
    said: str
    parts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """The data of one side: target names, number of rounds, Unix time of the first and last one (None: not known)."""

    targets: tuple[str, ...]
    rounds: int
    first: float | None
    last: float | None
    go_version: str
    system: str


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """One target before and after, or two groups of targets.

    `unknown` names the changes that could not be determined. `notes` are sentences on other differences between the
    sides. `ticks_before` and `ticks_after` are the intervals of the sampling clock in seconds, of all audits.
    """

    name: str
    before: ComparedSide
    after: ComparedSide
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
    def figures(self) -> tuple[SignalChange, ...]:
        """The figures that are shown first, in the order of `FIGURES`."""
        known = {signal.signal: signal for signal in self.signals}
        used = known.get(USED_PROCESSORS)
        if used is not None and None not in (used.before.median, used.after.median):
            known.pop(SAMPLED_PROCESSORS, None)
        elif SAMPLED_PROCESSORS in known:
            known.pop(USED_PROCESSORS, None)
        return tuple(known[name] for name in FIGURES if name in known)

    def rest_of(self, verdict: ChangeVerdict) -> tuple[SignalChange, ...]:
        """The signals with this verdict that are no resources: those are all among the figures."""
        return tuple(signal for signal in self.of(verdict) if signal.signal not in RESOURCES)

    @property
    def moved(self) -> tuple[FunctionChange, ...]:
        """Functions that grew or shrank, those by design included."""
        still = (Movement.STEADY, Movement.UNSURE)
        return tuple(function for function in self.functions if function.movement not in still)


class ComparisonMethod(StrEnum):
    """Where the values of the two sides come from, which limits the possible statistics."""

    CAPTURES = "captures"
    GROUPS = "groups"
    EPOCHS = "epochs"


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """A whole comparison. `before` and `after` name the sides; `limits` are sentences on the method.

    `alone` are sentences on targets that only one side has.
    """

    method: ComparisonMethod
    before: str
    after: str
    pairs: tuple[ComparedPair, ...]
    alone: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def signals(self) -> Iterator[SignalChange]:
        """The signals of all pairs."""
        return (signal for pair in self.pairs for signal in pair.signals)

    def count(self, verdict: ChangeVerdict) -> int:
        """Number of signals with this verdict."""
        return sum(signal.verdict is verdict for signal in self.signals)

    @property
    def undecided(self) -> int:
        """Number of signals of which nothing can be told, without resources.

        Whether those can be told depends on how much they vary and on what the target lets be known, on healthy
        programs too.
        """
        return sum(signal.verdict is ChangeVerdict.UNSURE and signal.signal not in RESOURCES for signal in self.signals)

    @property
    def verdict(self) -> ChangeVerdict:
        """The verdict of the whole report: `WORSE` if any signal is, `UNSURE` if none could be assessed."""
        if self.count(ChangeVerdict.WORSE):
            return ChangeVerdict.WORSE
        decided = (ChangeVerdict.SAME, ChangeVerdict.BETTER, ChangeVerdict.BY_DESIGN)
        return ChangeVerdict.SAME if any(self.count(verdict) for verdict in decided) else ChangeVerdict.UNSURE


def signals_worst_first(signals: Iterable[SignalChange]) -> tuple[SignalChange, ...]:
    """Signals sorted by verdict, the most important first, then by name."""
    rank = {verdict: place for place, verdict in enumerate(ChangeVerdict)}
    return tuple(sorted(signals, key=lambda signal: (rank[signal.verdict], signal.signal)))
