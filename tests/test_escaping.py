"""Text from outside: no medium shows what has no shape, and every medium's own reader understands what it gets."""

from __future__ import annotations

import ast
import json
import re
import sys
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families

from pprof_exporter import escaping
from pprof_exporter.catalog import exporter
from pprof_exporter.exposition.lines import TextLines
from tests.lab import PROJECT

PACKAGE = PROJECT / "exporter" / "pprof_exporter"

TRAPS = (
    "\x00\x07\t\n\r\x1b\x7f\x80\x85\x9b\xad\u061c\u180e\u200b\u200e\u2028\u2029"
    "\u202e\u2066\ufeff\ufffe\U000e0001\ud800\udfff"
)
MARKS = "<>&'\"`|\\*_[](){}#%:,=!~$@;/ ?"
ANY = st.text(st.sampled_from(TRAPS) | st.sampled_from(MARKS) | st.characters(), max_size=30)
VISIBLE_FORMATS = frozenset("\u06dd\u070f\u08e2\U000110bd\U000110cd") | {
    *map(chr, range(0x600, 0x606)),
    *map(chr, range(0x890, 0x892)),
    *map(chr, range(0x13430, 0x13440)),
}
"""Format characters that are drawn: signs before numbers in Arabic, Syriac and Kaithi, joints of hieroglyphs."""

WITHOUT_LINES: dict[str, Callable[[str], str]] = {
    "terminal cell": escaping.terminal_text,
    "logfmt": lambda text: escaping.logfmt_line({text: text, "x": text}),
    "JSON": escaping.json_text,
    "JSON of logs": escaping.json_line,
    "Markdown": escaping.markdown_text,
    "Markdown code": escaping.markdown_code,
    "Markdown link": lambda text: escaping.markdown_link(text, text),
    "workflow line": escaping.workflow_line,
    "URL part": escaping.url_part,
    "URL query": lambda text: escaping.url_query({"a": text}),
}
WITH_LINES: dict[str, Callable[[str], str]] = {
    "workflow message": escaping.workflow_message,
    "workflow property": escaping.workflow_property,
    "terminal lines": escaping.terminal_lines,
    "HTML": escaping.html_text,
    "XML": escaping.xml_text,
    "label": escaping.label_text,
}


def is_trap(character: str) -> bool:
    """Whether a character is a control, half a character, or a format that is not drawn."""
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Zl", "Zp") or (category == "Cf" and character not in VISIBLE_FORMATS)


def test_every_character_without_shape_is_escaped_and_no_other() -> None:
    every = list(map(chr, range(sys.maxunicode + 1)))
    missed = [character for character in every if is_trap(character) and escaping.terminal_text(character) == character]
    assert missed == []
    touched = [character for character in every if escaping.terminal_text(character) != character]
    unassigned = {character for character in touched if unicodedata.category(character) == "Cn"}
    assert [character for character in touched if not is_trap(character) and character not in unassigned] == []


@pytest.mark.parametrize("medium", [*WITHOUT_LINES, *WITH_LINES])
@given(text=ANY)
@example(text=TRAPS)
def test_nothing_without_shape_leaves(medium: str, text: str) -> None:
    written = {**WITHOUT_LINES, **WITH_LINES}[medium](text)
    found = {character for character in written if is_trap(character)}
    assert found <= (set() if medium in WITHOUT_LINES else {"\t", "\n"})
    written.encode()


@given(text=ANY)
@example(text=TRAPS)
def test_json_is_read_as_it_was_but_for_halves_of_characters(text: str) -> None:
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert json.loads(escaping.json_text({"a": text})) == {"a": whole}
    assert json.loads(escaping.json_line({"a": whole})) == {"a": whole}


def test_json_has_no_infinity() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        escaping.json_text(float("inf"))


LOGFMT = re.compile(r'([^ ="]*)=("(?:[^"\\]|\\.)*"|[^ "=]*)(?: |$)')


@given(fields=st.dictionaries(st.from_regex(r"\A[a-z_]{1,9}\Z"), st.none() | st.booleans() | ANY, max_size=4))
def test_logfmt_is_read_as_it_was(fields: dict[str, object]) -> None:
    """Read as github.com/go-logfmt/logfmt v0.6.0 reads it (decode.go, jsonstring.go `unquoteBytes`)."""
    line = escaping.logfmt_line(fields)
    assert "".join(found[0] for found in LOGFMT.finditer(line)) == line
    read = {found[1]: found[2] for found in LOGFMT.finditer(line)}
    assert {name: json.loads(value) if value.startswith('"') else value for name, value in read.items()} == {
        name: "null"
        if value is None
        else re.sub("[\ud800-\udfff]", "\ufffd", str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in fields.items()
    }


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"a": ""}, "a="),
        ({"a": None}, "a=null"),
        ({"a": "null"}, 'a="null"'),
        ({"a": "x=y"}, 'a="x=y"'),
        ({"a": 'say "no"'}, r'a="say \"no\""'),
        ({"a": "C:\\x"}, r"a=C:\x"),
        ({"a": "C:\\my files"}, r'a="C:\\my files"'),
        ({"a": "\ufffd"}, 'a="\ufffd"'),
        ({"a": "x\x7fy"}, r'a="x\u007fy"'),
        ({'a b="c': 1}, "abc=1"),
    ],
)
def test_logfmt_is_as_go_writes_it(fields: dict[str, object], line: str) -> None:
    """Cases of github.com/go-logfmt/logfmt v0.6.0, encode_test.go."""
    assert escaping.logfmt_line(fields) == line


