"""Rules of relabelling, and the labels that they change."""

from __future__ import annotations

import json
from random import Random

from pprof_exporter.config.relabel import Action, BadRule, Rule, relabel
from pprof_exporter.inputs.regexp import anchored
from pprof_exporter.inputs.regexp_syntax import BadRegexp
from pprof_exporter.inputs.text_file import TooMuchText
from tests.fuzz import nasty
from tests.fuzz.grammar import Grammar
from tests.inputs.expressions import TABLE, expression

_NAMES = ("__address__", "env", "service", "__meta_x", "a")
_TEMPLATES = ("$1", "${1}", "$1-$2", "$$", "${n}x", "$1$1$1$1", "fixed", "$", "${", "$01", "$1000000000000", "")
_VALUES = ("shop-1:6060", "a" * 1_000, "aaaaaaaaaaaaaaaaaaaa!", "é\n", "-" * 50, "1.2.3.4", "")


def _regex(random: Random) -> str:
    kind = random.random()
    if kind < 0.2:
        return random.choice(TABLE)
    if kind < 0.6:
        return expression(random)
    made = "".join(random.choice((*TABLE, "(", ")", "[", "]", "|", "*", "{", "\\", "^")) for _ in range(3))
    return nasty.text(random, (made, expression(random)))


def _rule(random: Random) -> dict[str, object]:
    return {
        "action": random.choice(tuple(Action)),
        "source_labels": [random.choice(_NAMES) for _ in range(random.randrange(3))],
        "regex": _regex(random),
        "target_label": random.choice(("env", "a", "${1}", "x$1", "", "1")),
        "replacement": nasty.text(random, _TEMPLATES),
        "separator": random.choice((";", "", "\n")),
        "modulus": random.choice((0, 0, 1, 7, 2**64 - 1)),
    }


def _usual(random: Random) -> dict[str, object]:
    rule = _rule(random)
    return {**rule, "action": Action.REPLACE, "target_label": "env", "regex": expression(random)}


def _rules(random: Random) -> bytes:
    rules = [(_rule if random.random() < 0.3 else _usual)(random) for _ in range(random.randint(1, 4))]
    labels = {name: nasty.text(random, _VALUES) for name in _NAMES if random.random() < 0.7}
    return json.dumps([rules, labels]).encode()


def _read_rules(case: bytes) -> None:
    rules, labels = json.loads(case)
    made = [
        Rule(**{**rule, "action": Action(rule["action"]), "source_labels": tuple(rule["source_labels"])})
        for rule in rules
    ]
    # Half a surrogate pair is refused before there is anything to relabel.
    relabel({name: value.encode("utf-8", "replace").decode() for name, value in labels.items()}, made)


def _expression(random: Random) -> bytes:
    return f"{_regex(random)}\0{nasty.text(random, _VALUES)}".encode("utf-8", "surrogatepass")


def _read_expression(case: bytes) -> None:
    regexp, _, text = case.decode("utf-8", "surrogatepass").rpartition("\0")
    found = anchored(regexp).search(text)
    if found is not None:
        for name in ("0", "1", "7", "n", "x", "01"):
            assert found.group(name) in text


GRAMMARS = (
    Grammar("relabelling", _rules, _read_rules, (BadRule, TooMuchText)),
    Grammar("regular_expressions", _expression, _read_expression, (BadRegexp, TooMuchText)),
)
