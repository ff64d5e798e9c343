"""The site: built without a warning, every page in it and reachable, nothing loaded from elsewhere."""

from __future__ import annotations

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, name
from tests.lab import PROJECT

ELSEWHERE = re.compile(r"""url\(["']?(?:https?:)?//[^)]*\)|@import[^;]*""")
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


class Html(HTMLParser):
    """What a page leads to, what it loads, and what can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if value is None:
                continue
            if key == "id":
                self.ids.add(value)
            elif (tag, key) in LOADS:
                self.loads.append(value)
            elif (tag, key) == ("a", "href"):
                self.links.append(value)


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site_build", PROJECT / "docs" / "site" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(builder: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning fails every test."""
    out = tmp_path_factory.mktemp("site")
    builder.build(out, tmp_path_factory.mktemp("work"))
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Html]:
    return {page: Html(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}


def test_every_page_of_the_project_is_on_the_site(builder: ModuleType, site: Path) -> None:
    placed = builder.pages()
    assert [name(page) for page in PAGES if page not in placed] == []
    assert [page for page in placed.values() if not (site / f"{page}.html").is_file()] == []


def test_every_page_is_reached_from_the_start(site: Path, pages: dict[Path, Html]) -> None:
    reached, left = set[Path](), {site / "index.html"}
    while left:
        page = left.pop()
        reached.add(page)
        left |= {target for link in pages[page].links if (target := _target(page, link)) in pages} - reached
    assert {page.relative_to(site).as_posix() for page in set(pages) - reached} <= {"genindex.html", "search.html"}


def test_every_link_leads_to_a_file_and_a_heading(site: Path, pages: dict[Path, Html]) -> None:
    broken = []
    for page, html in pages.items():
        for link in html.links:
            target = _target(page, link)
            anchor = unquote(link.partition("#")[2])
            if target is None:
                continue
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Html]) -> None:
    assert [load for html in pages.values() for load in html.loads if "//" in load] == []
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    assert styles
    assert [found for style in styles for found in ELSEWHERE.findall(style)] == []


def test_a_link_to_what_does_not_exist_is_an_error(builder: ModuleType, tmp_path: Path) -> None:
    page = PROJECT / "README.md"
    with pytest.raises(builder.BrokenLink, match=r"nowhere\.md"):
        builder._place(page, "nowhere.md", "index", builder.pages(), tmp_path)


def _target(page: Path, link: str) -> Path | None:
    """The file on the site that a link leads to; None if it leads elsewhere."""
    if "://" in link or link.startswith("mailto:"):
        return None
    file = unquote(link.partition("#")[0].partition("?")[0])
    return (page.parent / file).resolve() if file else page
