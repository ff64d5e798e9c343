"""Who is told what, as Alertmanager itself decides it: routes, groups, inhibitions and messages."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pprof_exporter.rules import ALERTS
from tests.deploy.shipped import FILE, TEMPLATES, Matcher, configuration, matchers, routes, telling
from tests.lab import PATIENCE, PROJECT
from tests.lab.alertmanager import Alertmanager, running
from tests.lab.debian import Suite
from tests.lab.prometheus import amtool
from tests.lab.receiver import Receiver, receiving

SUITES: tuple[Suite, ...] = ("stable", "sid")
Labels = dict[str, str]


def asked(suite: Suite, *arguments: str | Path) -> tuple[int, str]:
    """Exit code and words of amtool."""
    command = [str(amtool(suite)), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def alert(name: str, severity: str = "warning", **others: str) -> Labels:
    """The labels of an alert of one target, as Prometheus sends them; those set to "" are left out."""
    usual = {"job": "exporters", "instance": "exporter:9717", "target": "shop:6060", "service": "shop"}
    labels = {"alertname": name, "severity": severity, **usual, **others}
    return {label: value for label, value in labels.items() if value}


# The file


@pytest.mark.parametrize("suite", SUITES)
def test_alertmanager_accepts_it_without_a_warning(suite: Suite) -> None:
    code, said = asked(suite, "check-config", FILE)
    assert code == 0, said
    assert "SUCCESS" in said
    assert not any(word in said.lower() for word in ("warn", "deprecated", "fallback")), said


@pytest.mark.parametrize("suite", SUITES)
def test_alertmanager_starts_with_it_as_it_is(suite: Suite) -> None:
    with running(FILE.read_text(), suite, templates=TEMPLATES) as server:
        assert server.alerts() == []


def named_matchers() -> list[Matcher]:
    config = configuration()
    texts = [text for route in routes(config) for text in route.get("matchers", [])]
    texts += [text for rule in config["inhibit_rules"] for text in rule["source_matchers"] + rule["target_matchers"]]
    return [matcher for matcher in matchers(texts) if matcher.label == "alertname"]


@pytest.mark.parametrize("name", sorted({name for one in named_matchers() for name in one.value.split("|")}))
def test_routes_and_inhibitions_name_only_alerts_that_exist(name: str) -> None:
    assert any(Matcher("alertname", "=~", name).holds({"alertname": alert.name}) for alert in ALERTS)


@pytest.mark.parametrize("rule", configuration()["inhibit_rules"], ids=lambda rule: rule["source_matchers"][0])
def test_no_alert_can_inhibit_one_of_its_own_kind(rule: dict[str, Any]) -> None:
    """Whatever the labels are that an alert has beyond its name and severity."""

    def may_match(side: str, labels: Labels) -> bool:
        return all(one.holds(labels) for one in matchers(rule[side]) if one.label in labels)

    kinds = [{"alertname": one.name, "severity": one.severity.value} for one in ALERTS]
    assert [one for one in kinds if may_match("source_matchers", one) and may_match("target_matchers", one)] == []


# Routes


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (alert("PprofTargetWedged", "critical"), "page"),
        (alert("PprofExporterDown", "critical", instance="", target="", service=""), "page"),
        (alert("PprofProfileCostly", profile="heap"), "team"),
        (alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change="operating_system"), "team"),
        (alert("PprofFleetRegression", instance="", target="", service=""), "team"),
        (alert("PprofUpgraded", "info", change="go"), "nobody"),
        (alert("PprofStacksTruncated", "info"), "nobody"),
        ({"alertname": "HostOutOfMemory", "severity": "critical"}, "team"),
    ],
    ids=lambda value: value["alertname"] if isinstance(value, dict) else value,
)
def test_an_alert_goes_to_who_must_know_it(suite: Suite, labels: Labels, receiver: str) -> None:
    assert routed(suite, labels) == receiver


def test_every_alert_goes_where_its_severity_says() -> None:
    expected = {"critical": "page", "warning": "team", "info": "nobody"}
    for name, severity in sorted({(one.name, one.severity.value) for one in ALERTS}):
        assert routed("stable", {"alertname": name, "severity": severity}) == expected[severity], name


@pytest.mark.parametrize("suite", SUITES)
def test_the_documented_route_brings_alerts_for_information(suite: Suite, tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "alerts.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```yaml\n(routes:.*?)```", page, re.DOTALL)
    whole = configuration()
    (ours,) = [route for route in whole["route"]["routes"] if "routes" in route]
    ours["routes"] = [*yaml.safe_load(snippet)["routes"], *ours["routes"]]
    changed = tmp_path / "alertmanager.yml"
    changed.write_text(yaml.safe_dump(whole), encoding="utf-8")

    assert routed(suite, alert("PprofKnownBug", "info", bug="golang/go#62358"), changed) == "team"
    assert routed(suite, alert("PprofStacksTruncated", "info"), changed) == "nobody"


def routed(suite: Suite, labels: Labels, file: Path = FILE) -> str:
    """The receivers of an alert."""
    pairs = [f"{label}={value}" for label, value in labels.items()]
    code, said = asked(suite, "config", "routes", "test", f"--config.file={file}", *pairs)
    assert code == 0, said
    return said.splitlines()[0]


@dataclass(frozen=True, slots=True)
class Told:
    """An Alertmanager that tells everything, nobody's too, to one webhook."""

    server: Alertmanager
    receiver: Receiver

    def groups(self, job: str) -> list[tuple[str, Labels, set[tuple[str, str]]]]:
        """The messages about a job: to whom, what their alerts share, and name and target of each."""
        return [
            (
                message["receiver"],
                message["groupLabels"],
                {(one["labels"]["alertname"], one["labels"].get("target", "")) for one in message["alerts"]},
            )
            for message in self.receiver.messages
            if message["groupLabels"]["job"] == job
        ]


