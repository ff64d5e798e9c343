"""The Chinese README keeps step with the English one: the same chapters, commands, settings, questions and links."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import CHINESE, README, blocks, commands, headings, links, prose, simple


def levels(page: Path) -> list[int]:
    return [level for level, _ in headings(page)]


def words(page: Path) -> list[list[str]]:
    """Every command, without its comments."""
    shown = [block for block in blocks(page) if block.language == "console"]
    return [words for block in shown for command in commands(block) for words in simple(command)]


def settings(page: Path) -> list[object]:
    return [yaml.safe_load(block.text) for block in blocks(page) if block.language == "yaml"]


def expressions(page: Path) -> list[str]:
    rows = [row for row in prose(page).splitlines() if row.startswith("|")]
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row)]


def addresses(page: Path) -> set[str]:
    return set(links(page)) - {README.name, CHINESE.name}


@pytest.mark.parametrize("part", [levels, words, settings, expressions, addresses], ids=lambda part: part.__name__)
def test_both_have_the_same(part: Callable[[Path], object]) -> None:
    assert part(CHINESE) == part(README)


def test_each_leads_to_the_other() -> None:
    assert CHINESE.name in links(README)
    assert README.name in links(CHINESE)
