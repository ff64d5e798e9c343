"""Goroutines by state add up to all of them, with every state present."""

from __future__ import annotations

import pytest

from pprof_exporter.health import FetchedProfile
from pprof_exporter.health.goroutine_states import goroutine_states
from pprof_exporter.profile import GoroutineState, totals
from tests.health.readings import by_name
from tests.recorded import PROGRAMS, profile, reply


@pytest.mark.parametrize("file", ["goroutine", "goroutine_leaks", "goroutine_contended", "goroutine_deep"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_states_add_up_to_all_goroutines(program: str, file: str) -> None:
    goroutines = profile(program, file)
    found = by_name(goroutine_states(FetchedProfile(goroutines)))
    assert set(found) == {f"pprof_goroutines_by_state {state}" for state in GoroutineState}
    assert sum(count or 0 for count in found.values()) == totals(goroutines)[0]
    assert totals(goroutines)[0] == pytest.approx(reply(program, f"{file}.pb.gz").goroutines, abs=1)


@pytest.mark.parametrize("program", PROGRAMS)
def test_leaks_show_in_their_state(program: str) -> None:
    leaks = reply(program, "goroutine_leaks.pb.gz").leaks
    found = by_name(goroutine_states(FetchedProfile(profile(program, "goroutine_leaks"))))
    assert found["pprof_goroutines_by_state chan_receive"] == leaks["chan"] + leaks["lost"]
    assert found["pprof_goroutines_by_state chan_send"] == leaks["send"]
    assert found["pprof_goroutines_by_state select"] == leaks["select"]
    assert found["pprof_goroutines_by_state sleep"] == leaks["sleep"]
    assert found["pprof_goroutines_by_state mutex"] == leaks["mutex"]


@pytest.mark.parametrize("kind", ["cpu_burn1", "heap", "block", "threadcreate"])
def test_only_goroutine_profiles_have_states(kind: str) -> None:
    assert goroutine_states(FetchedProfile(profile(PROGRAMS[0], kind))) == []
