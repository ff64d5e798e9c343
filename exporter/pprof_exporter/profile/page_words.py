"""The first words of a page or text, as a sentence of a message says them."""

from __future__ import annotations

import html
import re

_READ = 8192
# Control characters that no text has.
_CONTROL = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1b"))
_LONGEST = 120
_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,1000}?)</title", re.IGNORECASE | re.DOTALL)
_UNSEEN = re.compile(rb"<(script|style|head)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAG_FIRST = re.compile(rb"\s*<")
_TAG = re.compile(rb"<[^>]{0,500}>?")
# A server that shows the request it got shows its credentials.
_CREDENTIALS = re.compile(r"\b(basic|bearer)\s+[\w+/=.~-]{4,}", re.IGNORECASE)
_SENTENCE = re.compile(r"(.{12,}?[.!?])(\s|\Z)")


def is_blank(body: bytes) -> bool:
    """Whether there is nothing, or white space alone. `strip` would copy a body of any size."""
    return not body or body.isspace()


def is_markup(body: bytes) -> bool:
    """Whether the first character that is no white space is that of a tag."""
    return _TAG_FIRST.match(body) is not None


def first_words(body: bytes) -> str:
    """The title of an HTML page, or its first words; of other text the first sentence; "" of what is no text.

    At most 120 characters, white space as one space. It is text from outside: whoever shows it escapes it.
    """
    head = body[:_READ].removeprefix(b"\xef\xbb\xbf")
    if len(head.translate(None, _CONTROL)) < len(head):
        return ""
    if is_markup(head):
        title = _TITLE.search(head)
        head = title[1] if title and title[1].strip() else _TAG.sub(b" ", _UNSEEN.sub(b" ", head))
        text = _unescaped(head.decode("utf-8", "replace"))
    else:
        text = head.decode("utf-8", "replace")
    words = _CREDENTIALS.sub(r"\1 <secret>", " ".join(text.split()))
    sentence = _SENTENCE.match(words)
    words = sentence[1] if sentence else words
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1].rstrip()}…"


def quoted_words(body: bytes) -> str:
    """The same in quotation marks; "" if the page has no words."""
    words = first_words(body)
    return f'"{words}"' if words else ""


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # A character reference with thousands of digits.
        return text
