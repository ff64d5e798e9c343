"""Snippets of the documentation work when somebody copies them: PromQL, configuration, JSON."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from pprof_exporter.cli.main import main
from pprof_exporter.config import ConfigError
from pprof_exporter.rules import RECORDING_RULES
from pprof_exporter.web import load_web_config
from tests.docs.pages import CHINESE, README, Block, of_language
from tests.lab import PATIENCE
from tests.lab.prometheus import promtool
from tests.rules.linting import Linter

OWN_PORT = ":9717"
"""Who scrapes this is Prometheus."""
USER_LABELS = re.compile(r"\b(service|track)\b")
"""Labels that the pages have a user give to targets."""


def expressions(text: str) -> list[str]:
    """The expressions of a block: one on each line that is not indented."""
    found: list[str] = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            if line.startswith((" ", ")", "}")) and found:
                found[-1] += "\n" + line
            else:
                found.append(line)
    return found


def faults(expression: str) -> list[str]:
    """What is wrong with an expression: its grammar, names, labels, joins."""
    promql_parser.parse(expression)
    linter = Linter.of(RECORDING_RULES)
    linter.check(expression)
    return [fault for fault in linter.faults if not USER_LABELS.search(fault)]


def documents(block: Block) -> list[Any]:
    """What a block of YAML holds."""
    return list(yaml.safe_load_all(block.text))


def is_for_prometheus(block: Block) -> bool:
    """Whether it is a configuration of Prometheus, which scrapes the exporter or loads its rules."""
    of = documents(block)[0]
    if not isinstance(of, dict) or not {"scrape_configs", "rule_files"} & set(of):
        return False
    return "prometheus" in block.text.splitlines()[0] or "rule_files" in of or OWN_PORT in block.text


def only_lacks_files(said: str) -> bool:
    """Whether certificates and the like are all that is missing."""
    return all("No such file" in line for line in said.splitlines())


def refusal(web_config: Path) -> str:
    """What is wrong with a web configuration; "" when nothing is."""
    try:
        load_web_config(web_config)
    except ConfigError as error:
        return str(error)
    return ""


def own_keys() -> set[str]:
    """The keys of the exporter's configuration file."""
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: said.extend(map(str, words)))
        main(["config", "schema"], {})
    return set(json.loads("\n".join(said))["properties"])


YAML = of_language("yaml", "yml")
OWN = [
    block
    for block in YAML
    if isinstance(documents(block)[0], dict) and set(documents(block)[0]) <= own_keys() and not is_for_prometheus(block)
]
WEB = [block for block in YAML if {"tls_server_config", "basic_auth_users"} & set(documents(block)[0])]
PROMETHEUS = [block for block in YAML if is_for_prometheus(block)]


@pytest.mark.parametrize("block", of_language("promql"), ids=str)
def test_every_expression_asks_for_what_there_is(block: Block) -> None:
    for expression in expressions(block.text):
        assert faults(expression) == [], expression


@pytest.mark.parametrize("page", [README, CHINESE], ids=lambda page: page.name)
def test_every_question_of_the_readme_has_an_expression_that_works(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ") and "| `" in row and "pprof_" in row]
    asked = [found for row in rows for found in row.split("`")[1::2] if "pprof_" in found and not found.startswith("/")]
    assert len(asked) >= 11
    for expression in asked:
        assert faults(expression) == [], expression


@pytest.mark.parametrize("block", OWN, ids=str)
def test_the_exporter_reads_every_configuration_of_its_own(
    block: Block, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pprof-exporter.yml"
    file.write_text(block.text, encoding="utf-8")
    code = main(["config", "check", str(file)], {})
    said = capsys.readouterr()
    assert code == 0 or only_lacks_files(said.out + said.err), said


@pytest.mark.parametrize("block", WEB, ids=str)
def test_every_web_configuration_lacks_nothing_but_its_certificates(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text(block.text, encoding="utf-8")
    said = refusal(file)
    assert said == "" or only_lacks_files(said), said


@pytest.mark.lab
@pytest.mark.parametrize("block", PROMETHEUS, ids=str)
def test_prometheus_reads_every_configuration_of_its_own(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(block.text, encoding="utf-8")
    command = [str(promtool()), "check", "config", "--syntax-only", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_block_of_json_is_json() -> None:
    for block in of_language("json"):
        json.loads(block.text)


def test_there_are_snippets_of_each_sort() -> None:
    assert OWN
    assert WEB
    assert PROMETHEUS
