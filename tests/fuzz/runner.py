"""Runs cases of a grammar, and counts what became of them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.grammar import Grammar

LONGEST = 3.0
"""Seconds of processor time that one case may take; no case of any grammar needs a tenth of that."""
_MOST_ESCAPES = 20


@dataclass(slots=True)
class Outcomes:
    """What became of the cases of one grammar. `escapes` has the number of a case and what escaped."""

    cases: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0
    longest: float = 0
    """Seconds of processor time of the longest case."""
    escapes: list[tuple[int, str]] = field(default_factory=list)


def made(grammar: Grammar, seed: int, number: int) -> bytes:
    """The case of this number."""
    return grammar.generate(Random(f"{grammar.name} {seed} {number}"))


def run(grammar: Grammar, numbers: Iterable[int], *, seed: int = 0, budget: float = float("inf")) -> Outcomes:
    """Run the cases of these numbers, until `budget` seconds of processor time are used or too much has escaped."""
    outcomes = Outcomes()
    began = time.perf_counter()
    used = 0.0
    for number in numbers:
        if used > budget or len(outcomes.escapes) >= _MOST_ESCAPES:
            break
        case = made(grammar, seed, number)
        start = time.thread_time()
        try:
            grammar.read(case)
        except grammar.refusals:
            outcomes.refused += 1
        except Exception:  # noqa: BLE001 - what escapes is what is looked for
            outcomes.escapes.append((number, traceback.format_exc()))
        else:
            outcomes.accepted += 1
        took = time.thread_time() - start
        if took > LONGEST:
            outcomes.escapes.append((number, f"took {took:.1f} s"))
        used += took
        outcomes.longest = max(outcomes.longest, took)
        outcomes.cases += 1
    outcomes.seconds = time.perf_counter() - began
    return outcomes
