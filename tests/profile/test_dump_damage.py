"""Of a cut `goroutine?debug=2` every whole goroutine is read; other replies are refused; noise harms nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import DecodeError
from pprof_exporter.profile.dump import goroutines_by_creator, longest_waits, read_dump
from tests.profile.dumps import DUMPS, WAITING
from tests.profile.made import refusal
from tests.recorded import PROGRAMS, RECORDINGS

MIB = 1024 * 1024


@pytest.mark.parametrize("body", [WAITING, WAITING.replace(b"\n", b"\r\n")])
def test_every_cut_leaves_the_whole_goroutines_before_it(body: bytes) -> None:
    for at in range(len(body) + 1):
        _check_cut(body, at)


@given(st.sampled_from(DUMPS), st.integers(0, 40_000))
def test_cuts_of_recorded_dumps_leave_the_whole_goroutines_before_them(dump: str, at: int) -> None:
    body = (RECORDINGS / dump).read_bytes()
    _check_cut(body, at % (len(body) + 1))


def test_a_text_of_64_mb_is_not_whole_even_if_it_ends_with_a_goroutine() -> None:
    start, end = (
        b"goroutine 7 [select]:\nmain.f(",
        b")\n\tm.go:1 +0x1\ncreated by main.g in goroutine 1\n\tm.go:2 +0x1\n",
    )
    arguments = b"0" * (64 * MIB - len(start) - len(end))
    cut = read_dump(start + arguments + end)
    uncut = read_dump(start + arguments[1:] + end)
    assert cut.goroutines == uncut.goroutines
    assert (cut.complete, uncut.complete) == (False, True)


def test_a_goroutine_with_an_unreadable_header_is_missed() -> None:
    dump = read_dump(WAITING.replace(b"goroutine 12 [", b"goroutine twelve ["))
    assert len(dump.goroutines) == len(read_dump(WAITING).goroutines) - 1
    assert not dump.complete


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("index.html", Reason.HTML),
        ("goroutine_debug1.txt", Reason.TEXT),
        ("heap_debug1.txt", Reason.TEXT),
        ("metrics.txt", Reason.TEXT),
        ("not_mounted.txt", Reason.TEXT),
        ("goroutine_leaks.pb.gz", Reason.PROTO),
        ("burn2.trace", Reason.PROTO),
    ],
)
def test_other_replies_are_refused_by_name(program: str, file: str, reason: Reason) -> None:
    assert refusal(read_dump, (RECORDINGS / program / file).read_bytes()).reason is reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"\r\n \n", Reason.EMPTY),
        (b"gorout", Reason.TRUNCATED),
        (b"goroutine 1", Reason.TRUNCATED),
        (b"goroutine 1 [running]:\r", Reason.TRUNCATED),
        (b"goroutine 7 [running]:\n", Reason.TRUNCATED),
        (b"goroutine 7 [running]:\nmain.main()\n\tm.go:1 +0x1\n", Reason.TRUNCATED),
        (b"goroutine leaks are bad\n", Reason.TEXT),
        (b"goroutine 1 is fine\n", Reason.TEXT),
        (b"\0\1\2", Reason.PROTO),
    ],
)
def test_what_holds_no_goroutine_is_refused(body: bytes, reason: Reason) -> None:
    assert refusal(read_dump, body).reason is reason


@given(st.integers(0, len(WAITING)), st.binary(max_size=8), st.integers(0, 40))
def test_damage_raises_nothing_but_decode_errors(at: int, insert: bytes, drop: int) -> None:
    _try(WAITING[:at] + insert + WAITING[at + drop :])


WORDS = (
    *(
        "goroutine ",
        "7",
        " [",
        "select",
        " (leaked)",
        ", ",
        "9",
        " minutes",
        "]",
        " {",
        "}",
        ":",
        "\n",
        "\n",
        "\t",
        "\r\n",
    ),
    *("created by ", " in goroutine ", "main.f", "(", ")", ".func1", "pc=0x1", "[originating from goroutine "),
    *("...additional frames elided...\n", "\n\n", "é", "\0"),
)


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.lists(st.sampled_from(WORDS)).map(lambda words: "".join(words).encode())
    | st.lists(st.sampled_from(WORDS)).map(lambda words: b"goroutine 7 [select]:\n" + "".join(words).encode())
)
def test_noise_raises_nothing_but_decode_errors(body: bytes) -> None:
    _try(body)


# Each takes a fraction of a second, or minutes where the time grows with the square of the length.
@pytest.mark.parametrize(
    "filler",
    [
        b"created by main.f\n",
        b"created by main.f in goroutine 1 in goroutine 1",
        b"created by main.f\n\tm.go",
        b"main.f(",
        b"main.f()\n\t:1 :1 :1 pc=0x",
        b"non-Go function at pc=1\n",
        b"runtime.goexit()\n\tm.go:1\n",
        b".func1.1",
        b"\n\ngoroutine 1 {",
        b"\n\ngoroutine 1 [x] {a}:b",
        b"\n",
        b"\t",
        b" (, ",
    ],
)
def test_hostile_texts_are_read_in_one_pass(filler: bytes) -> None:
    for start in (
        b"goroutine 7 [select]:\nmain.f()\n\t",
        b"goroutine 7 [select]:\ncreated by main",
        b"goroutine 7 [x] {",
    ):
        _try(start + filler * (MIB // len(filler)))
        _try(start + filler * (MIB // len(filler)) + b"\n\tm.go:1\n")


def _check_cut(body: bytes, at: int) -> None:
    """A goroutine reaches to the end of its last line; an empty line stands between two."""
    line_end = b"\r\n" if b"\r\n" in body else b"\n"
    blocks = body.split(line_end * 2)
    ends = []
    place = 0
    for block in blocks:
        place += len(block) + len(line_end)
        ends.append(place)
        place += len(line_end)
    ends[-1] = len(body)
    whole = sum(end <= at for end in ends)
    if not whole:
        assert refusal(read_dump, body[:at]).reason is (Reason.TRUNCATED if at else Reason.EMPTY)
        return
    dump = read_dump(body[:at])
    assert dump.goroutines == read_dump(body).goroutines[:whole]
    assert dump.complete == (at in ends)


def _try(body: bytes) -> None:
    try:
        dump = read_dump(body)
    except DecodeError:
        return
    assert sum(goroutines_by_creator(dump).values()) <= len(dump.goroutines)
    assert all(seconds >= 0 for seconds in longest_waits(dump).values())
