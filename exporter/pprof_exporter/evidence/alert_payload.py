"""Reads the payload of Alertmanager's webhook, version 4, as capture requests.

The format is defined in prometheus/alertmanager, notify/webhook/webhook.go and template/template.go.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationError

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.evidence.capture_request import CaptureRequest
from pprof_exporter.rules import ALERTS
from pprof_exporter.verdicts import Level

_MOST_ALERTS = 1000
_MODES = frozenset(mode.id for mode in FAILURE_MODES)
_NAMES = frozenset(alert.name for alert in ALERTS)
_LEVELS = frozenset(severity.value for severity in Severity)


class BadPayload(ValueError):
    """The payload is not from Alertmanager; the message says what is wrong."""


_Text = Annotated[str, Field(max_length=10_000)]


class _Alert(BaseModel):
    status: Literal["firing", "resolved"]
    labels: dict[_Text, _Text]
    annotations: dict[_Text, _Text] = Field(default_factory=dict)


class _Payload(BaseModel):
    version: Literal["4"]
    alerts: list[_Alert] = Field(max_length=_MOST_ALERTS)


def read_payload(data: bytes) -> list[CaptureRequest]:
    """One request for each target with a firing alert, in their order. Raises `BadPayload`."""
    try:
        payload = _Payload.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadPayload(
            f"not a webhook message of Alertmanager, version 4: {place or 'all of it'}: {first['msg']}"
        ) from None
    found: dict[str, CaptureRequest] = {}
    for alert in payload.alerts:
        target = alert.labels.get("target", "")
        if alert.status == "firing" and target:
            found.setdefault(target, _capture_request(target, alert))
    return list(found.values())


def _capture_request(target: str, alert: _Alert) -> CaptureRequest:
    name, mode = alert.labels.get("alertname", ""), alert.labels.get("failure_mode", "")
    severity = alert.labels.get("severity", "")
    return CaptureRequest(
        target,
        name if name in _NAMES else "",
        mode if mode in _MODES else "",
        severity if severity in _LEVELS else Level.UNKNOWN,
        alert.annotations.get("summary") or (f"The alert {name} fires." if name else "An alert fires."),
    )
