"""Replies as bytes, and what our parser makes of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pprof_exporter.scrape.client.reply_head import HeadTooLarge, MalformedReply
from pprof_exporter.scrape.client.reply_parser import CutReply, MalformedBody, ReplyParser

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
TWO_CHUNKS = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

REPLIES: dict[str, bytes] = {
    "length": OK + b"Content-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nabcde",
    "no body": OK + b"Content-Length: 0\r\n\r\n",
    "until the end": OK + b"Connection: close\r\n\r\nabcde",
    "1.0": b"HTTP/1.0 200 OK\r\n\r\nabcde",
    "1.0 with chunks": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + TWO_CHUNKS,
    "2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "11.0": b"HTTP/11.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "chunks": CHUNKED + b"\r\n" + TWO_CHUNKS,
    "chunks in capitals": OK + b"transfer-encoding: CHUNKED\r\n\r\n" + TWO_CHUNKS,
    "chunks with extensions": CHUNKED + b'\r\n3;a="b" \r\nabc\r\n0;last\r\n\r\n',
    "chunks with spaces": CHUNKED + b"\r\n3 \t\r\nabc\r\n0\r\n\r\n",
    "chunks with a trailer": CHUNKED + b"Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
    "a trailer that is a length": CHUNKED + b"Trailer: A, Content-Length\r\n\r\n" + TWO_CHUNKS,
    "a bad trailer": CHUNKED + b"\r\n3\r\nabc\r\n0\r\nno colon\r\n\r\n",
    "a long trailer": CHUNKED + b"\r\n0\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
    "chunks with bare line ends": CHUNKED + b"\r\n3\nabc\n0\n\n",
    "a chunk in hexadecimal": CHUNKED + b"\r\n0A\r\n0123456789\r\n00\r\n\r\n",
    "a chunk with a prefix": CHUNKED + b"\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk with a sign": CHUNKED + b"\r\n+3\r\nabc\r\n0\r\n\r\n",
    "a chunk with an underscore": CHUNKED + b"\r\n1_0\r\n0123456789012345\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKED + b"\r\n\r\nabc\r\n0\r\n\r\n",
    "a huge chunk": CHUNKED + b"\r\n11111111111111111\r\nabc\r\n0\r\n\r\n",
    "a chunk that is longer": CHUNKED + b"\r\n3\r\nabcd\r\n0\r\n\r\n",
    "a long line before a chunk": CHUNKED + b"\r\n3;" + b"x" * 4091 + b"\r\nabc\r\n0\r\n\r\n",
    "a longer line before a chunk": CHUNKED + b"\r\n3;" + b"x" * 4100 + b"\r\nabc\r\n0\r\n\r\n",
    "more extensions than data": CHUNKED + b"\r\n" + (b"1;" + b"x" * 2000 + b"\r\na\r\n") * 12 + b"0\r\n\r\n",
    "single bytes": CHUNKED + b"\r\n" + b"1\r\na\r\n" * 5000 + b"0\r\n\r\n",
    "chunks and a length": CHUNKED + b"Content-Length: 2\r\n\r\n" + TWO_CHUNKS,
    "chunks and a bad length": CHUNKED + b"Content-Length: two\r\n\r\n" + TWO_CHUNKS,
    "another encoding": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "two encodings": OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + TWO_CHUNKS,
    "a list of encodings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + TWO_CHUNKS,
    "the same length twice": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length with a sign": OK + b"Content-Length: +3\r\n\r\nabc",
    "an empty length": OK + b"Content-Length: \r\n\r\nabc",
    "a length in a list": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "a length with zeros": OK + b"Content-Length: 0003\r\n\r\nabc",
    "a length of 2^63": OK + b"Content-Length: 9223372036854775808\r\n\r\nabc",
    "a length of 2^63-1": OK + b"Content-Length: 9223372036854775807\r\n\r\nabc",
    "a length in other digits": OK + "Content-Length: \u0663\r\n\r\nabc".encode(),
    "cut": OK + b"Content-Length: 10\r\n\r\nabc",
    "cut within a chunk": CHUNKED + b"\r\n5\r\nabc",
    "cut after a chunk": CHUNKED + b"\r\n3\r\nabc\r\n",
    "cut before the last line": CHUNKED + b"\r\n3\r\nabc\r\n0\r\n",
    "cut within the head": OK + b"Content-Len",
    "cut within the first line": b"HTTP/1.1 20",
    "nothing": b"",
    "more than its length": OK + b"Content-Length: 3\r\n\r\nabcdef",
    "more than its chunks": CHUNKED + b"\r\n" + TWO_CHUNKS + b"more",
    "no status text": b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc",
    "spaces before the status": b"HTTP/1.1   200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status with a sign": b"HTTP/1.1 +20 OK\r\nContent-Length: 3\r\n\r\nabc",
    "status below zero": b"HTTP/1.1 -20 OK\r\nContent-Length: 3\r\n\r\nabc",
    "status in other digits": "HTTP/1.1 \u0662\u0660\u0660 OK\r\n\r\n".encode(),
    "no status": b"HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "status 999": b"HTTP/1.1 999 No\r\nContent-Length: 3\r\n\r\nabc",
    "204": b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
    "304 with chunks": b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n" + TWO_CHUNKS,
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
    "302": b"HTTP/1.1 302 Found\r\nLocation: /login?a=%2F\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc",
    "many interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + OK + b"Content-Length: 3\r\n\r\nabc",
    "only interim": b"HTTP/1.1 100 Continue\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 3\r\n\r\nabc",
    "bare line ends": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "mixed line ends": b"HTTP/1.1 200 OK\nX: y\r\nContent-Length: 3\n\r\nabc",
    "an empty line of the body": b"HTTP/1.1 200 OK\nContent-Length: 7\n\nab\r\n\r\nc",
    "a continued line": OK + b"X-Long: a\r\n  b\r\n\tc\r\nContent-Length: 3\r\n\r\nabc",
    "a continued line of blanks": OK + b"X-Long: a\r\n  \r\nContent-Length: 3\r\n\r\nabc",
    "a continued length": OK + b"Content-Length:\r\n 3\r\n\r\nabc",
    "a first line that continues": OK + b" X: y\r\nContent-Length: 3\r\n\r\nabc",
    "a space in a name": OK + b"Bad Name: y\r\nContent-Length: 3\r\n\r\nabc",
    "a space before the colon": OK + b"Content-Length : 2\r\n\r\nabc",
    "no colon": OK + b"Bad\r\nContent-Length: 3\r\n\r\nabc",
    "no name": OK + b": y\r\nContent-Length: 3\r\n\r\nabc",
    "a name in other letters": OK + "X-\u00e4: y\r\nContent-Length: 3\r\n\r\nabc".encode(),
    "a value in UTF-8": OK + "X: \u00e4\r\nContent-Length: 3\r\n\r\nabc".encode(),
    "a value in Latin-1": OK + b"X: \xe4\r\nContent-Length: 3\r\n\r\nabc",
    "a value with a tab": OK + b"X:\ta\tb \t\r\nContent-Length: 3\r\n\r\nabc",
    "a value with NUL": OK + b"X: a\x00b\r\nContent-Length: 3\r\n\r\nabc",
    "a value with DEL": OK + b"X: a\x7fb\r\nContent-Length: 3\r\n\r\nabc",
    "a value with CR": OK + b"X: a\rb\r\nContent-Length: 3\r\n\r\nabc",
    "a value that ends with CR": OK + b"X: a\r\r\nContent-Length: 3\r\n\r\nabc",
    "a status text with NUL": b"HTTP/1.1 200 O\x00K\r\nContent-Length: 3\r\n\r\nabc",
    "a long header": OK + b"X: " + b"y" * 100_000 + b"\r\nContent-Length: 3\r\n\r\nabc",
    "many headers": OK + b"".join(b"X-%d: y\r\n" % i for i in range(2000)) + b"Content-Length: 3\r\n\r\nabc",
    "many types": OK + b"Content-Type: a/b; c=d\r\nContent-Type: e/f\r\nContent-Length: 3\r\n\r\nabc",
    "SSH": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00d",
    "lower case": b"http/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "a line before": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "a letter of a version": b"HTTP/1.x 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "another protocol": b"ICY 200 OK\r\nContent-Length: 3\r\n\r\nabc",
}
"""The server closes the connection after each."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is made of a reply: `whole` and `body` if its head is one."""

    head: bool
    status: int = 0
    location: str = ""
    content_type: str = ""
    whole: bool = False
    body: bytes = b""


