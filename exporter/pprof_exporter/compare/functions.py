"""Assesses the shares of functions in the profiles of two sides. Each kind of profile has its own correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from pprof_exporter.compare import statistics
from pprof_exporter.compare.assessment import SIGNIFICANCE, min_rounds
from pprof_exporter.compare.quantities import p_value
from pprof_exporter.compare.releases import CrossedReleases
from pprof_exporter.compare.report import FunctionChange, Movement
from pprof_exporter.profile import under_current_names

# A function below this share on both sides cannot have moved by the share that counts. Testing it would cost power.
_MIN_MEAN_SHARE = 0.02

# That sampling alone moves any function of a kind. More rounds do not lower it, so that it has to be a small one.
_CHANCE_OF_SAMPLING = 0.001


def assess_functions(
    kind: str,
    before: Sequence[Mapping[str, float]],
    after: Sequence[Mapping[str, float]],
    *,
    min_change: float,
    crossed: CrossedReleases,
    samples: tuple[float, float] | None = None,
) -> tuple[FunctionChange, ...]:
    """The functions of one profile kind, the largest changes first; `before` and `after` have a mapping for each round.

    A function counts as moved if its share changed by more than `min_change`, and chance does not explain it. The
    correction is over the functions of the kind. `samples` has the number of samples behind a profile of each side,
    if rounds share samples: memory that was allocated once is in the live heap of every round.
    Functions have the names of the newest version of Go, so that one that moved to another package is one function.
    """
    if not before or not after:
        return ()
    before, after = (tuple(map(under_current_names, side)) for side in (before, after))
    names = {name for shares in (*before, *after) for name in shares}
    series = {
        name: ([round_.get(name, 0.0) for round_ in before], [round_.get(name, 0.0) for round_ in after])
        for name in names
    }
    # The choice uses both sides together, so that it does not favour one of them.
    series = {
        name: sides
        for name, sides in series.items()
        if sum(map(sum, sides)) >= _MIN_MEAN_SHARE * (len(before) + len(after))
    }
    tests = [statistics.rank_test(*sides) for sides in series.values()]
    adjusted = dict(zip(series, statistics.holm([test.p for test in tests]), strict=True))
    closures = crossed.renamed_closures(
        [name for name, (_, late) in series.items() if not any(late)],
        [name for name, (early, _) in series.items() if not any(early)],
    )
    fewest = min_rounds(len(series))
    few = min(len(before), len(after)) < fewest
    found = []
    for name, sides in series.items():
        moved, p = statistics.shift(*sides), adjusted[name]
        movement, why = Movement.STEADY, "The share is about the same."
        if few:
            movement, why = Movement.UNSURE, f"Too few profiles; {fewest} on each side are needed."
        elif abs(moved.value) > min_change:
            designed = crossed.function(kind, name, is_closure=name in closures)
            if samples is not None and abs(moved.value) < _sampling_error(sides, samples, len(series)):
                movement, why = Movement.UNSURE, "Too few sampled allocations; within chance."
            elif p >= SIGNIFICANCE:
                movement, why = Movement.UNSURE, f"Within chance ({p_value(p)})."
            elif designed is not None:
                movement, why = Movement.BY_DESIGN, designed
            else:
                movement = Movement.GREW if moved.value > 0 else Movement.SHRANK
                why = f"Beyond chance ({p_value(p)})."
        early, late = (statistics.median(side).value for side in sides)
        found.append(FunctionChange(kind, name, movement, why, early, late, moved, p))
    return tuple(sorted(found, key=lambda one: (-abs(one.shift.value), one.function)))


def _sampling_error(
    sides: tuple[Sequence[float], Sequence[float]], samples: tuple[float, float], functions: int
) -> float:
    """The least difference of two shares with so many samples each that sampling does not explain.

    Both are held to be the same share. A share that few samples stand for is low by chance, and its own variance then
    too low as well. One is added to the samples of the function, and to the others, so that no variance is 0.
    """
    before, after = (max(count, 1.0) for count in samples)
    of_function = sum(statistics.median(values).value * count for values, count in zip(sides, samples, strict=True))
    share = (of_function + 1) / (before + after + 2)
    deviations = NormalDist().inv_cdf(1 - _CHANCE_OF_SAMPLING / (2 * functions))
    return deviations * math.sqrt(share * (1 - share) * (1 / before + 1 / after))
