"""Recognises bodies that are not profile.proto: HTML, text and other profile formats."""

from __future__ import annotations

import re

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.page_words import is_blank, is_markup, quoted_words

_HEAD_BYTES = 512
# A login form may stand behind the styles of its page.
_PAGE_BYTES = 64 * 1024
_TEXT = bytes(range(0x20, 0x100)) + b"\t\n\r\f\x1b"
_LEGACY = {
    b"heap profile:": "the text format of heap?debug=1",
    b"goroutine profile:": "the text format of goroutine?debug=1",
    b"threadcreate profile:": "the text format of threadcreate?debug=1",
    b"goroutineleak profile:": "the text format of goroutineleak?debug=1",
    b"--- contention:": "the text format of block?debug=1",
    b"--- mutex:": "the text format of mutex?debug=1",
    b"goroutine ": "the text format of goroutine?debug=2",
}
_BOM = b"\xef\xbb\xbf"
# gperftools' binary CPU profile: machine words 0, 3, 0, sampling period, 0.
_GPERFTOOLS = (b"\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", b"\0\0\0\0\3\0\0\0\0\0\0\0")
# The page of net/http/pprof.Index; the title is the same from Go 1.16 to 1.27 (indexTmplExecute).
_PPROF_TITLE = b"<title>/debug/pprof/</title>"
_LOGIN = re.compile(rb"""<input\b[^>]{0,500}?\btype\s{0,9}=\s{0,9}["']?password""", re.IGNORECASE)
# What may stand before the first element of an SVG picture.
_BEFORE_SVG = (b"<?xml", b"<!--", b"<!DOCTYPE svg")
_JSON = re.compile(rb"""\s*(\{\s*["}]|\[\s*[\[{"\]\d])""")
_OTLP_JSON = re.compile(rb"""\s*\{\s*"(resourceProfiles|resource_profiles)\"""")
_BINARY: tuple[tuple[bytes, Hint], ...] = (
    (b"PK\x03\x04", Hint.ZIP),
    (b"PK\x05\x06", Hint.ZIP),  # An archive without files.
    (b"FLR\0", Hint.JFR),
    (b"PERFILE2", Hint.PERF_DATA),
    (b"2ELIFREP", Hint.PERF_DATA),  # Of a machine with the other byte order.
    (b"\xff\xfe", Hint.UTF16),
    (b"\xfe\xff", Hint.UTF16),
    (b"\x7fELF", Hint.EXECUTABLE),
    (b"MZ", Hint.EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", Hint.EXECUTABLE),  # Mach-O of 64 bits.
    # The second byte of gzip is 0x8b, which is no ASCII: read as text it becomes one of these.
    (b"\x1f\xef\xbf\xbd", Hint.DECODED_AS_TEXT),  # Not valid UTF-8: U+FFFD.
    (b"\x1f\xc2\x8b\x08", Hint.DECODED_AS_TEXT),  # Latin-1, written as UTF-8.
    (b"\x1f\xe2\x80\xb9\x08", Hint.DECODED_AS_TEXT),  # Windows-1252, written as UTF-8.
    (b"\x1f\xc3\xaf\x08", Hint.DECODED_AS_TEXT),  # Code page 437 or 850, as in a console of Windows.
    (b"\x1f?\x08", Hint.DECODED_AS_TEXT),
)


def reject_other_formats(body: bytes) -> None:
    """Raise `DecodeError` (empty, html, text, proto) for a body in another format.

    A profile.proto message starts with a field tag and a small length, both control characters in practice. So a body
    that starts without control characters is text.
    """
    if not body:
        raise DecodeError(Reason.EMPTY, "no bytes")
    head = body[:_HEAD_BYTES]
    if head.startswith(b"go 1.") and b" trace\0" in head[:16]:
        version = head[:16].rstrip(bytes(1)).decode("latin-1")
        raise DecodeError(Reason.PROTO, f"an execution trace ({version})", Hint.TRACE)
    if head.startswith(_GPERFTOOLS):
        raise DecodeError(Reason.PROTO, "the binary format of gperftools", Hint.GPERFTOOLS)
    if head.translate(None, _TEXT) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    text = head.removeprefix(_BOM)
    form = next((form for start, form in _LEGACY.items() if text.startswith(start)), None)
    if form is not None:
        raise DecodeError(Reason.TEXT, form, Hint.DEBUG_TEXT)
    raise other_page(body, "")


def other_page(body: bytes, said: str) -> DecodeError:
    """The error for a body that is another text than the expected one: empty, html or text. It quotes its beginning."""
    if is_blank(body):
        return DecodeError(Reason.EMPTY, "no bytes")
    page = body[:_PAGE_BYTES].removeprefix(_BOM)
    said = ": ".join(part for part in (said, quoted_words(page)) if part)
    if _is_svg(page.lstrip()[:_HEAD_BYTES]):
        return DecodeError(Reason.TEXT, said, Hint.SVG)
    if is_markup(page):
        return DecodeError(Reason.HTML, said, _hint_of_page(page))
    return DecodeError(Reason.TEXT, said, _hint_of_text(page))


def hint_of_binary(body: bytes) -> Hint | None:
    """What a body is that could not be read as a message; None if it is not recognised."""
    start = body[:16].removeprefix(_BOM)
    found = next((hint for magic, hint in _BINARY if start.startswith(magic)), None)
    return found or (Hint.OTLP if _is_envelope(body) else None)


def _is_svg(head: bytes) -> bool:
    return head.startswith(b"<svg") or (head.startswith(_BEFORE_SVG) and b"<svg" in head)


def _hint_of_page(page: bytes) -> Hint | None:
    if _PPROF_TITLE in page:
        return Hint.PPROF_INDEX
    return Hint.LOGIN_PAGE if _LOGIN.search(page) else None


def _hint_of_text(text: bytes) -> Hint | None:
    if text.startswith(b"heap_v2/"):
        return Hint.JEMALLOC
    if _OTLP_JSON.match(text):
        return Hint.OTLP
    return Hint.JSON if _JSON.match(text) else None


def _is_envelope(body: bytes) -> bool:
    """Whether a message holds messages of messages, as ProfilesData of OTLP and push.v1.PushRequest of Pyroscope.

    In a profile, field 1 is a `ValueType`, which holds numbers.
    """
    first = _lengths(body, 0, len(body))
    if first is None or not {field for field, _, _ in first} <= {1, 2}:
        return False
    inner = [_lengths(body, begin, end) for field, begin, end in first if field == 1][:8]
    return bool(inner) and all(part for part in inner)


def _lengths(body: bytes, at: int, end: int) -> list[tuple[int, int, int]] | None:
    """Number, begin and end of the fields of a message; None unless all of them have a length."""
    found: list[tuple[int, int, int]] = []
    while at < end:
        tag = body[at]
        if tag >= 0x80 or tag & 7 != 2:
            return None
        length = shift = 0
        for place in range(at + 1, min(end, at + 6)):
            length |= (body[place] & 0x7F) << shift
            shift += 7
            if body[place] < 0x80:
                at = place + 1
                break
        else:
            return None
        if length > end - at:
            return None
        found.append((tag >> 3, at, at + length))
        at += length
    return found
