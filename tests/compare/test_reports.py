"""Every form of a report says the same, and nothing that comes from outside is more than text in it."""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from pprof_exporter.capture.reader import Capture, ReplayedTarget
from pprof_exporter.compare.captures import compare_captures, flames_of
from pprof_exporter.compare.flames import Frame, difference_tree
from pprof_exporter.compare.report import ChangeVerdict, ComparisonReport
from pprof_exporter.compare.report_html import report_html
from pprof_exporter.compare.report_json import report_json
from pprof_exporter.compare.report_markdown import report_markdown
from pprof_exporter.compare.report_text import print_report
from pprof_exporter.escaping import terminal_text
from pprof_exporter.health import audit
from pprof_exporter.profile import current_name, read_trace
from tests.compare.made import BEFORE, recorded
from tests.recorded import RECORDINGS

WINDOWS = RECORDINGS / "windows-go1.27.3"
EVIL = "<script>alert(1)</script>\x1b[31m\x9b\u202e\u200b\ufeff|`**[x](javascript:1)\"'&\n# h"


def with_profiles(target: ReplayedTarget, cpu: str) -> ReplayedTarget:
    ticks = audit(read_trace((WINDOWS / "burn2.trace").read_bytes()), period=0.01, windows=True)
    files = {"cpu": WINDOWS / cpu, "heap": WINDOWS / "heap.pb.gz", "goroutine": WINDOWS / "goroutine.pb.gz"}
    return replace(target, rounds=tuple(replace(round_, audit=ticks, files=files) for round_ in target.rounds))


def sides(name: str = "shop:6060") -> tuple[Capture, Capture]:
    slow = {"fetch_duration_seconds:heap": 0.4, EVIL: 3.0}
    shares = {"cpu": {"main.burnPlain": 0.2, EVIL: 0.55, "runtime.memmove": 0.25}}
    before = with_profiles(recorded(10, name=name, signals={EVIL: 1.0}), "cpu_burn1.pb.gz")
    after = with_profiles(
        recorded(10, name=name, seed=2, signals=slow, shares=shares, fingerprint=replace(BEFORE, go=EVIL), go=EVIL),
        "cpu_deep.pb.gz",
    )
    return Capture(Path("before"), (before,)), Capture(Path("after"), (after,))


@pytest.fixture(scope="module")
def report() -> ComparisonReport:
    return compare_captures(*sides(EVIL))


@pytest.fixture(scope="module")
def page(report: ComparisonReport) -> str:
    return report_html(report, flames_of(*sides(EVIL)))


def text_of(report: ComparisonReport, width: int) -> str:
    written = io.StringIO()
    print_report(report, Console(file=written, width=width, highlight=False))
    return written.getvalue()


