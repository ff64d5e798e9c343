"""What is found for a small argument is remembered, and nothing large is kept."""

from __future__ import annotations

import gc
import weakref

import pytest

from pprof_exporter.profile.remembered import remember_small


class Text(str):
    """A string that can be watched."""

    __slots__ = ("__weakref__",)


@pytest.mark.parametrize(("length", "times"), [(3, 1), (4, 2)])
def test_only_small_arguments_are_remembered(length: int, times: int) -> None:
    seen: list[int] = []

    @remember_small(len, largest=3, most=2)
    def find(text: str) -> int:
        seen.append(len(text))
        return len(text)

    assert [find("x" * length) for _ in range(2)] == [length, length]
    assert len(seen) == times


@pytest.mark.parametrize(("length", "stays"), [(3, True), (4, False)])
def test_a_large_argument_does_not_stay(length: int, *, stays: bool) -> None:
    find = remember_small(len, largest=3, most=2)(len)
    text = Text("x" * length)
    watched = weakref.ref(text)
    find(text)
    del text
    gc.collect()
    assert (watched() is not None) is stays


def test_no_more_results_are_kept_than_allowed() -> None:
    find = remember_small(len, largest=3, most=2)(str.upper)
    texts = [Text(letter) for letter in "abc"]
    watched = [weakref.ref(text) for text in texts]
    for text in texts:
        assert find(text) == text.upper()
    del texts, text
    gc.collect()
    assert sum(one() is not None for one in watched) <= 2
