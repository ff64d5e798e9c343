"""What an Alertmanager tells is read, and what is none is refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.evidence.alert_payload import BadPayload, read_payload
from pprof_exporter.evidence.capture_request import CaptureRequest


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    usual = {"alertname": "PprofCpuCoverageLow", "failure_mode": "F1", "severity": "critical", "target": "shop:6060"}
    return {
        "status": status,
        "labels": {name: value for name, value in {**usual, **labels}.items() if value},
        "annotations": {"summary": "CPU samples are missing", "runbook_url": "http://exporter:9717/runbooks/x"},
        "startsAt": "2026-11-24T04:10:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "b4d1b59d9e6b7a2c",
    }


def payload(*alerts: dict[str, Any], **others: Any) -> bytes:
    """A message as Alertmanager 0.25 sends it."""
    message = {
        "receiver": "page",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}:{alertname="x"}',
        "truncatedAlerts": 0,
    }
    return json.dumps(message | others).encode()


def test_an_alert_that_fires_asks_for_its_target() -> None:
    asked = CaptureRequest("shop:6060", "PprofCpuCoverageLow", "F1", "critical", "CPU samples are missing")
    assert read_payload(payload(alert())) == [asked]


def test_several_alerts_of_a_target_ask_once() -> None:
    several = payload(alert(), alert(alertname="PprofFetchSlow", failure_mode="F5"), alert(target="bank:1"))
    assert [one.target for one in read_payload(several)] == ["shop:6060", "bank:1"]


def test_what_is_resolved_or_of_no_target_asks_for_nothing() -> None:
    assert read_payload(payload(alert("resolved"), alert(target=""))) == []


def test_names_that_are_not_ours_are_not_taken_over() -> None:
    (asked,) = read_payload(payload(alert(alertname="<b>Mine</b>", failure_mode="F99", severity="page")))
    assert (asked.alert, asked.mode, asked.level) == ("", "", "unknown")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"", "all of it"),
        (b"[]", "all of it"),
        (b"{", "all of it"),
        (b"\xff\xfe", "all of it"),
        (payload(version="3"), "version"),
        (payload(version=4), "version"),
        (payload(alerts="none"), "alerts"),
        (payload({"status": "firing"}), "alerts.0.labels"),
        (payload(alert(), {**alert(), "status": "maybe"}), "alerts.1.status"),
        (payload(*[alert()] * 1001), "alerts"),
        (payload(alert(target="x" * 10_001)), "alerts.0.labels"),
    ],
)
def test_what_is_no_such_message_is_refused_by_its_place(message: bytes, said: str) -> None:
    with pytest.raises(BadPayload, match=r"^not a webhook message of Alertmanager, version 4: ") as refused:
        read_payload(message)
    assert f": {said}" in str(refused.value)


@given(st.binary(max_size=200))
def test_nothing_else_is_raised_whatever_comes(message: bytes) -> None:
    with pytest.raises(BadPayload):
        read_payload(message)


@pytest.mark.parametrize(
    "damage",
    [
        *(r'"\ud800"', "NaN", "1e999", "9" * 5_000, "[" * 5_000, '{"a":' * 5_000, "2024-02-30", '"a" "b"', "\x00"),
        '"\x01"',
    ],
)
def test_no_error_of_the_json_library_escapes(damage: str) -> None:
    with pytest.raises(BadPayload) as caught:
        read_payload(payload(alert()).replace(b'"shop:6060"', damage.encode(), 1))
    assert len(str(caught.value)) < 300
