"""`config check` says what a file comes to, or what is wrong with it and where; `config schema` is for editors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pprof_exporter.cli import main

GOOD = """\
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: [shop-1:6060, shop-2:6060]
    file_sd_configs:
      - files: [absent.json]
"""


def write(folder: Path, text: str) -> str:
    path = folder / "config.yaml"
    path.write_text(text)
    return str(path)


def test_a_good_file_is_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, GOOD)

    assert main(["config", "check", path]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{path}: valid: 1 job, 2 static targets, 1 discovery source"
    assert said[1] == f"{path}: warning: shop: no file matches 'absent.json'"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD + "    relabel_config: []\n", 7, "relabel_config: unknown key; did you mean 'relabel_configs'?"),
        (GOOD + "    relabel_configs:\n      - {regex: '('}\n", 8, "is not a regular expression"),
        (GOOD + "    relabel_configs:\n      - action: hashmod\n", 8, "needs a target_label"),
        (GOOD.replace("[absent.json]", "[absent.txt]"), 6, "must end in .json"),
        (GOOD + "    dns_sd_configs:\n      - names: [a]\n        type: A\n", 8, "records of type A have no port"),
        (GOOD + "    http_sd_configs:\n      - url: 'ftp://x'\n", 8, "write http://HOST/PATH"),
        (GOOD + "    job_name: again\n", 7, "the key 'job_name' occurs twice"),
        (GOOD + "    profiles: {cpu: {windw: 1s}}\n", 7, "did you mean 'window'?"),
        (GOOD + "    : :", 7, ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, says: str
) -> None:
    path = write(tmp_path, text)

    assert main(["config", "check", path]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{path}:{line}: ")
    assert says in said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("scrape_configs: [{job_name: shop}]", "no targets"),
        (
            (
                "scrape_configs: [{job_name: a, static_configs: [{targets: [x:1]}], "
                "relabel_configs: [{action: drop, source_labels: [job], regex: a}]}]"
            ),
            "drop every static target",
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    assert main(["config", "check", write(tmp_path, text)]) == 0
    assert says in capsys.readouterr().out


def test_several_files_are_checked_and_one_bad_one_is_enough(tmp_path: Path) -> None:
    good = write(tmp_path, GOOD)

    assert main(["config", "check", good, str(tmp_path / "absent.yaml")]) == 1


def test_the_schema_knows_every_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)

    assert set(schema["properties"]) == {
        "evidence",
        "global",
        "limits",
        "modules",
        "probe",
        "profiles",
        "scrape_configs",
    }
    assert schema["additionalProperties"] is False
    assert "relabel_configs" in schema["$defs"]["ScrapeConfig"]["properties"]


@pytest.mark.parametrize("arguments", [["config"], ["config", "chek"], ["config", "check"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: pprof-exporter config" in capsys.readouterr().err
