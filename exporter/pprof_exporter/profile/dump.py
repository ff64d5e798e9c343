"""Reads the text of `goroutine?debug=2`: every goroutine with its state, waiting time and creator.

Written by runtime/traceback.go (goroutineheader, traceback1) into a buffer that runtime/pprof.writeGoroutineStacks
doubles up to 64 MB. The binary profile has neither waits nor creators, but requesting this text stops the world until
all of it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.function_names.names import entry_name
from pprof_exporter.profile.page_words import is_blank
from pprof_exporter.profile.recognise import reject_other_formats

_BEGIN = b"goroutine "
_NEXT = b"\n\n" + _BEGIN
# Go stops at this size and sends the text so far (runtime/pprof/pprof.go writeGoroutineStacks).
_LIMIT = 64 * 1024 * 1024
# Only the header of a crash has pointers. Labels exist since Go 1.26 (GODEBUG=tracebacklabels, on from go.mod 1.27);
# they are quoted, so that they contain no line break.
_HEADER = re.compile(
    rb"goroutine (\d{1,20})(?: gp=\S{1,40} m=\S{1,20}(?: mp=\S{1,40})?)? \[([^\]\n]{1,200})\](?: \{[^\n]*\})?:\n"
)
_CUT_HEADER = re.compile(rb"goroutine \d{1,20}(?:\Z| (?:\Z|[\[g]))")
# GODEBUG=tracebackancestors adds the stacks of the creators, which are not those of the goroutine.
_STACK_END = re.compile(rb"\n(?:created by ([^\n]+)\n\t[^\n]*\n|\[originating from goroutine )")
_PARENT = re.compile(r" in goroutine \d{1,20}\Z")
_MINUTES = re.compile(r"\d{1,12}(?= minutes\Z)", re.ASCII)
# C frames have an address in place of the offset in a function (runtime/traceback.go printOneCgoTraceback).
_PLACE_IN_C = re.compile(rb"\t(?:[^\n]*:\d{1,20} )?pc=0x[0-9a-f]+\Z")
_ELIDED = b" frames elided...\n"
# Go before 1.21 omits the outermost frames; since then Go omits those in the middle, and prints their number.
_CUT_SHORT = b"...additional" + _ELIDED
_GOEXIT = b"runtime.goexit"
# The last shown frame of goroutines whose creator is not shown (runtime/traceback.go showfuncinfo).
_ROOTS = {"runtime.runFinalizers", "runtime.runCleanups"}
_MAIN = b"1"
# runtime/traceback.go gStatusStrings, other than syscall and waiting: Go records no wait for them.
_NOT_WAITING = {"idle", "runnable", "running", "dead", "copystack", "leaked", "preempted", "???"}


@dataclass(frozen=True, slots=True)
class DumpedGoroutine:
    """One goroutine of the text. Function names have no closure numbers (`names.entry_name`)."""

    state: str
    """Wait reason, or else the status: `chan receive` (runtime/runtime2.go waitReasonStrings, gStatusStrings)."""
    qualifiers: tuple[str, ...]
    """Other entries of the header: `nil chan`, `no cases`, `durable`, `scan`, `synctest bubble 1`."""
    minutes: int | None
    """Waiting time in whole minutes; None below one minute, and for goroutines that do not wait or are leaked.

    It counts from the collection before the one that first saw the wait (runtime/mgcmark.go markroot takes the time
    that gcMark, in mgc.go, set last): up to one GC interval too long, and None before the second collection.
    """
    locked: bool
    """Locked to its thread."""
    leaked: bool
    """Found unreachable by leak detection (Go 1.26 and later)."""
    creator: str | None
    """Function with the go statement; None for the main goroutine, and where the runtime is the creator."""
    entry: str
    """Outermost Go function that is shown; empty if there is none, or if it was cut off (Go before 1.21)."""
    elided: bool
    """Frames are omitted, since the stack is deeper than 100."""


@dataclass(frozen=True, slots=True)
class GoroutineDump:
    """The complete goroutines of the text, in its order."""

    goroutines: tuple[DumpedGoroutine, ...]
    complete: bool
    """Whether the text ends properly and every goroutine in it could be read.

    A text that was cut right after a goroutine looks complete. A text that ends with a goroutine without a creator,
    other than the main goroutine, counts as cut within it.
    """


def read_dump(body: bytes) -> GoroutineDump:
    """Read a reply to `goroutine?debug=2`.

    Raises only `DecodeError`: empty, html, text (another page), proto (binary), or truncated (not even the first
    goroutine is complete).
    """
    text = body.replace(b"\r\n", b"\n")
    if not _HEADER.match(text):
        raise _format_error(text)
    found = [_read(block, last=last) for block, last in _blocks(text)]
    goroutines = tuple(goroutine for goroutine in found if goroutine)
    if not goroutines:
        raise DecodeError(Reason.TRUNCATED, "the text ends within the first goroutine")
    ended = len(body) < _LIMIT and text.endswith(b"\n") and not text.endswith(b"\n\n")
    return GoroutineDump(goroutines, complete=ended and len(goroutines) == len(found))


def goroutines_by_creator(dump: GoroutineDump) -> dict[str, int]:
    """Goroutines by the function that created them; those without a creator, like the main goroutine, by their entry.

    Goroutines with neither in the text are left out.
    """
    counts: dict[str, int] = {}
    for goroutine in dump.goroutines:
        name = goroutine.creator or goroutine.entry
        if name:
            counts[name] = counts.get(name, 0) + 1
    return counts


def longest_waits(dump: GoroutineDump) -> dict[str, float]:
    """Seconds of the longest wait in each state, in whole minutes; 0 if all waits are below one minute.

    Go prints no wait for goroutines that run or are leaked (runtime/traceback.go goroutineheader): states with only
    such goroutines are left out. As exact as `DumpedGoroutine.minutes`.
    """
    waits: dict[str, float] = {}
    for goroutine in dump.goroutines:
        if goroutine.minutes is None and (goroutine.leaked or goroutine.state in _NOT_WAITING):
            continue
        waits[goroutine.state] = max(waits.get(goroutine.state, 0.0), (goroutine.minutes or 0) * 60.0)
    return waits


def _format_error(text: bytes) -> DecodeError:
    if is_blank(text):
        return DecodeError(Reason.EMPTY, "no bytes")
    if _BEGIN.startswith(text) or (b"\n" not in text and _CUT_HEADER.match(text)):
        return DecodeError(Reason.TRUNCATED, "the text ends within the header of the first goroutine")
    try:
        reject_other_formats(text)
    except DecodeError as error:
        return error
    return DecodeError(Reason.PROTO, "binary data instead of the text of goroutine?debug=2")


def _blocks(text: bytes) -> Iterator[tuple[bytes, bool]]:
    """The text of each goroutine, and whether it is the last."""
    start = 0
    while (end := text.find(_NEXT, start)) >= 0:
        yield text[start : end + 1], False
        start = end + 2
    yield text[start:], True


def _read(block: bytes, *, last: bool) -> DumpedGoroutine | None:
    """The goroutine of a block; None if the block is cut or has no header."""
    header = _HEADER.match(block)
    if header is None:
        return None
    # The creator can follow the header directly: the stack of a running goroutine is unavailable.
    end = _STACK_END.search(block, header.end() - 1)
    stack = block[header.end() : end.start() + 1 if end else len(block)]
    creator = _PARENT.sub("", _name(end[1])) if end and end[1] else None
    entry = b"" if stack.endswith(_CUT_SHORT) else _outermost(stack)
    if last and end is None and not _at_root(header[1], _name(entry)):
        return None
    status, *others = header[2].decode("utf-8", "backslashreplace").split(", ")
    state, *notes = status.split(" (")
    notes = [note.removesuffix(")") for note in notes]
    minutes = next((int(found[0]) for part in others if (found := _MINUTES.match(part))), None)
    return DumpedGoroutine(
        state=state,
        qualifiers=(
            *(note for note in notes if note != "leaked"),
            *(part for part in others if part != "locked to thread" and not _MINUTES.match(part)),
        ),
        minutes=minutes,
        locked="locked to thread" in others,
        leaked="leaked" in notes,
        creator=entry_name(creator) if creator else None,
        entry=entry_name(_name(entry)),
        elided=_ELIDED in stack,
    )


def _outermost(stack: bytes) -> bytes:
    """The last Go function in complete lines: `name(arguments)`, and its source position in the next line.

    A goroutine that has not run yet shows `runtime.goexit`, where every stack ends, below its function.
    """
    lines = stack.split(b"\n")[:-1]
    outermost = b""
    for below in range(len(lines) - 1, 0, -1):
        frame, place = lines[below - 1], lines[below]
        if not (frame.endswith(b")") and place.startswith(b"\t")) or _PLACE_IN_C.match(place):
            continue
        # Names can have parentheses, `(*T).Method`; arguments cannot.
        name, _, _ = frame.rpartition(b"(")
        outermost = name or outermost
        if name and name != _GOEXIT:
            break
    return outermost


def _at_root(number: bytes, entry: str) -> bool:
    """Whether a stack without a creator is complete, as far as the text shows."""
    return entry in _ROOTS or (number == _MAIN and entry == "main.main")


def _name(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
