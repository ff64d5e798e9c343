"""What is no profile is told by its first bytes, with what to do then."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint, explained
from pprof_exporter.profile import DecodeError, decode, read_index
from pprof_exporter.profile.page_words import first_words
from pprof_exporter.profile.recognise import other_page
from tests.recorded import RECORDINGS

NEWEST = RECORDINGS / "linux-go1.27.3"
HEAP = (NEWEST / "heap.pb.gz").read_bytes()


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("heap.pb.gz", HEAP)
    return packed.getvalue()


def field(number: int, content: bytes) -> bytes:
    """A field with a length of less than 128 bytes."""
    return bytes((number << 3 | 2, len(content))) + content


# ProfilesData of OTLP 1.x and push.v1.PushRequest of Pyroscope: messages of messages.
OTLP = field(1, field(1, field(1, b"\x0a\x07service")) + field(2, field(2, b"\x12\x01x"))) + field(2, b"")
PUSH = field(1, field(1, field(1, b"service_name") + field(2, b"shop")) + field(2, field(1, HEAP[:60])))

KNOWN: dict[Hint, tuple[bytes, ...]] = {
    Hint.ZIP: (archive(),),
    Hint.JFR: (b"FLR\x00\x00\x02\x00\x01" + bytes(60),),
    Hint.PERF_DATA: (b"PERFILE2h\0\0\0\0\0\0\0" + bytes(80), b"2ELIFREP" + bytes(80)),
    Hint.UTF16: (
        "heap profile: 1: 2".encode("utf-16"),
        b"\xff\xfe" + "\x1f\ufffd\x08".encode("utf-16-le"),
        b"\xfe\xff" + "heap".encode("utf-16-be"),
        b"\xff\xfe<\0h\0t\0m\0l\0",
    ),
    Hint.DECODED_AS_TEXT: (
        HEAP.decode("utf-8", "replace").encode(),
        b"\xef\xbb\xbf" + HEAP.decode("utf-8", "replace").encode(),
        HEAP.decode("latin-1").encode(),
        HEAP.decode("cp437").encode(),
        HEAP.decode("cp850").encode(),
        HEAP.decode("ascii", "replace").encode("ascii", "replace"),
    ),
    Hint.SVG: (
        b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE svg PUBLIC "-//W3C">\n<!-- graphviz -->\n<svg width="8pt">',
    ),
    Hint.JEMALLOC: (b"heap_v2/524288\n  t*: 28106: 56637512 [0: 0]\n",),
    Hint.OTLP: (OTLP, PUSH, b'{"resourceProfiles": []}', b'\n{ "resource_profiles": []}'),
    Hint.JSON: (b'{"nodes": [{"id": 1}]}', b'[{"name": "main"}]', b"{}"),
    Hint.TRACE: ((NEWEST / "burn2.trace").read_bytes(),),
    Hint.GPERFTOOLS: (b"".join(number.to_bytes(8, "little") for number in (0, 3, 0, 10_000, 0)),),
    Hint.DEBUG_TEXT: tuple(path.read_bytes() for path in sorted(NEWEST.glob("*_debug[12].txt"))),
    Hint.PPROF_INDEX: tuple(path.read_bytes() for path in sorted(RECORDINGS.glob("*/index*.html"))),
    Hint.LOGIN_PAGE: (
        b"<!DOCTYPE html><title>Sign in</title><form><input name=u><input name=p type=password></form>",
        b"<html><style>" + b"x" * 9000 + b"</style><INPUT TYPE='password'>",
    ),
    Hint.EXECUTABLE: (b"\x7fELF\x02\x01\x01" + bytes(9), b"MZ\x90\x00\x03", b"\xcf\xfa\xed\xfe\x07\0\0\1"),
}
"""Files of each format, by hint."""
OF_CONNECTIONS = {
    Hint.TLS_PORT,
    Hint.PLAIN_PORT,
    Hint.HTTP2,
    Hint.SSH,
    Hint.BANNER,
    Hint.CERTIFICATE_EXPIRED,
    Hint.CERTIFICATE_AUTHORITY,
    Hint.CERTIFICATE_NAME,
    Hint.CLIENT_CERTIFICATE,
}
"""Those are of `scrape/client`."""


def refused(body: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(body)
    return caught.value


def test_every_hint_of_a_body_has_a_file_that_shows_it() -> None:
    assert set(KNOWN) | OF_CONNECTIONS == set(Hint)
    assert all(KNOWN.values())


@pytest.mark.parametrize(("hint", "body"), [(hint, body) for hint, bodies in KNOWN.items() for body in bodies])
def test_a_file_in_another_format_is_named(hint: Hint, body: bytes) -> None:
    assert refused(body).hint is hint
    assert refused(gzip.compress(body)).hint is hint


@pytest.mark.parametrize("path", sorted((RECORDINGS / "foreign").glob("*.zst")), ids=lambda path: path.name)
def test_a_file_in_no_known_format_has_no_hint(path: Path) -> None:
    assert refused(path.read_bytes()).hint is None


def test_a_broken_profile_has_no_hint() -> None:
    body = gzip.decompress(HEAP)
    for end in range(1, len(body), 997):
        with contextlib.suppress(DecodeError):
            decode(body[:end])
            continue
        assert refused(body[:end]).hint is None, end


@pytest.mark.parametrize("hint", Hint)
def test_a_hint_says_what_was_seen_and_what_to_do(hint: Hint) -> None:
    assert not hint.shows.endswith(".")
    assert hint.advice.endswith(".")
    said = explained(Reason.TEXT, hint, '"no way."')
    assert said == f'{Reason.TEXT.meaning}: "no way."; {hint.shows}. {hint.advice}'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"Client sent an HTTP request to an HTTPS server.\n", "Client sent an HTTP request to an HTTPS server."),
        (b"rate limited\n", "rate limited"),
        (b"Too many requests. Try again in 5 s.", "Too many requests."),
        (b"<html><head><title>\n 502 Bad\n Gateway </title><body>x", "502 Bad Gateway"),
        (b"<html><head><style>p {}</style></head><body><h1>Not&nbsp;here</h1><p>Go away", "Not here Go away"),
        (b"<html><title></title><script>var x = '<p>';</script>Sign &amp; in", "Sign & in"),
        (b'\xef\xbb\xbf{"error": 1}', '{"error": 1}'),
        (b"x" * 500, "x" * 119 + "…"),
        (
            b"Authorization: Basic c2NvdHQ6dGlnZXI= and Bearer abc.def-1",
            "Authorization: Basic <secret> and Bearer <secret>",
        ),
        (b"<p>&#" + b"9" * 6000 + b";", None),
        (HEAP, ""),
        (b"", ""),
    ],
)
def test_the_first_words_of_a_page_are_a_short_sentence(body: bytes, words: str | None) -> None:
    assert words is None or first_words(body) == words
    assert len(first_words(body)) <= 120


@given(st.binary(max_size=300) | st.text("<>!-/ abcitlescriptnuyphead&#;\"'", max_size=300).map(str.encode))
def test_any_page_has_words_of_one_line(body: bytes) -> None:
    words = first_words(body)
    assert len(words) <= 120
    assert not re.search(r"[\n\r\t]", words)
    assert other_page(body, "").reason in (Reason.EMPTY, Reason.HTML, Reason.TEXT)


@pytest.mark.parametrize(
    "part",
    [b"<input ", b"<title", b"<title>", b"<script", b"<!--", b"<!---->", b"<", b"</script ", b"<?xml ", b"{", b"&#9"],
)
def test_a_page_that_repeats_itself_is_read_in_linear_time(part: bytes) -> None:
    began = time.process_time()
    for start in (b"<", b"<!--", b"<?xml>", b""):
        with pytest.raises(DecodeError):
            read_index(start + part * (2**20 // len(part)))
    assert time.process_time() - began < 1