class Elements(HTMLParser):
    """The tags of a page, and the text and attributes within them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(text=ANY)
def test_html_holds_text_and_attributes_as_they_are_shown(text: str) -> None:
    parser = Elements()
    parser.feed(f'<p title="{escaping.html_text(text)}">{escaping.html_text(text)}</p>')
    parser.close()
    shown = escaping.terminal_lines(text)
    assert (parser.tags, parser.attributes, parser.text) == (["p"], [("title", shown)], shown)


@given(text=ANY)
def test_xml_is_well_formed(text: str) -> None:
    element = ET.Element("a", b=escaping.xml_text(text))
    element.text = escaping.xml_text(text)
    read = ET.fromstring(ET.tostring(element, encoding="unicode"))  # noqa: S314 - written a line above
    assert (read.text or "", read.get("b")) == (element.text, element.get("b"))


@given(text=ANY)
@example(text="1. <b>&amp;</b> | `x` [a](b) ![c](d) @me #1")
def test_markdown_shows_the_text_and_no_markup(text: str) -> None:
    table = f"| a |\n| --- |\n| x{escaping.markdown_text(text)} |\n"
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(table)
    parser = Elements()
    parser.feed(html)
    parser.close()
    assert parser.tags == ["table", "thead", "tr", "th", "tbody", "tr", "td"]


@given(text=ANY)
def test_code_in_markdown_stays_code(text: str) -> None:
    html = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render(f"| a |\n| --- |\n| {escaping.markdown_code(text)} |\n")
    )
    parser = Elements()
    parser.feed(html)
    parser.close()
    assert parser.tags == ["table", "thead", "tr", "th", "tbody", "tr", "td", "code"]


@given(text=ANY)
def test_a_link_in_markdown_leads_to_its_address(text: str) -> None:
    html = MarkdownIt("commonmark", {"html": True}).render(
        escaping.markdown_link(text or "x", f"https://wiki.example/{text}")
    )
    parser = Elements()
    parser.feed(html)
    parser.close()
    assert parser.tags == ["p", "a"]


@given(text=ANY)
def test_a_workflow_command_has_one_title_and_one_message(text: str) -> None:
    """Read as actions/toolkit writes it and actions/runner (ActionCommand.cs) reads it."""
    line = f"::error title={escaping.workflow_property(text)}::{escaping.workflow_message(text)}"
    assert len(line.splitlines()) == 1
    found = re.fullmatch(r"::error title=([^:,]*)::(.*)", line)
    assert found is not None
    escapes = {"%3A": ":", "%2C": ",", "%0D": "\r", "%0A": "\n", "%25": "%"}
    read = [re.sub("%(3A|2C|0D|0A|25)", lambda one: escapes[one[0]], part) for part in found.groups()]
    assert read == [escaping.terminal_lines(text)] * 2


@given(text=ANY)
@example(text="::error::pwn")
@example(text=" ##[error]pwn")
@example(text=":::error::pwn")
def test_a_line_of_a_workflow_is_no_command(text: str) -> None:
    line = escaping.workflow_line(text)
    assert "::" not in line
    assert "##[" not in line


@given(text=ANY)
def test_a_label_is_read_as_it_is_shown(text: str) -> None:
    lines = TextLines()
    lines.add(exporter.TARGETS, {"a": text}, 1)
    (written,) = lines.texts().values()
    (family,) = text_string_to_metric_families(written.decode())
    assert family.samples[0].labels == {"a": escaping.label_text(text)}


@given(text=st.text(max_size=20))
def test_a_url_has_the_text(text: str) -> None:
    whole = re.sub("[\ud800-\udfff]", "?", text)
    assert unquote(escaping.url_part(text)) == whole
    assert parse_qs(escaping.url_query({"a": text}), keep_blank_values=True) == {"a": [whole]}


ONLY_IN: dict[str, frozenset[str]] = {
    "json.dumps": frozenset({"escaping.py", "dashboards/render.py"}),
    "html.escape": frozenset({"escaping.py"}),
    # A URL that comes in is read as Go reads it, which escapes what is not.
    "urllib.parse.quote": frozenset({"escaping.py", "inputs/url_characters.py"}),
    "urllib.parse.quote_plus": frozenset({"scrape/client/oauth2.py"}),
    "urllib.parse.urlencode": frozenset({"escaping.py", "scrape/client/oauth2.py"}),
    "print": frozenset({"cli/output.py", "healthcheck.py"}),
    "sys.stdout.write": frozenset(),
    "sys.stderr.write": frozenset(),
    "dump_json": frozenset(),
    "web.Response": frozenset(
        {"web/replies.py", "web/metrics_handler.py", "web/probe_handler.py", "web/evidence_routes.py", "demo/replay.py"}
    ),
}
"""Where text may leave: the functions of the media, and replies of bytes that others have encoded.

dashboards/render.py writes our own texts only, oauth2.py what a token server wants, demo/replay.py recordings.
"""


def calls(file: Path) -> set[str]:
    """The whole names of all that a module calls."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {names.get(name, name) for name in called} | {name.rpartition(".")[2] for name in called}


@pytest.mark.parametrize("function", ONLY_IN)
def test_text_leaves_through_the_functions_of_its_medium(function: str) -> None:
    files = {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if function in calls(file)}
    if function == "print":
        files = {
            name for name in files if re.search(r"(?<![.\w])print\(", (PACKAGE / name).read_text(encoding="utf-8"))
        }
    assert files == ONLY_IN[function]
