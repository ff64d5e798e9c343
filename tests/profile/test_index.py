"""The index page gives the counts that the program had."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import DecodeError, read_index, totals
from tests.profile.made import refusal
from tests.recorded import PROGRAMS, WITH_LEAK_DETECTION, profile, reply

ALWAYS = {"allocs", "block", "cmdline", "goroutine", "heap", "mutex", "profile", "threadcreate", "trace"}
every_program = pytest.mark.parametrize("program", PROGRAMS)


def row(name: str, count: str = "1") -> bytes:
    return f"<tr><td>{count}</td><td><a href='{name}'>x</a></td></tr>".encode()


@every_program
@pytest.mark.parametrize("page", ["index.html", "index_leaks.html"])
def test_counts_are_the_truth(program: str, page: str) -> None:
    recorded = reply(program, page)
    index = read_index(recorded.body)
    assert index.counts["goroutine"] == recorded.goroutines
    assert set(index.counts) >= ALWAYS
    assert index.counts["threadcreate"] >= 4
    assert all(index.counts[name] == 0 for name in ("cmdline", "profile", "trace", "block", "mutex"))


@every_program
def test_leaks_are_counted_where_the_runtime_finds_them(program: str) -> None:
    index = read_index(reply(program, "index_leaks.html").body)
    assert index.lists("goroutineleak") == (program in WITH_LEAK_DETECTION)
    if program in WITH_LEAK_DETECTION:
        found = totals(profile(program, "goroutineleak_leaks"))[0]
        assert index.counts["goroutineleak"] == found == reply(program, "index_leaks.html").leaks["lost"]


def test_names_are_unescaped_and_queries_dropped() -> None:
    page = row("a&amp;b?debug=1", "12") + row("plain") + row("caf\u00e9")
    assert read_index(page).counts == {"a&b": 12, "plain": 1, "caf\u00e9": 1}


def test_an_absurd_character_reference_is_no_row() -> None:
    with pytest.raises(DecodeError):
        read_index(row("&#" + "9" * 5000 + ";"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n", Reason.EMPTY),
        (b"<html><title>Log in</title>", Reason.HTML),
        (b"404 page not found\n", Reason.TEXT),
        (b'{"ok": true}', Reason.TEXT),
        (b"\x1f\x8b\x08\x00", Reason.TEXT),
    ],
)
def test_another_page_is_refused(body: bytes, reason: Reason) -> None:
    assert refusal(read_index, body).reason is reason
