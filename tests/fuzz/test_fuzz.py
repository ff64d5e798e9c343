"""Every grammar for a few seconds; and the runner notices what it is there to notice."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from tests.fuzz.grammar import Grammar, grammars
from tests.fuzz.runner import made, run

BUDGET = 2.0
"""Seconds of processor time of each grammar, after its first cases."""
FIRST = 150


@pytest.mark.parametrize("name", grammars())
def test_no_error_escapes(name: str) -> None:
    grammar = grammars()[name]

    first = run(grammar, range(FIRST))
    more = run(grammar, range(FIRST, 100 * FIRST), budget=BUDGET)

    assert first.escapes + more.escapes == []
    # A grammar of which all is refused tests the first check of a reader, and no other.
    assert first.accepted + more.accepted > 0
    assert first.refused + more.refused > 0


def _digits(random: Random) -> bytes:
    return str(random.randrange(4)).encode()


def _read(case: bytes) -> None:
    if case == b"0":
        raise ValueError(case)
    if case == b"1":
        raise KeyError(case)


def test_what_is_not_documented_escapes() -> None:
    outcomes = run(Grammar("digits", _digits, _read, (ValueError,)), range(20))

    assert outcomes.accepted
    assert outcomes.refused
    assert outcomes.escapes
    assert all("KeyError" in why for _, why in outcomes.escapes)
    assert outcomes.cases == outcomes.accepted + outcomes.refused + len(outcomes.escapes)


def test_a_case_is_made_again_from_its_number() -> None:
    grammar = Grammar("digits", _digits, _read, (ValueError,))

    cases = [made(grammar, 1, number) for number in range(50)]

    assert cases == [made(grammar, 1, number) for number in range(50)]
    assert cases != [made(grammar, 2, number) for number in range(50)]


def test_a_budget_ends_a_run() -> None:
    assert run(Grammar("digits", _digits, len, ()), itertools.count(), budget=0).cases < 100_000
