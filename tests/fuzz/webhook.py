"""The payload of Alertmanager's webhook."""

from __future__ import annotations

import json
from random import Random

from pprof_exporter.evidence.alert_payload import BadPayload, read_payload
from tests.fuzz import nasty
from tests.fuzz.grammar import Grammar

_NAMES = ("alertname", "target", "failure_mode", "severity", "job", "instance")
_VALUES = ("PprofDown", "shop:6060", "F1", "warning", "critical", "shop")
_RAW = ("1", "null", "NaN", "1e999", "[]", "{}", r'"\ud800"', "9" * 5_000, "[" * 3_000, "true", '"x" "y"')


def _generate(random: Random) -> bytes:
    def labels() -> dict[str, str]:
        return {nasty.text(random, _NAMES): nasty.text(random, _VALUES) for _ in range(random.randint(0, 4))}

    payload = {
        "version": "4",
        "groupKey": nasty.text(random, ("{}:{}",)),
        "status": "firing",
        "alerts": [
            {
                "status": random.choice(("firing", "firing", "resolved")),
                "labels": {**labels(), "target": nasty.text(random, ("shop:6060",))},
                "annotations": {"summary": nasty.text(random, ("The target is down.",)), **labels()},
            }
            for _ in range(random.randint(0, 3))
        ],
    }
    text = json.dumps(payload, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.15:
        text = text.replace(random.choice(('"4"', '"firing"', '"shop:6060"', '"F1"')), random.choice(_RAW), 1)
    return nasty.damaged(random, text.encode("utf-8", "surrogatepass"))


def _read(case: bytes) -> None:
    for request in read_payload(case):
        f"{request.target} {request.said} {request.alert} {request.mode}".encode()


GRAMMARS = (Grammar("webhook", _generate, _read, (BadPayload,)),)
