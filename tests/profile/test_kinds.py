"""The table of kinds fits what Go serves, on every system and version."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from pprof_exporter.profile import KINDS, Span, decode, read_index
from tests.recorded import PROGRAMS, WITH_LEAK_DETECTION, replies, reply

BY_PATH = {kind.path: kind for kind in KINDS.values()}
every_program = pytest.mark.parametrize("program", PROGRAMS)
every_kind = pytest.mark.parametrize("name", sorted(KINDS))


@every_program
def test_recorded_profiles_have_the_sample_types_of_their_kind(program: str) -> None:
    seen = set()
    for name, recorded in replies(program).items():
        if not name.endswith(".pb.gz"):
            continue
        kind = BY_PATH[urlsplit(recorded.path).path.removeprefix("/debug/pprof/")]
        profile = decode(recorded.body)
        assert all(profile.index_of(value.sample_type) is not None for value in kind.values), name
        seen.add(kind.name)
    assert set(KINDS) - seen <= {"goroutineleak"}


@every_program
def test_the_index_lists_every_kind_that_is_served(program: str) -> None:
    index = read_index(reply(program, "index.html").body)
    missing = {kind.name for kind in KINDS.values() if not index.lists(kind.path)}
    assert missing == (set() if program in WITH_LEAK_DETECTION else {"goroutineleak"})


@every_program
def test_a_window_is_as_long_as_was_asked(program: str) -> None:
    recorded = reply(program, "cpu_burn1.pb.gz")
    asked = float(parse_qs(urlsplit(recorded.path).query)["seconds"][0])
    assert decode(recorded.body).duration_nanos / 1e9 == pytest.approx(asked, abs=0.5)


@every_kind
def test_only_kinds_with_a_window_keep_and_ask_for_seconds(name: str) -> None:
    kind = KINDS[name]
    assert kind.name == name
    assert (kind.query(2.4) == {"seconds": "2"}) == bool(kind.window)
    assert (kind.profiled is not None) == bool(kind.window)
    assert all(value.is_accumulated == (value.span is Span.WINDOW) == bool(kind.window) for value in kind.values)
    assert kind.window < kind.interval


def test_a_window_is_at_least_one_second() -> None:
    assert KINDS["cpu"].query(0.2) == {"seconds": "1"}


@every_kind
def test_functions_are_told_of_at_most_one_value(name: str) -> None:
    assert sum(value.by_function is not None for value in KINDS[name].values) <= 1


def test_no_two_values_feed_the_same_series() -> None:
    # Contention has a label that tells block from mutex.
    values = [value for kind in KINDS.values() if kind.name != "mutex" for value in kind.values]
    assert len({value.family.name for value in values}) == len(values)