class Tags(HTMLParser):
    """Every element of a page, and whether all are closed in order."""

    VOID = frozenset({"meta", "br", "rect", "line"})
    IMPLIED = frozenset({"th", "p", "li"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID | self.IMPLIED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID | self.IMPLIED:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(page: str) -> None:
    tags = Tags(page)
    assert tags.open == []
    names = {tag for tag, _ in tags.found}
    assert not names & {"link", "img", "iframe", "object", "embed", "base", "form", "a", "font"}
    for _, attributes in tags.found:
        assert not set(attributes) & {"src", "href", "xlink:href", "srcset", "action", "onclick", "onload"}
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "http" not in page.replace("http-equiv", "").replace("net/http", "")


def test_only_the_one_script_may_run(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 1
    digest = b64encode(sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_the_page_shows_what_the_issue_asks_for(page: str) -> None:
    tags = Tags(page)
    labels = [attributes.get("aria-label") or "" for _, attributes in tags.found]
    assert any(label.startswith("10 rounds before and 10 after") for label in labels), "latency strips"
    assert any(label.startswith("Intervals between ticks") for label in labels), "histogram of intervals"
    assert any(label.startswith("Flame graph of cpu") for label in labels), "difference of flame graphs"
    titles = " ".join(attributes.get("title") or "" for _, attributes in tags.found)
    assert "main.burnInlined: 0.0 % before" not in titles
    assert re.search(r"main\.burnInlined: [\d.]+ % before, [\d.]+ % after", titles)
    assert "viewport" in page
    assert "prefers-color-scheme: dark" in page


def test_names_from_outside_are_text_in_html(page: str) -> None:
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_names_from_outside_are_text_in_markdown(report: ComparisonReport) -> None:
    rendered = MarkdownIt("commonmark").enable("table").render(report_markdown(report))
    assert "<script" not in rendered
    assert "<a " not in rendered
    assert "<h1>" not in rendered
    tables = re.findall(r"<tr>(.*?)</tr>", rendered, re.DOTALL)
    assert {len(re.findall("<t[dh]", row)) for row in tables} == {6, 7}


@pytest.mark.parametrize("width", [40, 80, 160])
def test_names_from_outside_do_not_reach_the_terminal_raw(report: ComparisonReport, width: int) -> None:
    shown = text_of(report, width)
    assert "\x1b[31m" not in shown
    assert "\\x1b" in shown
    assert max(map(len, shown.splitlines())) <= width


def test_no_form_shows_a_person_what_has_no_shape(report: ComparisonReport, page: str) -> None:
    for form in (page, report_markdown(report), report_json(report), text_of(report, 160)):
        assert {character for character in form if terminal_text(character) != character} <= {"\t", "\n"}


def test_every_form_names_what_is_worse(report: ComparisonReport, page: str) -> None:
    worse = [signal.signal for signal in report.signals if signal.verdict is ChangeVerdict.WORSE]
    assert worse == ["fetch_duration_seconds:heap"]
    assert "1 of 12 signals is worse" in page
    assert "1 of 12 signals is worse" in report_markdown(report)
    for form in (page, report_markdown(report), text_of(report, 160), text_of(report, 60).replace("\n", "")):
        assert worse[0] in form


def test_json_has_everything_and_is_json(report: ComparisonReport) -> None:
    found = json.loads(report_json(report))
    assert (found["format"], found["version"]) == ("pprof-exporter comparison", 1)
    assert found["verdict"] == "worse"
    (pair,) = found["pairs"]
    assert len(pair["signals"]) == len(report.pairs[0].signals)
    heap = next(signal for signal in pair["signals"] if signal["signal"] == "fetch_duration_seconds:heap")
    assert heap["verdict"] == "worse"
    assert len(heap["before"]["values"]) == 10
    assert heap["ratio"]["low"] < heap["ratio"]["value"] < heap["ratio"]["high"]
    assert pair["replaced"][0]["change"] == "go"
    assert pair["tick_intervals_seconds"]["after"]


def test_what_json_cannot_write_is_null() -> None:
    broken = {"latency_difference_seconds:modules": float("inf")}
    report = compare_captures(
        Capture(Path("b"), (recorded(6),)), Capture(Path("a"), (recorded(6, seed=2, signals=broken),))
    )
    found = json.loads(report_json(report))
    signals = {signal["signal"]: signal for signal in found["pairs"][0]["signals"]}
    assert signals["latency_difference_seconds:modules"]["after"]["median"] is None


def test_a_tree_of_calls_adds_up_on_both_sides() -> None:
    tree = difference_tree("cpu", [WINDOWS / "cpu_burn1.pb.gz"] * 2, [WINDOWS / "cpu_deep.pb.gz"])
    assert tree is not None
    assert tree.before == pytest.approx(1)
    assert tree.after == pytest.approx(1)

    def check(frame: Frame) -> None:
        assert sum(child.before for child in frame.callees.values()) <= frame.before + 1e-9
        assert sum(child.after for child in frame.callees.values()) <= frame.after + 1e-9
        for child in frame.callees.values():
            check(child)

    check(tree)
    flat = names(tree)
    assert flat["main.descend"].before == 0
    assert flat["main.descend"].after > 0.5


def test_a_function_that_go_moved_is_one_frame() -> None:
    files = [RECORDINGS / f"linux-go{version}" / "cpu_contended.pb.gz" for version in ("1.21.13", "1.27.3")]
    tree = difference_tree("cpu", files[:1], files[1:])
    assert tree is not None
    assert all(name == current_name(name) for name in names(tree))
    calls = [frame for frame in frames(tree) if frame.name == "internal/runtime/syscall/linux.Syscall6"]
    assert any(frame.before > 0 and frame.after > 0 for frame in calls)


def frames(frame: Frame) -> list[Frame]:
    return [frame, *(one for child in frame.callees.values() for one in frames(child))]


def names(frame: Frame) -> dict[str, Frame]:
    found = {frame.name: frame}
    for child in frame.callees.values():
        found = names(child) | found
    return found


def test_files_that_cannot_be_read_are_passed_over() -> None:
    good = WINDOWS / "cpu_burn1.pb.gz"
    assert difference_tree("cpu", [good, WINDOWS / "nowhere"], [good, WINDOWS / "index.html"]) is not None
    assert difference_tree("cpu", [good], [WINDOWS / "nowhere"]) is None


def test_an_empty_report_can_be_written() -> None:
    nothing = compare_captures(Capture(Path("b"), (recorded(0),)), Capture(Path("a"), (recorded(0),)))
    for form in (report_html(nothing), report_markdown(nothing), text_of(nothing, 80), report_json(nothing)):
        assert "shop:6060" in form
