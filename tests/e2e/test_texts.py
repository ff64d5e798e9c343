"""Texts that come in files: what Prometheus makes of them, we make of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pprof_exporter.config import ConfigError, Settings
from pprof_exporter.config.file import load_config
from pprof_exporter.config.relabel import BadRule, Rule
from pprof_exporter.default_profiles import default_profiles
from pprof_exporter.scrape.discovery.groups import SourceError, parse_text
from tests.inputs.expressions import TABLE
from tests.lab import PATIENCE, prometheus

SCALARS = (
    *(
        "1.10",
        "true",
        "yes",
        "Off",
        "007",
        "0x1F",
        "0b11",
        "0o7",
        "20261128",
        "2024-02-30",
        "1e3",
        ".inf",
        "1:30",
        "1_000",
    ),
    *(
        "-0",
        "+1",
        "=",
        "9" * 50,
        "2024-01-01T00:00:00Z",
        "y",
        "NULL",
        "Null",
        "~",
        "''",
        "'~'",
        "!!str 5",
        "!!str ~",
        "a#b",
    ),
)
"""What a label can be, in YAML."""


def label_values(written: tuple[str, ...]) -> str:
    """A mapping of labels in YAML: l0, l1 and so on."""
    return "".join(f"          l{number}: {scalar}\n" for number, scalar in enumerate(written))


def test_labels_are_the_text_that_prometheus_takes_them_for(tmp_path: Path) -> None:
    groups = tmp_path / "groups.yml"
    groups.write_text(f"- targets: [h:1]\n  labels:\n{label_values(SCALARS)}", encoding="utf-8")
    static = (
        "scrape_configs:\n  - job_name: static\n    static_configs:\n"
        f"      - targets: [h:1]\n        labels:\n{label_values(SCALARS)}"
    )
    file = f"  - job_name: file\n    file_sd_configs: [{{files: ['{groups}']}}]\n"
    with prometheus.running(static + file, "sid") as server:
        server.wait_for(lambda server: len(server.targets()) == 2)
        theirs = {target["labels"]["job"]: target["labels"] for target in server.targets()}

    ours = dict(configured(tmp_path, static.encode()).jobs[0].static[0].labels)
    listed = dict(parse_text("groups.yml", groups.read_text(encoding="utf-8"))[0].labels)

    for labels, job_name in ((ours, "static"), (listed, "file")):
        expected = {name: value for name, value in theirs[job_name].items() if name.startswith("l")}
        assert {name: value for name, value in labels.items() if value} == expected


def configured(folder: Path, data: bytes) -> Settings:
    """The settings of a configuration file."""
    file = folder / "config.yml"
    file.write_bytes(data)
    return load_config(file, Settings((), default_profiles()))


def taken_by_promtool(folder: Path, data: bytes) -> bool:
    """Whether promtool takes a configuration file."""
    file = folder / "prometheus.yml"
    file.write_bytes(data)
    command = [str(prometheus.promtool("sid")), "check", "config", str(file)]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False).returncode == 0


def taken_by_us(folder: Path, data: bytes) -> bool:
    """Whether we take it."""
    try:
        configured(folder, data)
    except ConfigError:
        return False
    return True


JOB = "scrape_configs:\n  - job_name: %s\n    static_configs: [{targets: [%s], labels: {%s}}]\n    %s\n"
FILES = {
    "job_name is a number": JOB % ("1", "h:1", "", ""),
    "job_name is a truth value": JOB % ("true", "h:1", "", ""),
    "job_name is null": JOB % ("~", "h:1", "", ""),
    "a target is a number": JOB % ("a", "6060", "", ""),
    "params": JOB % ("a", "h:1", "", "params: {node: [3, true, 1.10]}"),
    "basic_auth": JOB % ("a", "h:1", "", "basic_auth: {username: 1234, password: 5678}"),
    "authorization": JOB % ("a", "h:1", "", "authorization: {credentials: 1234}"),
    "http_headers": JOB % ("a", "h:1", "", "http_headers: {X-A: {values: [1]}}"),
    "regex and replacement": JOB % ("a", "h:1", "", "relabel_configs: [{regex: 1.5, target_label: b, replacement: 1}]"),
    "source_labels": JOB % ("a", "h:1", "", "relabel_configs: [{source_labels: [true], target_label: on}]"),
    "separator": JOB % ("a", "h:1", "", "relabel_configs: [{source_labels: [a], separator: 1, target_label: b}]"),
    "regex is null": JOB % ("a", "h:1", "", "relabel_configs: [{regex: ~, target_label: b}]"),
    "a date as replacement": JOB % ("a", "h:1", "", "relabel_configs: [{target_label: b, replacement: 2024-02-30}]"),
    "a label is a list": JOB % ("a", "h:1", "x: [1]", ""),
    "a label is a mapping": JOB % ("a", "h:1", "x: {}", ""),
    "a key of a label is a truth value": JOB % ("a", "h:1", "true: x", ""),
    "a label twice": JOB % ("a", "h:1", "x: 1, x: 2", ""),
    "a key twice": JOB % ("a", "h:1", "", "job_name: b"),
    "a truth value that is none": JOB % ("a", "h:1", "x: !!bool foo", ""),
    "an integer that is none": JOB % ("a", "h:1", "x: !!int foo", ""),
    "half a surrogate pair": JOB % ("a", "h:1", r'x: "\ud800"', ""),
    "no such character": JOB % ("a", "h:1", r'x: "\UFFFFFFFF"', ""),
    "an unknown alias": JOB % ("a", "h:1", "x: *a", ""),
    "an anchor that contains itself": JOB % ("a", "h:1", "x: &a [*a]", ""),
    "a merge": "scrape_configs:\n  - &a {job_name: a}\n  - {<<: *a, job_name: b}\n",
    "a merge of no mapping": "scrape_configs:\n  - {<<: 1, job_name: b}\n",
    "an alias": "scrape_configs:\n  - {job_name: &a x}\n  - {job_name: y, static_configs: [{targets: [*a]}]}\n",
    "nothing": "",
    "a comment": "# nothing\n",
    "tabs": "scrape_configs:\n\t- job_name: a\n",
    "control characters": "scrape_configs:\n  - job_name: \x07\n",
    "lines of Windows": (JOB % ("a", "h:1", "", "")).replace("\n", "\r\n"),
    "lines of old Macs": "scrape_configs:\r  - job_name: a\r",
    "one document with its marks": "---\nscrape_configs: []\n...\n",
    "a list": "- a\n",
    "a text": "a\n",
    "an unknown key": "scrape_confgs: []\n",
}


@pytest.mark.parametrize("name", FILES)
def test_what_promtool_takes_is_taken_and_what_it_refuses_is_refused(name: str, tmp_path: Path) -> None:
    data = FILES[name].encode()
    assert taken_by_us(tmp_path, data) == taken_by_promtool(tmp_path, data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_byte_order_are_taken_by_both(encoding: str, tmp_path: Path) -> None:
    data = (JOB % ("a", "h:1", "x: é", "")).encode(encoding)
    assert taken_by_us(tmp_path, data)
    assert taken_by_promtool(tmp_path, data)


STRICTER = {
    "a second document": "scrape_configs: []\n---\nx: 1\n",
    "a tag of nobody": JOB % ("a", "h:1", "x: !foo bar", ""),
}
"""What Prometheus takes and reads otherwise than it is written: the rest of the file, or of the text, is lost."""


@pytest.mark.parametrize("name", STRICTER)
def test_what_prometheus_loses_in_silence_is_refused(name: str, tmp_path: Path) -> None:
    data = STRICTER[name].encode()
    assert taken_by_promtool(tmp_path, data)
    assert not taken_by_us(tmp_path, data)


OWN_KEYS = "scrape_configs:\n  - &a {job_name: a, static_configs: [{targets: [h:1], labels: &l {x: 1}}]}\n  - "
LOOSER = {
    "a label of its own before a merge": OWN_KEYS
    + "{job_name: b, static_configs: [{targets: [h:2], labels: {x: 2, <<: *l}}]}",
    "a label of its own after a merge": OWN_KEYS
    + "{job_name: b, static_configs: [{targets: [h:2], labels: {<<: *l, x: 2}}]}",
    "a key of its own before a merge": OWN_KEYS + "{job_name: b, static_configs: [], <<: *a}",
}
"""What YAML allows (yaml.org/type/merge.html) and go-yaml takes for a key that occurs twice: keys of its own count."""


@pytest.mark.parametrize("name", LOOSER)
def test_keys_of_a_mapping_count_before_those_that_it_merges(name: str, tmp_path: Path) -> None:
    data = LOOSER[name].encode()
    assert taken_by_us(tmp_path, data)
    assert not taken_by_promtool(tmp_path, data)
    assert configured(tmp_path, data).jobs[1].name == "b"


def test_relabelling_expressions_are_taken_and_refused_as_by_promtool(tmp_path: Path) -> None:
    expressions = [regexp for regexp in TABLE if regexp != r"\p{Greek}"]
    ours, theirs = {}, {}
    for regexp in expressions:
        rule = f"relabel_configs: [{{regex: {json.dumps(regexp, ensure_ascii=False)}, target_label: b}}]"
        theirs[regexp] = taken_by_promtool(tmp_path, (JOB % ("a", "h:1", "", rule)).encode())
        try:
            Rule(regex=regexp, target_label="b")
            ours[regexp] = True
        except BadRule:
            ours[regexp] = False
    assert {regexp for regexp in expressions if ours[regexp] != theirs[regexp]} == set()


LABELS = '[{"targets": ["h:1"], "labels": {"x": %s}}]'
LISTS = {
    "a.json": (
        *(LABELS % value for value in ('"1"', "1", "true", "NaN", "[]", "null")),
        *("[]", "{}", "null", "", "[", '[{"targets": [1]}]', '[{"targets": ["h:1"], "x": 1}]', '[{"targets": null}]'),
        *('[{"labels": {"x": "1"}}]', "[null]", '"a"'),
    ),
    "a.yml": (
        *(f"- {{targets: [h:1], labels: {{x: {value}}}}}" for value in ("1.10", "~", "[1]", "!!bool foo", "{}")),
        *("- targets: [6060]\n", "", "[]", "{}", "a", "- a", "- {targets: h:1}", "- {targets: [h:1], x: 1}", "- ~"),
        *("- {targets: [h:1], targets: [h:2]}", "- {targets: ~}", "- {targets: [h:1], labels: ~}", "~"),
    ),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in LISTS.items() for text in texts])
def test_lists_of_targets_are_taken_and_refused_as_by_promtool(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    file = f"scrape_configs: [{{job_name: a, file_sd_configs: [{{files: [{name}]}}]}}]"
    try:
        parse_text(name, text)
        taken = True
    except SourceError:
        taken = False
    assert taken == taken_by_promtool(tmp_path, file.encode())
