"""Lists of targets: files in YAML and JSON (file_sd_configs), and replies of servers (http_sd_configs)."""

from __future__ import annotations

import json
from random import Random

from pprof_exporter.config.job import Job, TargetGroup
from pprof_exporter.config.relabel import Action, Rule
from pprof_exporter.inputs.json_document import BadJson, parse_json
from pprof_exporter.inputs.text_file import BadText, decode_text
from pprof_exporter.scrape.discovery.groups import SourceError, parse_document, parse_text
from tests.fuzz import nasty
from tests.fuzz.grammar import Grammar

_TARGETS = (
    "shop:6060",
    "[::1]:6060",
    "http://scott:tiger@shop/a%2Fb",
    "10.0.0.1",
    "[::1]@",
    "http://[",
    "shop:0",
    "é:1",
)
_NAMES = (
    "service",
    "env",
    "job",
    "target",
    "__meta_x",
    "__address__",
    "__metrics_path__",
    "__scheme__",
    "__param_x",
    "le",
)
_VALUES = ("shop", "1.10", "true", "007", "é", "a" * 200, "/in/pprof", "https")
_JOB = Job(
    "shop",
    rules=(
        Rule(source_labels=("service", "env"), regex="(.+);(.*)", target_label="${2}", replacement="$1-$2"),
        Rule(Action.LABEL_MAP, regex="__meta_(.+)", replacement="${1}_x"),
        Rule(Action.HASH_MOD, ("__address__",), modulus=3, target_label="shard"),
    ),
)


def _yaml(random: Random) -> bytes:
    lines = []
    for _ in range(random.randint(1, 3)):
        targets = [_scalar(random, _TARGETS) for _ in range(random.randint(0, 3))]
        lines.append(f"- targets: [{', '.join(targets)}]" if random.random() < 0.5 else "- targets:")
        lines += [f"    - {target}" for target in targets if lines[-1].endswith(":") or lines[-1].startswith("    - ")]
        if random.random() < 0.8:
            lines.append("  labels:")
            lines += [f"    {_scalar(random, _NAMES)}: {_scalar(random, _VALUES)}" for _ in range(random.randint(1, 3))]
    if random.random() < 0.1:
        lines[0] = lines[0].replace("- ", "- &a\n  ", 1)
        lines.append(random.choice(("- *a", "- {<<: *a}", "- {<<: [*a, *a], targets: [x]}", "- [*a, *a]")))
    ends = random.choice(("\n", "\n", "\r\n", "\r"))
    return nasty.damaged(random, ends.join(lines).encode("utf-8", "surrogatepass"))


def _scalar(random: Random, usual: tuple[str, ...]) -> str:
    if random.random() < 0.05:
        return random.choice(nasty.SCALARS)
    text = nasty.text(random, usual) if random.random() < 0.2 else random.choice(usual)
    return json.dumps(text) if random.random() < 0.6 or not text.isalnum() else text


def _json(random: Random) -> bytes:
    groups = [
        {
            "targets": [nasty.text(random, _TARGETS) for _ in range(random.randint(0, 3))],
            "labels": {nasty.text(random, _NAMES): nasty.text(random, _VALUES) for _ in range(random.randint(0, 3))},
        }
        for _ in range(random.randint(0, 3))
    ]
    text = json.dumps(groups, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.1:
        text = text.replace('"shop"', random.choice(_JSON_VALUES), 1)
    return nasty.damaged(random, text.encode("utf-8", "surrogatepass"))


_JSON_VALUES = (
    *("1", "1e999", "NaN", "-Infinity", "null", "true", "{}", "[[]]", r'"\ud800"', r'"\udc00\ud800"', "9" * 5_000),
    *("[" * 3_000, "[" * 3_000 + "]" * 3_000, '{"a":' * 3_000 + "1" + "}" * 3_000, '{"a": 1, "a": 2}', "01", '"\x01"'),
)


def _read_yaml(case: bytes) -> None:
    _resolve(parse_text("a.yml", decode_text(case)))


def _read_json(case: bytes) -> None:
    _resolve(parse_text("a.json", decode_text(case)))


def _read_reply(case: bytes) -> None:
    _resolve(parse_document(parse_json(case)))


def _resolve(groups: list[TargetGroup]) -> None:
    found = _JOB.resolve(groups)
    for target in found.targets:
        # What is shown, exposed and sent can be encoded.
        f"{target.name} {target.url} {target.process} {target.labels} {target.params}".encode()
        "".join(text for pair in target.labels for text in pair).encode()
    "".join(found.problems).encode()


GRAMMARS = (
    Grammar("file_sd_yaml", _yaml, _read_yaml, (SourceError, BadText)),
    Grammar("file_sd_json", _json, _read_json, (SourceError, BadText)),
    Grammar("http_sd", _json, _read_reply, (SourceError, BadJson)),
)