@pytest.fixture(scope="module", params=SUITES)
def told(request: pytest.FixtureRequest) -> Iterator[Told]:
    with receiving() as receiver:
        config = telling(lambda _: {"webhook_configs": [{"url": receiver.url}]})
        with running(config, request.param, templates=TEMPLATES) as server:
            yield Told(server, receiver)


def test_an_upgrade_that_hurts_a_service_is_one_message(told: Told) -> None:
    signals = ("fetch_duration_seconds:heap", "cpu_coverage_ratio", "tick_rate_hertz")
    regressions = [
        alert("PprofUpgradeRegression", job="hurt", target=target, signal=signal, change="operating_system")
        for target in ("shop-1:6060", "shop-2:6060")
        for signal in signals
    ]
    upgrades = [
        alert("PprofUpgraded", "info", job="hurt", target=target, change="operating_system")
        for target in ("shop-1:6060", "shop-2:6060")
    ]
    single = alert("PprofFetchSlow", job="hurt", target="shop-1:6060", profile="heap")
    other = alert("PprofUpgradeRegression", job="hurt", service="bank", target="bank:1", signal="x", change="go")
    told.server.post([{"labels": labels} for labels in [*regressions, *upgrades, single, other]])

    told.receiver.wait_for(lambda _: len([one for one in told.groups("hurt") if one[0] == "team"]) >= 2)
    shop, bank = sorted((one for one in told.groups("hurt") if one[0] == "team"), key=lambda one: -len(one[2]))
    assert shop[1] == {"job": "hurt", "service": "shop", "change": "operating_system"}
    assert shop[2] == {("PprofUpgradeRegression", target) for target in ("shop-1:6060", "shop-2:6060")}
    assert bank[1] == {"job": "hurt", "service": "bank", "change": "go"}


def test_an_upgrade_of_a_service_is_one_group_whatever_changed(told: Told) -> None:
    changes = {"shop-1:6060": "go", "shop-2:6060": "go", "shop-3:6060": "binary"}
    upgrades = [alert("PprofUpgraded", "info", job="rollout", target=one, change=part) for one, part in changes.items()]
    other = alert("PprofUpgraded", "info", job="rollout", service="bank", target="bank:1", change="go")
    told.server.post([{"labels": labels} for labels in [*upgrades, other]])

    told.receiver.wait_for(lambda _: len(told.groups("rollout")) >= 2)
    assert sorted((receiver, len(alerts)) for receiver, _, alerts in told.groups("rollout")) == [
        ("nobody", 1),
        ("nobody", 3),
    ]


