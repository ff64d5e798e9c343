"""A text of any size is refused, or read, without a second copy of it: replies in flight are all that is counted."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable

import pytest

from pprof_exporter.profile import DecodeError, decode, read_index, read_memstats, read_mutex_rate, read_page
from pprof_exporter.profile.dump import read_dump
from pprof_exporter.profile.liveness import check_cmdline, check_threads
from pprof_exporter.profile.memstats import read_page_figures

MIB = 2**20
SIZE = 8 * MIB
MOST = MIB / 2

READERS: dict[str, Callable[[bytes], object]] = {
    "profile": decode,
    "index": read_index,
    "metrics page": read_page,
    "figures of the heap": read_page_figures,
    "heap?debug=1": read_memstats,
    "mutex?debug=1": read_mutex_rate,
    "threadcreate?debug=1": check_threads,
    "goroutine?debug=2": read_dump,
    "command line": lambda body: check_cmdline(body, ""),
}
TEXTS = {
    "metrics": b'some_metric_total{label="1"} 17\n',
    "words": b"what you asked for is not here\n",
    "letters of another alphabet": "значение\n".encode(),
    "emoji": "up 1 😀\n".encode(),
    "white space": b" \t\n",
    "markup": b"\n <p>Log in</p>",
    "remarks": b"# nothing\n",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_large_text_is_not_copied(reader: str, text: str) -> None:
    body = TEXTS[text] * (SIZE // len(TEXTS[text]))
    tracemalloc.start()
    try:
        with contextlib.suppress(DecodeError):
            READERS[reader](body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST
