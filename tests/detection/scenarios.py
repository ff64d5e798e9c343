"""All scenarios, and the alerts that none of them claims."""

from __future__ import annotations

from tests.detection.faults_processes import GROWTH_FAULTS, PROCESS_FAULTS, PROFILE_FAULTS
from tests.detection.faults_replies import MODULE_FAULTS, REPLY_FAULTS
from tests.detection.healthy import HEALTHY
from tests.detection.scenario import Scenario
from tests.detection.upgrades import UPGRADE_FAULTS

FAULTS: tuple[Scenario, ...] = (
    *REPLY_FAULTS,
    *PROCESS_FAULTS,
    *PROFILE_FAULTS,
    *MODULE_FAULTS,
    *GROWTH_FAULTS,
    *UPGRADE_FAULTS,
)
SCENARIOS: tuple[Scenario, ...] = (*FAULTS, *HEALTHY)

_OF_EXPORTER = "a fault of the exporter, and of no target: tests of the rules, and tests/faults"

UNCLAIMED_ALERTS: dict[str, str] = {
    "PprofExporterDown": _OF_EXPORTER,
    "PprofExporterReloadFailed": _OF_EXPORTER,
    "PprofExporterDiscoveryFailing": _OF_EXPORTER,
    "PprofExporterLagging": _OF_EXPORTER,
    "PprofExporterExhausted": _OF_EXPORTER,
    "PprofExporterInternalErrors": _OF_EXPORTER,
    "PprofExporterSaturated": _OF_EXPORTER,
    "PprofExporterStorageTrouble": _OF_EXPORTER,
    "PprofExporterEvidenceTrouble": _OF_EXPORTER,
    "PprofSamplingJitter": "the audit needs a thread with a processor of its own: tests/live/test_injected.py",
    "PprofCpuThrottled": "a CPU limit needs a cgroup, which only root may make: tests of the rules and of the reader",
    "PprofProfilerMemoryHigh": "256 MiB of records take hours to fill: tests of the rules",
    "PprofKnownBug": "a deadlock of Go on Windows cannot be had on command: tests of the rules",
    "PprofFleetRegression": "one message for regressions that are each claimed above: tests of the rules",
    "PprofProfileStale": "every fault that makes a profile stale has an alert of its own, which inhibits this one",
}
"""Alerts of severity warning or critical, and why no scenario has to bring them."""
