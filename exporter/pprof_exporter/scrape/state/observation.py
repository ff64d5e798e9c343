"""The numbers of a decoded profile that become series."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pprof_exporter.health import FetchedProfile, Reading, run_checks
from pprof_exporter.profile import decode
from pprof_exporter.profile.aggregate import attribute, totals
from pprof_exporter.profile.goroutines import proven_leaks
from pprof_exporter.profile.kinds import GOROUTINELEAK, NANOSECONDS, Kind
from pprof_exporter.profile.profile import Profile
from pprof_exporter.scrape.client.fetcher import Reply
from pprof_exporter.scrape.identity.facts import ProcessFacts, facts_of
from pprof_exporter.scrape.state.cpu_time import CpuUse


@dataclass(frozen=True, slots=True)
class Observation:
    """One profile in base units.

    `took` is its latency without the window. `sums` and `by_function` are in the order of `Kind.values`; a sum is None
    if the profile lacks the sample type, and `by_function` is None if the kind does not request it. `profiled` is the
    length of the window in seconds, `time_nanos` the timestamp of the profile.
    """

    at: float
    took: float
    samples: int
    size: int
    sums: tuple[float | None, ...]
    by_function: tuple[dict[str, float] | None, ...]
    profiled: float
    time_nanos: int
    period_nanos: int
    facts: ProcessFacts
    readings: tuple[Reading, ...]


def observe(
    kind: Kind, reply: Reply, *, window: float, previous: Observation | None, used: CpuUse | None, max_bytes: int
) -> Observation:
    """Decode the body of a reply, sum it up and run the checks.

    `previous` is the last observation of this kind, `used` the CPU time that the process used within the window.

    Raises `DecodeError`. Needs no event loop: any thread may run it.
    """
    fetched = FetchedProfile(
        decode(reply.body, max_bytes=max_bytes),
        kind,
        asked_at=reply.asked_at,
        connected_after=reply.phases.until_connected,
        took=reply.phases.total,
        window=window,
        previous_nanos=previous.time_nanos if previous else None,
        cpu_used=used.seconds if used else None,
        cpu_source=used.source.value if used else "",
    )
    return summarize(kind, fetched, at=reply.asked_at)


def summarize(kind: Kind, fetched: FetchedProfile, *, at: float) -> Observation:
    """Sum up a profile of `at` (Unix time) and run the checks."""
    if kind is GOROUTINELEAK:
        fetched = replace(fetched, profile=proven_leaks(fetched.profile))
    profile = fetched.profile
    sums = totals(profile)
    values = [(value, profile.index_of(value.sample_type)) for value in kind.values]
    return Observation(
        at=at,
        took=fetched.took,
        samples=profile.columns.samples,
        size=profile.size,
        sums=tuple([None if column is None else sums[column] / value.per_unit for value, column in values]),
        by_function=tuple(
            [
                None
                if column is None or value.by_function is None
                else _by_function(profile, kind, column, value.per_unit)
                for value, column in values
            ]
        ),
        profiled=profile.duration_nanos / NANOSECONDS,
        time_nanos=profile.time_nanos,
        period_nanos=profile.period,
        facts=facts_of(profile),
        readings=run_checks(fetched),
    )


def _by_function(profile: Profile, kind: Kind, column: int, per_unit: int) -> dict[str, float]:
    attributed = attribute(profile, column, kind.attribution)
    return {name: value / per_unit for name, value in attributed.items()}