def parsed(data: bytes, cuts: list[int] | None = None) -> Found:
    """What our parser makes of a reply that comes in these pieces."""
    parser = ReplyParser()
    ends = [*(cuts or ()), len(data)]
    body: list[bytes] = []
    whole = False
    try:
        for start, end in zip([0, *ends], ends, strict=False):
            if start < end and not parser.ended:
                body += parser.feed(data[start:end])
        parser.end()
        whole = True
    except (MalformedReply, HeadTooLarge):
        return Found(head=False)
    except (CutReply, MalformedBody):
        if parser.head is None:
            return Found(head=False)
    head = parser.head
    assert head is not None
    # Of a body that is not whole, how much of it was read depends on the pieces.
    return Found(
        True, head.status, head.get("location"), head.get("content-type"), whole, b"".join(body) if whole else b""
    )


def damaged(chance: random.Random, seeds: list[bytes]) -> bytes:
    """A reply with a few changes."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at : at + 1] = bytes([chance.choice(b"\r\n \t:;,0123456789abcfxHTP/.\x00\x7f\xff-+")])
            case 1:
                del data[at : at + chance.randint(1, 4)]
            case 2:
                data[at:at] = chance.choice(
                    [b"\r\n", b"\n", b"\r", b" ", b"\t", b"0\r\n\r\n", b"1\r\na\r\n", b":", b"Content-Length: 2\r\n"]
                )
            case 3:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) + 1)
                data[at:at] = other[start : start + chance.randint(1, 20)]
            case _:
                data[at:] = b""
    return bytes(data)
