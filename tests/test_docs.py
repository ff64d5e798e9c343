"""The documentation is true: generated pages are those of the code, links lead somewhere, names and flags exist."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pprof_exporter.catalog import FAMILIES
from pprof_exporter.cli.main import COMMANDS, main
from pprof_exporter.config.file import schema as config_schema
from pprof_exporter.rules import RECORDING_RULES
from pprof_exporter.web.webconfig import WebConfigFile
from tests.docs.pages import DOCS, PAGES, anchors, headings, links, name
from tests.lab import PROJECT

OTHERS = {
    *("--retry", "--retry-delay", "--retry-connrefused"),
    *("--spec", "--output-dir"),
    *("--minutes", "--repeat", "--busy-loops"),
    *("--times", "--cases", "--hours", "--rounds"),
}
"""Flags of other programs than the exporter: of curl, of pipx and cibuildwheel, and of commands of the tests."""


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", PROJECT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def flags() -> set[str]:
    """Every flag of every command of ours, of the benchmarks, and of the table of detection."""
    found: set[str] = set()
    add = argparse._ActionsContainer.add_argument

    def noted(self: argparse._ActionsContainer, *names: Any, **settings: Any) -> argparse.Action:
        action = add(self, *names, **settings)
        found.update(action.option_strings)
        return action

    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(argparse._ActionsContainer, "add_argument", noted)
        for command in ([], *([command] for command in COMMANDS)):
            with contextlib.suppress(SystemExit):
                main([*command, "--help"], {})
    for program in (*(PROJECT / "benchmarks").rglob("*.py"), PROJECT / "tests" / "detection" / "__main__.py"):
        found.update(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', program.read_text(encoding="utf-8")))
    return found


def test_generated_pages_are_up_to_date(generator: ModuleType) -> None:
    for path, text in generator.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_within_the_project_lead_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_headings_have_addresses_of_their_own(page: Path) -> None:
    if page.name != "CHANGELOG.md":
        assert len(anchors(page)) == len(headings(page))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_metric_and_every_recorded_series_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    records = {record.name for record in RECORDING_RULES}
    for found in re.findall(r"\b[a-z_]+:pprof_[a-z_]+:[a-z0-9_]+", text):
        assert found in records, found
    names = {family.name for family in FAMILIES}
    for found in re.findall(r"(?<![\w:])pprof_[a-z_]+", text):
        bare = re.sub(r"_(bucket|count|sum)$", "", found)
        assert bare in names or bare.rstrip("_") == "pprof_exporter", found


@pytest.mark.parametrize("page", DOCS, ids=name)
def test_every_flag_that_a_page_names_exists(page: Path, flags: set[str]) -> None:
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z.-]+", page.read_text(encoding="utf-8")):
        assert flag in flags | OTHERS, flag


def test_the_configuration_page_names_every_key() -> None:
    told = set(re.findall(r"`([a-z0-9_]+)`", (PROJECT / "docs" / "configuration.md").read_text(encoding="utf-8")))
    for schema in (config_schema(), WebConfigFile.model_json_schema()):
        sections = [schema, *schema["$defs"].values()]
        known = {key for section in sections for key in section.get("properties", {})}
        assert len(known) > 8
        assert known <= told, known - told
