"""Healthy scenarios: nothing may be told of them."""

from __future__ import annotations

from tests.detection.acts import again_each, each, off, replaced, restarted, settled, switched
from tests.detection.programs import MIDDLE, NEWEST, OLDEST, Build, Service
from tests.detection.scenario import BUSY, FAST, LONG, PROCESSES, PROFILES, REPLIES, UPGRADES, Scenario

_OLD, _SAME = Build(MIDDLE, {"release": 1}), Build(NEWEST, {"release": 2})

HEALTHY: tuple[Scenario, ...] = (
    Scenario("idle", REPLIES, "A service without requests.", shape="redeploy"),
    Scenario("light requests", REPLIES, "An API with twenty requests a second."),
    Scenario(
        "no index page", REPLIES, "A router with exact paths for each profile, and no index page.",
        arguments=("-index=false",),
    ),
    Scenario(
        "fewer profiles", REPLIES, "A server without goroutineleak, trace and block.",
        arguments=("-without=goroutineleak,trace,block",),
    ),
    Scenario("no metrics page", REPLIES, "A service without a metrics page.", arguments=("-metrics=none",)),
    Scenario(
        "slow metrics page", REPLIES, "The metrics page takes 2 s; pprof does not.", arguments=("-metrics=slow",),
    ),
    Scenario("old Go", REPLIES, "A service built with Go 1.21.", build=Build(OLDEST)),
    Scenario(
        "mutex handler that samples", REPLIES, "The mutex profile sleeps 5 s first, longer than the timeout.",
        arguments=("-sampling-mutex=5s",),
    ),
    Scenario(
        "main ends in select", REPLIES, "main waits in select{} while the server runs (Go 1.27).",
        arguments=("-ending=select",),
    ),
    Scenario(
        "batch", PROCESSES, "A batch that works on every processor for a twentieth of the time.", shape="batch",
        arguments=("-period=6s",),
    ),
    Scenario(
        "short bursts", PROCESSES, "Bursts of 25 ms twice a second.", shape="batch", arguments=("-period=500ms",),
    ),
    Scenario("20,000 goroutines", PROCESSES, "20,000 goroutines wait, from the start.", arguments=("-parked=20000",)),
    Scenario(
        "one processor", PROCESSES, "GOMAXPROCS=1, as in a small pod.", environment={"GOMAXPROCS": "1"},
    ),
    Scenario(
        "restart", PROCESSES, "The service is deployed twice an hour.", shape="redeploy",
        begin=again_each(30, Service.restart), end=settled,
    ),
    Scenario("heavy allocation", PROFILES, "60 MiB of garbage a second at the default GOGC.",
             begin=switched("churn", 60), end=off("churn")),
    Scenario("busy loop", BUSY, "One goroutine works for half of the time.",
             begin=switched("burn", 50), end=off("burn")),
    Scenario(
        "busy host", PROCESSES, "The service keeps both processors of its host busy.",
        begin=switched("burn", 200), end=off("burn"), shape="batch",
    ),
    Scenario("connections of an hour", FAST, "A proxy with 30 to 330 connections that come and go within an hour.",
             shape="proxy", arguments=("-period=180s",)),
    Scenario("start of a pool", FAST, "5,000 goroutines start at once, and stay.", begin=switched("goroutines", 5000),
             end=off("goroutines")),
    Scenario("cache that warms up", FAST, "A cache grows to 120 MiB within five minutes, and stays.",
             begin=switched("fill", 120), end=off("fill"), environment={"GOMEMLIMIT": "1GiB"}),
    Scenario("daily wave", LONG, "A proxy with 30 to 330 connections over a day.", shape="proxy",
             arguments=("-period=240s",)),
    Scenario("step", LONG, "5,000 goroutines start at once, and stay.", begin=switched("goroutines", 5000),
             end=off("goroutines")),
    Scenario("cache that fills", LONG, "A cache grows to 200 MiB within two hours, and stays.",
             begin=switched("fill", 200), end=off("fill")),
    Scenario("batch over days", LONG, "A batch that runs each hour.", shape="batch", arguments=("-period=10s",)),
    Scenario("daily restart", LONG, "A service is restarted twice a day.", shape="redeploy",
             begin=again_each(720, Service.restart), end=settled),
    Scenario("upgrade without a change", UPGRADES, "Go 1.24 is replaced by 1.27; the service does the same.",
             build=_OLD, begin=replaced(_SAME), end=replaced(_OLD)),
    Scenario("upgrade of a batch", UPGRADES, "The same for a batch.", shape="batch", arguments=("-period=6s",),
             build=_OLD, begin=replaced(_SAME), end=replaced(_OLD)),
    # Its three stable replicas and the canary are also the control group of the faults beside it.
    Scenario("canary and stable", UPGRADES, "A canary and three replicas run side by side under one `service` label.",
             builds=(_OLD, _OLD, _OLD, _SAME), replicas=4),
    Scenario("restart of the same build", UPGRADES, "The build that runs is started again.",
             begin=restarted, end=restarted),
    Scenario("release each hour", UPGRADES, "Another build that does the same, each hour.", build=_SAME,
             begin=again_each(60, lambda service: service.replace(_SAME if service.build == _OLD else _OLD)),
             end=each(settled)),
)  # fmt: skip
