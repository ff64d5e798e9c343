"""The last fetches, in their order."""

from __future__ import annotations

from pprof_exporter.scrape.state.counters import LatencyHistory


def test_keeps_the_last_sixty_oldest_first() -> None:
    history = LatencyHistory()
    for i in range(150):
        history.add(float(i))

    assert history.latest() == [float(i) for i in range(90, 150)]


def test_a_failed_fetch_has_no_latency() -> None:
    history = LatencyHistory()
    history.add(0.5)
    history.add(None)

    assert history.latest() == [0.5, None]
