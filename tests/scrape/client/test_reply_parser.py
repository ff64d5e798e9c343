"""Replies as they come: the pieces make no difference, and nothing makes the parser take more than its bounds.

`tests/live/test_http_agrees.py` holds the same replies against Go's client.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.scrape.client.reply_head import MAX_HEAD_BYTES, HeadTooLarge, MalformedReply
from pprof_exporter.scrape.client.reply_parser import CutReply, MalformedBody, ReplyParser
from tests.scrape.client.replies import CHUNKED, OK, REPLIES, Found, parsed


@pytest.mark.parametrize("name", [name for name, reply in REPLIES.items() if len(reply) < 2_000])
def test_a_reply_that_comes_byte_by_byte_is_the_same(name: str) -> None:
    reply = REPLIES[name]
    assert parsed(reply, list(range(len(reply)))) == parsed(reply)


@given(st.sampled_from(sorted(REPLIES.values())), st.data())
def test_the_pieces_make_no_difference(reply: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=6)))
    assert parsed(reply, cuts) == parsed(reply)


@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=20))
def test_a_body_comes_through_every_framing(body: bytes, sizes: list[int]) -> None:
    chunks, at = b"", 0
    for size in [*sizes, len(body) + 1]:
        piece = body[at : at + size]
        at += size
        chunks += b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""
    for reply in (
        OK + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        OK + b"\r\n" + body,
        CHUNKED + b"\r\n" + chunks + b"0\r\n\r\n",
    ):
        assert parsed(reply) == Found(head=True, status=200, whole=True, body=body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_one_of_the_errors(data: bytes) -> None:
    for start in (b"", b"HTTP/1.1 200 OK\r\n", CHUNKED + b"\r\n"):
        parser = ReplyParser()
        try:
            parser.feed(start + data)
            parser.end()
        except (CutReply, HeadTooLarge, MalformedBody, MalformedReply):
            continue
        assert parser.ended
        assert parser.head is not None


def test_what_cannot_be_http_is_refused_before_its_line_ends() -> None:
    for data, shown in ((b"SSH-2.0-", "SSH-2.0-"), (b"\x00\x00\x12", r"\x00\x00\x12"), (b"HTTQ", "HTTQ")):
        with pytest.raises(MalformedReply) as caught:
            ReplyParser().feed(data)
        assert shown in str(caught.value)
    assert ReplyParser().feed(b"HTT") == []


@pytest.mark.parametrize("line", [b"X: y\r\n", b"X" * 1000, b" \r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_head_without_end_is_refused_at_its_bound(line: bytes) -> None:
    parser = ReplyParser()
    parser.feed(OK)
    fed = 0
    try:
        while fed < 2 * MAX_HEAD_BYTES:
            fed += len(line) * 1000
            parser.feed(line * 1000)
    except (HeadTooLarge, MalformedReply):
        pass
    assert fed <= MAX_HEAD_BYTES + len(line) * 1000
    assert len(parser._partial) <= MAX_HEAD_BYTES + len(line) * 1000


def test_a_head_that_drips_costs_as_much_as_its_bytes() -> None:
    def cost(size: int) -> float:
        parser = ReplyParser()
        parser.feed(OK + b"X: ")
        began = time.process_time()
        for _ in range(size):
            parser.feed(b"y")
        return time.process_time() - began

    assert min(cost(40_000) for _ in range(3)) < 30 * min(cost(4_000) for _ in range(3))