def test_the_same_trouble_of_a_service_is_one_message(told: Told) -> None:
    slow = [alert("PprofFetchSlow", job="same", target=f"shop-{number}:6060") for number in range(3)]
    told.server.post([{"labels": labels} for labels in [*slow, alert("PprofHeapGrowth", job="same")]])

    told.receiver.wait_for(lambda _: len(told.groups("same")) >= 2)
    assert sorted(len(alerts) for _, _, alerts in told.groups("same")) == [1, 3]
    assert {tuple(sorted(labels)) for _, labels, _ in told.groups("same")} == {("alertname", "job", "service")}


# Inhibitions


@dataclass(frozen=True, slots=True)
class Case:
    """While `sources` fire, `silenced` are not told, and `told` are. The sources themselves are told."""

    says: str
    sources: Sequence[Labels]
    silenced: Sequence[Labels] = ()
    told: Sequence[Labels] = ()


OF_FETCHES = ("PprofFetchFailing", "PprofProfileRejected", "PprofDecodeFailing")
CASES = [
    *(
        Case(
            f"{name}: nothing else of that target",
            [alert(name, "critical")],
            silenced=[
                alert("PprofProfileStale"),
                alert("PprofFetchSlow", profile="heap"),
                alert("PprofCpuCoverageLow", "critical"),
                alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change="go"),
                alert("PprofUpgraded", "info", change="binary"),
            ],
            told=[
                alert("PprofFetchSlow", profile="heap", target="shop-2:6060"),
                # Another pod, whose sidecar calls its target by the same name.
                alert("PprofFetchSlow", profile="heap", instance="other:9717"),
                alert("PprofFetchSlow", profile="heap", job="other"),
                alert("PprofFleetRegression", signal="cpu_coverage_ratio", instance="", target="", service=""),
                alert("PprofExporterInternalErrors", target="", service=""),
                {"alertname": "HostOutOfMemory", "job": "exporters", "instance": "exporter:9717"},
            ],
        )
        for name in ("PprofTargetDown", "PprofTargetWedged", "PprofNotMounted")
    ),
    Case(
        "several processes: nothing else of that target but whether it answers",
        [alert("PprofSeveralProcesses")],
        silenced=[
            alert("PprofFetchFailing"),
            alert("PprofClockSkew", "critical"),
            alert("PprofTargetRestarts"),
            alert("PprofUpgraded", "info", change="binary"),
        ],
        told=[
            alert("PprofFetchFailing", target="shop-2:6060"),
            alert("PprofFleetRegression", signal="cpu_coverage_ratio", instance="", target="", service=""),
            alert("PprofExporterInternalErrors", target="", service=""),
        ],
    ),
    *(
        Case(f"{name} and several processes: the first", [alert(name)], silenced=[alert("PprofSeveralProcesses")])
        for name in ("PprofTargetDown", "PprofTargetWedged", "PprofNotMounted")
    ),
    Case(
        "down and wedged: neither hides the other",
        [alert("PprofTargetDown", "critical"), alert("PprofTargetWedged", "critical")],
    ),
    Case(
        "critical: no warning of the same",
        [alert("PprofSymbolsMissing", "critical", profile="heap")],
        silenced=[alert("PprofSymbolsMissing", profile="heap")],
        told=[
            alert("PprofSymbolsMissing", profile="cpu"),
            alert("PprofSymbolsMissing", profile="heap", target="shop-2:6060"),
            alert("PprofStacksTruncated", profile="heap"),
        ],
    ),
    Case(
        "critical, of a whole target: no warning of the same",
        [alert("PprofClockSkew", "critical")],
        silenced=[alert("PprofClockSkew")],
    ),
    Case(
        "no exporter left: not each by its name",
        [alert("PprofExporterDown", "critical", instance="", target="", service="")],
        silenced=[
            alert("PprofExporterDown", instance="exporter-1:9717", target="", service=""),
            alert("PprofExporterDown", instance="exporter-2:9717", target="", service=""),
        ],
        told=[alert("PprofExporterDown", job="other", target="", service=""), alert("PprofTargetDown", "critical")],
    ),
    *(
        Case(
            f"{name}: its profiles are not called stale too",
            [alert(name)],
            silenced=[alert("PprofProfileStale")],
            told=[alert("PprofProfileStale", target="shop-2:6060")],
        )
        for name in OF_FETCHES
    ),
    Case(
        "another profiler: CPU profiles are missing for that reason",
        [alert("PprofProfilerConflict", profile="cpu")],
        silenced=[alert("PprofCpuNoSamples", "critical"), alert("PprofProfileStale")],
        told=[alert("PprofCpuCoverageLow")],
    ),
    Case(
        "another tracer: CPU profiles are missing for another reason",
        [alert("PprofProfilerConflict", profile="trace")],
        silenced=[alert("PprofProfileStale")],
        told=[alert("PprofCpuNoSamples", "critical")],
    ),
    *(
        Case(
            f"costly {cause}: those profiles are slow for that reason",
            [alert("PprofProfileCostly", cause=cause)],
            silenced=[alert("PprofFetchSlow", profile=profile) for profile in slow],
            told=[
                alert("PprofFetchSlow", profile="threadcreate", target="shop-2:6060"),
                *(alert("PprofFetchSlow", profile=one) for one in ("heap", "mutex", "goroutine") if one not in slow),
            ],
        )
        for cause, slow in {
            "modules": ["heap", "goroutine", "mutex", "threadcreate"],
            "heap": ["heap", "allocs", "memstats"],
            "goroutines": ["goroutine"],
        }.items()
    ),
    Case(
        "leaked goroutines: their number grows for that reason",
        [alert("PprofGoroutinesLeaked")],
        silenced=[alert("PprofGoroutineGrowth")],
        told=[alert("PprofHeapGrowth")],
    ),
    *(
        Case(
            f"a new {change}: warnings wait for the comparison",
            [alert("PprofUpgraded", "info", change=change)],
            silenced=[
                alert("PprofCpuCoverageLow"),
                alert("PprofSamplingJitter"),
                alert("PprofFetchSlow", profile="heap"),
                alert("PprofProfileCostly", profile="heap"),
                alert("PprofCanarySlow"),
                alert("PprofProfilingPerturbs"),
                alert("PprofSymbolsMissing", profile="cpu"),
                alert("PprofStacksTruncated", "info", profile="cpu"),
            ],
            told=[
                alert("PprofCpuCoverageLow", "critical"),
                alert("PprofCpuNoSamples", "critical"),
                alert("PprofCpuTimer64Hz"),
                alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change=change),
                alert("PprofFetchSlow", profile="heap", target="shop-2:6060"),
            ],
        )
        for change in ("operating_system", "go")
    ),
    Case(
        "a new build: nothing waits",
        [alert("PprofUpgraded", "info", change="binary")],
        told=[alert("PprofFetchSlow", profile="heap"), alert("PprofCpuCoverageLow")],
    ),
    *(
        Case(
            f"a regression of {signal}: not without the comparison too",
            [alert("PprofUpgradeRegression", signal=signal, change="operating_system")],
            silenced=[alert(name) for name in silenced],
            told=[
                alert("PprofHeapGrowth"),
                *(alert(name, "critical") for name in silenced),
                *(alert(name) for name in ("PprofCpuCoverageLow", "PprofCanarySlow") if name not in silenced),
            ],
        )
        for signal, silenced in {
            "cpu_coverage_ratio": ["PprofCpuCoverageLow"],
            "tick_interval_stddev_seconds": ["PprofSamplingJitter"],
            "tick_late_ratio": ["PprofSamplingJitter"],
            "fetch_duration_seconds:heap": ["PprofFetchSlow", "PprofProfileCostly"],
            "latency_difference_seconds:modules": ["PprofFetchSlow", "PprofProfileCostly"],
            "canary_duration_seconds:rest": ["PprofCanarySlow"],
            "canary_duration_seconds:profile": ["PprofProfilingPerturbs"],
            "unsymbolized_ratio:cpu": ["PprofSymbolsMissing"],
            "truncated_stack_ratio:cpu": ["PprofStacksTruncated"],
        }.items()
    ),
    Case(
        "a regression of many targets: not of each",
        [alert("PprofFleetRegression", signal="cpu_coverage_ratio", instance="", target="", service="")],
        silenced=[
            alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change="go", target=f"shop-{number}:6060")
            for number in range(3)
        ],
        told=[
            alert("PprofUpgradeRegression", signal="tick_rate_hertz", change="go"),
            alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change="go", job="other"),
        ],
    ),
    Case(
        "a chain: what is inhibited inhibits all the same",
        [alert("PprofFleetRegression", signal="cpu_coverage_ratio", instance="", target="", service="")],
        silenced=[
            alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change="go"),
            alert("PprofCpuCoverageLow"),
        ],
    ),
    Case(
        "an exporter that lags: latencies are its own",
        [alert("PprofExporterLagging", target="", service="")],
        silenced=[
            alert("PprofFetchSlow", profile="heap"),
            alert("PprofCanarySlow", target="bank:6060"),
            alert("PprofUpgradeRegression", signal="fetch_duration_seconds:heap", change="go"),
            alert("PprofFleetRegression", signal="canary_duration_seconds:rest", instance="", target="", service=""),
        ],
        told=[
            alert("PprofFetchSlow", profile="heap", instance="other:9717"),
            alert("PprofClockSkew"),
            alert("PprofUpgradeRegression", signal="cpu_coverage_ratio", change="go"),
            alert(
                "PprofUpgradeRegression", signal="canary_duration_seconds:profile", change="go", instance="other:9717"
            ),
            alert("PprofFleetRegression", signal="tick_rate_hertz", instance="", target="", service=""),
        ],
    ),
    Case(
        "an exporter that is full: profiles are old for that reason",
        [alert("PprofExporterSaturated", target="", service="")],
        silenced=[alert("PprofProfileStale")],
        told=[alert("PprofProfileStale", instance="other:9717"), alert("PprofFetchFailing")],
    ),
]


