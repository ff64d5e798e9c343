"""The documentation is true: generated pages are those of the code, links lead somewhere, flags exist."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from pprof_exporter.catalog import FAMILIES
from pprof_exporter.cli.options import Parser, add_serve_flags
from tests.lab import PROJECT

PAGES = [PROJECT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")]
PAGES += sorted((PROJECT / "docs").glob("*.md"))
OTHERS = {
    "--list-thresholds",
    "--pairs",
    "--live",
    "--pace",
    "--format",
    "--set",
    "--runbook-url",
    "--output",
    "--time-scale",
    "--fail-on",
    "--rounds",
    "--every",
    "--label",
    "--matrix",
    "--from",
    "--target",
    "--stable",
    "--canary",
    "--keep",
    "--html",
    "--repetitions",
    "--retry",
    "--retry-delay",
    "--retry-connrefused",
}
"""Flags of the commands other than the exporter itself."""


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", PROJECT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date(generator: ModuleType) -> None:
    for path, text in generator.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_to_a_file_and_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_metric_that_a_page_names_exists(page: Path) -> None:
    names = {family.name for family in FAMILIES}
    for found in re.findall(r"\bpprof_[a-z_]+", page.read_text(encoding="utf-8")):
        bare = re.sub(r"_(bucket|count|sum)$", "", found)
        assert bare in names or bare == "pprof_exporter", found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_that_a_page_names_exists(page: Path) -> None:
    parser = Parser(environ={})
    add_serve_flags(parser)
    known = {flag for action in parser._actions for flag in action.option_strings} | OTHERS
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z.-]+", page.read_text(encoding="utf-8")):
        assert flag in known, flag
