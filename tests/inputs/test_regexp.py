"""Regular expressions of relabelling: the results of Go, in time that grows only with expression and text.

Against Go itself, see tests/live/test_texts_agree.py.
"""

from __future__ import annotations

import contextlib
import re
import time
from random import Random

import pytest

from pprof_exporter.inputs.regexp import MOST_STEPS, anchored
from pprof_exporter.inputs.regexp_syntax import BadRegexp
from pprof_exporter.inputs.text_file import TooMuchText
from tests.inputs.expressions import expression, text

CATASTROPHES = (
    "([a-z0-9]+-?)+:6060",
    "(a+)+x",
    "(a|a)*x",
    "(a|aa)+x",
    "(.*)*x",
    "(a*)*(a*)*x",
    "((a+)?)*x",
    "(a?){5}x",
)


@pytest.mark.parametrize("regexp", CATASTROPHES)
def test_a_text_that_does_not_match_takes_time_by_its_length(regexp: str) -> None:
    compiled = anchored(regexp)
    began = time.thread_time()

    assert compiled.search("a" * 10_000) is None

    # Backtracking would take longer than the universe is old.
    assert time.thread_time() - began < 5


def test_what_matches_is_found_in_a_long_text() -> None:
    found = anchored("([a-z0-9]+-?)+:6060").search("ab-" * 3_000 + "c:6060")
    assert found is not None
    assert found.group("1") == "c"


def test_a_text_beyond_all_measure_is_refused() -> None:
    with pytest.raises(TooMuchText, match="too many for a regular expression of this size"):
        anchored("(a+b)+").search("a" * MOST_STEPS)


@pytest.mark.parametrize(
    "regexp", ["(" * 5_000, "(?:" * 5_000 + ")" * 5_000, "((a{1000}){1000}){1000}", "a" * 100_000, "(" * 99 + ")" * 99]
)
def test_an_expression_beyond_all_measure_is_refused_or_taken_without_another_error(regexp: str) -> None:
    with contextlib.suppress(BadRegexp):
        anchored(regexp)


def test_many_repetitions_within_each_other_are_refused() -> None:
    with pytest.raises(BadRegexp, match="invalid repeat count"):
        anchored("(a{100}){100}")
    with pytest.raises(BadRegexp, match="too large"):
        anchored("(?:ab){1000}" * 20)


@pytest.mark.parametrize(
    ("regexp", "matches", "others"),
    [
        (r"(?i)K", "kK\u212a", "x"),
        (r"\pL", "aé中", "1_"),
        (r"[[:alpha:]]", "aZ", "é1"),
        (r"\d", "09", "\u0660"),
        (r"\s", " \t\n", "\u00a0\v"),
        (".", "a\n\U0001f600", ""),
        (r"[^\pL\d]", "_-", "a1"),
        (r"\x{1F600}", "\U0001f600", "a"),
    ],
)
def test_classes_are_those_of_go(regexp: str, matches: str, others: str) -> None:
    assert [one for one in matches if anchored(regexp).search(one) is None] == []
    assert [one for one in others if anchored(regexp).search(one) is not None] == []


def test_of_two_groups_with_one_name_the_first_that_took_part_counts() -> None:
    found = anchored("(?P<n>a)?(?P<n>b)?").search("b")
    assert found is not None
    assert found.group("n") == "b"
    assert found.group("1") == ""
    assert found.group("7") == ""


def test_most_matches_are_also_those_of_python() -> None:
    # Where the two differ, it is in groups of a repetition whose last round was empty.
    random = Random(3)
    for _ in range(2_000):
        pattern, value = expression(random), text(random)
        python = re.compile(pattern.replace("(?i:[^k])", "(?i:[^kK\u212a])"), re.DOTALL | re.ASCII)
        if "(?i" not in pattern and "$" not in pattern:
            assert (python.fullmatch(value) is None) == (anchored(pattern).search(value) is None), (pattern, value)