@pytest.fixture(scope="module", params=SUITES)
def server(request: pytest.FixtureRequest) -> Iterator[Alertmanager]:
    with running(telling(lambda _: {}), request.param, templates=TEMPLATES) as found:
        yield found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_one_cause_is_told_once(server: Alertmanager, case: Case) -> None:
    sent = {side: [ours(labels, case) for labels in getattr(case, side)] for side in ("sources", "silenced", "told")}
    # Last comes a pair of which one is inhibited for sure: when it is, all that came before has been considered.
    pair = [ours(alert(name, "critical", target="last"), case) for name in ("PprofTargetDown", "PprofHeapGrowth")]
    server.post([{"labels": labels} for side in sent.values() for labels in side])
    server.post([{"labels": labels} for labels in pair])
    known = server.wait_for(lambda found: key(pair[1]) in inhibited(found))

    assert {key(labels) for side in sent.values() for labels in side} <= {key(one["labels"]) for one in known}
    of_case = {one for one in inhibited(known) if json.loads(one)["job"] == pair[0]["job"]}
    assert of_case - {key(pair[1])} == {key(labels) for labels in sent["silenced"]}


def ours(labels: Labels, case: Case) -> Labels:
    """Made to differ from the alerts of other cases, in the one label that every rule asks to be equal."""
    return {**labels, "job": f"{case.says}, {labels['job']}"}


def inhibited(alerts: list[dict[str, Any]]) -> set[str]:
    return {key(one["labels"]) for one in alerts if one["status"]["inhibitedBy"]}


def key(labels: Labels) -> str:
    return json.dumps(labels, sort_keys=True)
