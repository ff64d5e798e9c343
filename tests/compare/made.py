"""Recordings made of random rounds, for what no real program does on command."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from pprof_exporter.capture.reader import ReplayedRound, ReplayedTarget
from pprof_exporter.profile import System
from pprof_exporter.store import Fingerprint

HEALTHY: Mapping[str, float] = {
    "fetch_duration_seconds:heap": 0.04,
    "fetch_duration_seconds:goroutine": 0.003,
    "fetch_duration_seconds:cpu": 0.03,
    "canary_duration_seconds:rest": 0.001,
    "canary_duration_seconds:profile": 0.0012,
    "latency_difference_seconds:modules": 0.004,
    "cpu_coverage_ratio": 0.98,
    "cpu_processors": 1.0,
    "tick_interval_stddev_seconds": 0.002,
    "tick_late_ratio": 0.05,
    "tick_rate_hertz": 100.0,
    "unsymbolized_ratio:cpu": 0.0,
    "heap_inuse_bytes": 5e6,
}
SHARES: Mapping[str, Mapping[str, float]] = {
    "cpu": {"main.burnPlain": 0.4, "main.burnInlined": 0.35, "runtime.memmove": 0.25},
    "goroutine": {"main.serve": 0.9, "runtime.bgsweep": 0.1},
}
BEFORE = Fingerprint(system="s1", binary="shop b1", go="go1.24.11", modules="m1")


def recorded(
    rounds: int = 10,
    *,
    signals: Mapping[str, float] | None = None,
    shares: Mapping[str, Mapping[str, float]] | None = None,
    seed: int = 1,
    go: str = "1.24.11",
    system: System | None = System.WINDOWS,
    fingerprint: Fingerprint = BEFORE,
    name: str = "shop:6060",
    noise: float = 0.1,
) -> ReplayedTarget:
    """A target whose signals lie around those of `HEALTHY`, or `signals` where it names one."""
    random = Random(seed)
    middles = {**HEALTHY, **(signals or {})}
    kinds = {**SHARES, **(shares or {})}
    return ReplayedTarget(
        name=name,
        labels={},
        fingerprint=fingerprint,
        system=system,
        go_version=go,
        rounds=tuple(
            ReplayedRound(
                at=1_790_000_000.0 + 30 * i,
                signals={signal: value * random.lognormvariate(0, noise) for signal, value in middles.items()},
                functions={
                    kind: {function: share * random.lognormvariate(0, noise / 2) for function, share in found.items()}
                    for kind, found in kinds.items()
                },
                audit=None,
                files={},
            )
            for i in range(rounds)
        ),
    )
