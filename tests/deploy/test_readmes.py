"""What the pages of deploy/ lead to is there, and every way to deploy is on the first of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab import PROJECT

FOLDER = PROJECT / "deploy"
PAGES = sorted(FOLDER.rglob("README.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_links_lead_to_a_file_or_a_heading(page: Path) -> None:
    text = page.read_text()
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    for link in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = link.partition("#")
        assert "://" in link or (anchor in headings if anchor and not file else (page.parent / file).exists()), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_files_that_commands_name_are_there(page: Path) -> None:
    for path in re.findall(r"(?<![\w/.])deploy/[\w./-]+", page.read_text()):
        assert (PROJECT / path.rstrip(".")).exists(), path


def test_the_index_speaks_of_every_way() -> None:
    text = (FOLDER / "README.md").read_text()
    ways = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {way for way in ways if way not in text} == set()
