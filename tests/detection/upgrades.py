"""Faults that come with a build: what it does more of than the one before."""

from __future__ import annotations

from tests.detection.acts import replaced
from tests.detection.programs import MIDDLE, NEWEST, Build
from tests.detection.scenario import UPGRADES, Scenario


def _upgrade(
    name: str,
    said: str,
    factors: dict[str, int],
    *arguments: str,
    before: str = NEWEST,
    after: str = NEWEST,
    shape: str = "api",
) -> Scenario:
    old = Build(before, {"release": 1})
    return Scenario(
        name,
        UPGRADES,
        said,
        mode="F20",
        claimed=("PprofUpgradeRegression",),
        begin=replaced(Build(after, {"release": 2, **factors})),
        end=replaced(old),
        shape=shape,
        build=old,
        arguments=arguments,
    )


UPGRADE_FAULTS: tuple[Scenario, ...] = (
    _upgrade("upgrade: allocations", "A build allocates three times as much.", {"allocation": 3},
             "-churn=16", "-load=0.1"),
    _upgrade("upgrade: contention", "A build holds its lock three times as long.", {"contention": 3},
             "-mutex-fraction=5", "-load=0.1"),
    _upgrade("upgrade: latency", "A build answers 80 ms later.", {"latency": 5}, shape="redeploy"),
    _upgrade("upgrade: goroutines", "A build has 600 goroutines where 200 were.", {"goroutines": 3}, "-parked=200",
             "-load=0.1"),
    _upgrade("upgrade: heap", "A build keeps twice the heap.", {"heap": 2}, "-heap=80", "-load=0.1",
             shape="batch"),
    _upgrade("upgrade: CPU", "A build uses three times the CPU time.", {"processor": 3}, "-load=0.15",
             shape="redeploy"),
    _upgrade("upgrade: latency with a new Go", "A build with Go 1.27 in place of 1.24 answers 80 ms later.",
             {"latency": 5}, before=MIDDLE, shape="redeploy"),
)  # fmt: skip
