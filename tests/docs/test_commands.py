"""Commands of the documentation: those that only read and write files run, the words of the others are read."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pprof_exporter.cli.main import main
from tests.docs.pages import Block, commands, name, of_language, simple
from tests.lab import PROJECT

RUNS = ("inspect", "rules", "dashboards", "config")
"""Our commands that end by themselves and ask nobody else: these run."""
OURS = re.compile(r"(?:.*[/\\])?pprof-exporter(?:\.exe)?")
PROFILES = {"cpu": "cpu_burn2.pb.gz", "heap": "heap_retained.pb.gz", "goroutine": "goroutine_leaks.pb.gz"}
"""What stands in for the profiles that commands name, by how the name begins."""
CONFIG = "scrape_configs: [{job_name: shop, static_configs: [{targets: [shop:6060]}]}]\n"


class Read(Exception):
    """The words of a command were read, and make sense."""


def ours() -> Iterator[tuple[str, list[str]]]:
    """Each command of ours in a block, with where it stands."""
    for block in of_language("console", "powershell"):
        # PowerShell has other quotes, but none of them in commands of ours.
        lines = commands(block) if block.language == "console" else block.text.replace("\\", "/").splitlines()
        for line in lines:
            yield from ((str(block), words) for words in simple(line) if words[1:] and OURS.fullmatch(words[0]))


OUR_COMMANDS = list(ours())
BENCHMARKS = [
    (str(block), words)
    for block in of_language("console")
    for command in commands(block)
    for words in simple(command)
    if any(word.startswith("benchmarks.") for word in words)
]


@pytest.fixture
def place(tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with the files that commands name."""
    for kind, file in PROFILES.items():
        shutil.copyfile(recordings / "linux-go1.27.3" / file, tmp_path / f"{kind}.pb.gz")
    (tmp_path / "rules").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("where", "words"), OUR_COMMANDS, ids=[where for where, _ in OUR_COMMANDS])
def test_a_command_of_ours_is_understood(where: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    parse = argparse.ArgumentParser.parse_args

    def read(self: argparse.ArgumentParser, *arguments: object) -> None:
        parse(self, *arguments)  # type: ignore[call-overload]  # whatever the command gives it
        raise Read

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", read)
    with pytest.raises(Read):
        main(words[1:], {})


@pytest.mark.parametrize(
    "words", [words for _, words in OUR_COMMANDS if words[1] in RUNS], ids=lambda words: " ".join(words[1:3])
)
def test_a_command_that_ends_by_itself_does_what_it_should(words: list[str], place: Path) -> None:
    for word in words[3:] if words[1:3] == ["config", "check"] else []:
        (place / word).write_text(CONFIG)
    assert main(words[1:], {}) == 0


def test_the_pages_have_commands_of_ours_to_try() -> None:
    assert {words[1] for _, words in OUR_COMMANDS} >= {"localhost:6060", "inspect", "rules", "dashboards", "config"}


@pytest.mark.parametrize(("where", "words"), BENCHMARKS, ids=[" ".join(words[2:3]) for _, words in BENCHMARKS])
def test_a_benchmark_that_a_page_names_exists(where: str, words: list[str]) -> None:
    module = next(word for word in words if word.startswith("benchmarks."))
    path = PROJECT.joinpath(*module.split("."))
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize("block", of_language("console"), ids=str)
def test_what_make_is_asked_for_is_in_the_makefile(block: Block) -> None:
    goals = re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    typed = [*commands(block), *commands(block, "# ")]
    asked = [words[1] for command in typed for words in simple(command) if words[:1] == ["make"]]
    assert [goal for goal in asked if goal not in goals] == [], name(block.page)
