r"""Text from outside on its way out: one function for each medium.

Names, labels, replies and paths come from others. A control character in them can drive the terminal of whoever reads
a log, a line break can forge a line, and a bidirectional mark can show a word as another one (CVE-2021-42574). So what
has no shape of its own is written as Go's `strconv.Quote` writes it: ESC as `\x1b`, a right-to-left override as
`\u202e`. What has a shape stays as it is, in every script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

# Categories Cc, Cs, Zl and Zp, and of Cf and of the unassigned all that Unicode says to draw as nothing
# (Default_Ignorable_Code_Point), or that says what is drawn where (Bidi_Control, interlinear annotations).
# Variation selectors and Hangul fillers change what stands beside them, and are no trap in any medium.
_SHAPELESS = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f\ud800-\udfff"
)
_ANY = re.compile(f"[{_SHAPELESS}]")
_BUT_TABS_AND_LINES = re.compile(f"(?![\t\n])[{_SHAPELESS}]")
_IN_JSON = re.compile(f"(?![\x00-\x1f])[{_SHAPELESS}]")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
# What would end a value without quotes (github.com/go-logfmt/logfmt v0.6.0, encode.go, `needsQuotedValueRune`).
_NEEDS_QUOTES = re.compile(f'[ ="\ufffd{_SHAPELESS}]')
_NO_KEY = re.compile(f'[ ="\ufffd{_SHAPELESS}]+')
_NOT_IN_LINK = re.compile(f"[ <>\\\\|{_SHAPELESS}]")
# ASCII punctuation with a meaning in CommonMark, in the tables and mentions of GitHub and GitLab, or in HTML.
_IN_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~!$@&])")


def terminal_text(text: str) -> str:
    """One line of a terminal, or a cell of a table: what has no shape is written as an escape."""
    return _ANY.sub(_written, text)


def terminal_lines(text: str) -> str:
    """Lines of a terminal that were put together here: as `terminal_text`, but tabs and line ends stay."""
    return _BUT_TABS_AND_LINES.sub(_written, text)


def logfmt_line(fields: Mapping[str, object]) -> str:
    """One line of logfmt without its end, as github.com/go-logfmt/logfmt writes it: an empty value is `key=`."""
    return " ".join(f"{_NO_KEY.sub('', name)}={_logfmt_value(value)}" for name, value in fields.items())


def json_text(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON that every reader takes: characters without shape are escapes, and infinities are refused.

    A lone surrogate has no UTF-8, and readers differ on its escape (RFC 8259, section 8.2): it becomes U+FFFD, as
    Go's encoding/json reads it. Raises `ValueError` for infinities and NaN.
    """
    written = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False, default=repr)
    return _IN_JSON.sub(_json_escape, written)


def json_line(value: Any) -> str:
    """A value as JSON in one line of ASCII for a log, whose readers may guess at the encoding."""
    return json.dumps(value, default=repr).replace("\x7f", r"\u007f")


def html_text(text: str) -> str:
    """Text of an element, or the value of an attribute in double quotes."""
    return escape(terminal_lines(text))


def xml_text(text: str) -> str:
    """Text for an element or attribute of ElementTree, which escapes markup: only characters of XML 1.0."""
    return terminal_lines(text).replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")


def markdown_text(text: str) -> str:
    """Text in one line of Markdown, with its markup and that of HTML escaped."""
    return _IN_MARKDOWN.sub(r"\\\1", _in_one_line(text))


def markdown_code(text: str) -> str:
    """Text as code in one line of Markdown. A pipe would end a cell of a table, a backtick the code."""
    return f"`{_in_one_line(text).replace('|', '¦').replace('`', 'ʼ') or ' '}`"


def markdown_address(url: str) -> str:
    """A URL in angle brackets, which is a link by itself, or the address of one."""
    return f"<{_NOT_IN_LINK.sub(lambda found: url_part(found[0]), url)}>"


def markdown_link(text: str, url: str) -> str:
    """A link in Markdown."""
    return f"[{markdown_text(text)}]({markdown_address(url)})"


def url_part(text: str, *, safe: str = "") -> str:
    """Text as a segment of a path, or a value of a query, of a URL."""
    return quote(text, safe=safe, errors="replace")


def url_query(values: Mapping[str, object]) -> str:
    """The query of a URL, without its question mark."""
    return urlencode(values, errors="replace")


def workflow_message(text: str) -> str:
    """The message of a workflow command of GitHub Actions (actions/toolkit, packages/core/src/command.ts)."""
    return terminal_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """A property of a workflow command, such as its title."""
    return workflow_message(text).replace(":", "%3A").replace(",", "%2C")


def workflow_line(text: str) -> str:
    """A line of the log of GitHub Actions that is no workflow command.

    The runner takes a line for one that begins with `::` after white space, or has `##[` anywhere
    (actions/runner, src/Runner.Common/ActionCommand.cs), so a space between the characters is enough.
    """
    return re.sub(":(?=:)", ": ", terminal_text(text)).replace("##[", "## [")


def label_text(value: str) -> str:
    """The value of a label before its quotes and escapes: valid UTF-8, and nothing that has no shape but tabs and ends.

    Prometheus takes any UTF-8. But labels are read in terminals, notifications and dashboards, none of which escapes.
    """
    return _BUT_TABS_AND_LINES.sub(_written, value)


def _logfmt_value(value: object) -> str:
    if value is None:
        return "null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return json_text(text) if text == "null" or _NEEDS_QUOTES.search(text) else text


def _in_one_line(text: str) -> str:
    return terminal_text(" ".join(text.splitlines()) if "\n" in text or "\r" in text else text)


def _written(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(found: re.Match[str]) -> str:
    character = found[0]
    return "\\ufffd" if "\ud800" <= character <= "\udfff" else json.dumps(character)[1:-1].replace("\x7f", "\\u007f")
