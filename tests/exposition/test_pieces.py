"""Texts compressed apart are one gzip stream that everybody reads."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.exposition.pieces import Deflater, gzipped, inflated


@given(st.lists(st.binary(max_size=300) | st.binary(min_size=1, max_size=3).map(lambda text: text * 5000), max_size=8))
def test_the_stream_holds_every_text_in_order(texts: list[bytes]) -> None:
    deflater = Deflater()
    pieces = [deflater.deflate(text) for text in texts]

    assert gzip.decompress(gzipped(pieces)) == b"".join(texts)
    assert inflated(pieces) == b"".join(texts)


def test_the_stream_is_a_single_member_which_is_all_that_some_clients_read() -> None:
    deflater = Deflater()
    reader = zlib.decompressobj(31)

    assert reader.decompress(gzipped([deflater.deflate(b"one"), deflater.deflate(b"two")])) == b"onetwo"
    assert reader.eof
    assert reader.unused_data == b""


def test_pieces_may_be_used_again_in_another_order() -> None:
    deflater = Deflater()
    one, two = deflater.deflate(b"one" * 1000), deflater.deflate(b"two" * 1000)

    assert gzip.decompress(gzipped([two, one, two])) == b"two" * 1000 + b"one" * 1000 + b"two" * 1000
