"""The text of `goroutine?debug=2`: every goroutine with its state, how long it waits, and what created it.

Written by runtime/traceback.go (goroutineheader, traceback1) into a buffer that runtime/pprof.writeGoroutineStacks
doubles up to 64 MB. The profile in binary knows neither waits nor creators, but asking for this text stops the world
until all of it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.names import entry_name
from pprof_exporter.profile.recognise import refuse

_BEGIN = b"goroutine "
_NEXT = b"\n\n" + _BEGIN
# Go gives up here and sends what it has (runtime/pprof/pprof.go writeGoroutineStacks).
_LIMIT = 64 * 1024 * 1024
# Pointers stand in the header of a crash only. Labels since Go 1.26 (GODEBUG=tracebacklabels, on from go.mod 1.27);
# they are quoted, so that no line ends within them.
_HEADER = re.compile(
    rb"goroutine (\d{1,20})(?: gp=\S{1,40} m=\S{1,20}(?: mp=\S{1,40})?)? \[([^\]\n]{1,200})\](?: \{[^\n]*\})?:\n"
)
_CUT_HEADER = re.compile(rb"goroutine \d{1,20}(?:\Z| (?:\Z|[\[g]))")
# GODEBUG=tracebackancestors adds the stacks of the creators, which are not those of the goroutine.
_STACK_END = re.compile(rb"\n(?:created by ([^\n]+)\n\t[^\n]*\n|\[originating from goroutine )")
_PARENT = re.compile(r" in goroutine \d{1,20}\Z")
_MINUTES = re.compile(r"\d{1,12}(?= minutes\Z)", re.ASCII)
# Frames of C have no offset in a function, but the address (runtime/traceback.go printOneCgoTraceback).
_PLACE_IN_C = re.compile(rb"\t(?:[^\n]*:\d{1,20} )?pc=0x[0-9a-f]+\Z")
_ELIDED = b" frames elided...\n"
# Go before 1.21 leaves out the outermost frames; since then it leaves out those in the middle, and says how many.
_CUT_SHORT = b"...additional" + _ELIDED
_GOEXIT = b"runtime.goexit"
# Shown as the last frame of goroutines whose creator is not (runtime/traceback.go showfuncinfo).
_ROOTS = {"runtime.runFinalizers", "runtime.runCleanups"}
_MAIN = b"1"
# runtime/traceback.go gStatusStrings, other than syscall and waiting: no wait is taken of them.
_NOT_WAITING = {"idle", "runnable", "running", "dead", "copystack", "leaked", "preempted", "???"}


@dataclass(frozen=True, slots=True)
class DumpedGoroutine:
    """One goroutine of the text. Names are without the numbers of closures (`names.entry_name`)."""

    state: str
    """Why it waits, or else its status: `chan receive` (runtime/runtime2.go waitReasonStrings, gStatusStrings)."""
    qualifiers: tuple[str, ...]
    """What else the header says: `nil chan`, `no cases`, `durable`, `scan`, `synctest bubble 1`."""
    minutes: int | None
    """Whole minutes; None below one, and for what does not wait or is leaked.

    They count from the collection before the one that first saw it wait (runtime/mgcmark.go markroot takes the time
    that gcMark, in mgc.go, set last): up to one interval of the collector too many, and none before the second.
    """
    locked: bool
    """Locked to its thread."""
    leaked: bool
    """Found unreachable by leak detection (Go 1.26 and later)."""
    creator: str | None
    """Function with the go statement; None for the main goroutine, and where the runtime is the creator."""
    entry: str
    """Outermost function in Go that is shown; empty where there is none, or where it was cut off (Go before 1.21)."""
    elided: bool
    """Frames of its stack are left out: it is deeper than 100."""


@dataclass(frozen=True, slots=True)
class Dump:
    """The goroutines of the text that are whole, in its order."""

    goroutines: tuple[DumpedGoroutine, ...]
    whole: bool
    """Whether the text ended properly and everything in it could be read.

    A text that ends right after a goroutine cannot be told from a whole one; one that ends with a goroutine without a
    creator, other than the main goroutine, counts as cut within it.
    """


def read_dump(body: bytes) -> Dump:
    """Read what `goroutine?debug=2` answered.

    Raises `DecodeError`, and nothing else: empty, html, text (another page), proto (binary), or truncated (not even the
    first goroutine is whole).
    """
    text = body.replace(b"\r\n", b"\n")
    if not _HEADER.match(text):
        raise _stranger(text)
    found = [_read(block, last=last) for block, last in _blocks(text)]
    goroutines = tuple(goroutine for goroutine in found if goroutine)
    if not goroutines:
        raise DecodeError(Reason.TRUNCATED, "the text ends within the first goroutine")
    ended = len(body) < _LIMIT and text.endswith(b"\n") and not text.endswith(b"\n\n")
    return Dump(goroutines, whole=ended and len(goroutines) == len(found))


def creators(dump: Dump) -> dict[str, int]:
    """Goroutines by the function that created them; those without a creator, as the main goroutine, by their entry.

    Goroutines of which the text names neither are left out.
    """
    counts: dict[str, int] = {}
    for goroutine in dump.goroutines:
        name = goroutine.creator or goroutine.entry
        if name:
            counts[name] = counts.get(name, 0) + 1
    return counts


def longest_wait(dump: Dump) -> dict[str, float]:
    """Seconds of the longest wait in each state, in whole minutes: 0 where all are below one.

    Go tells no wait of goroutines that run or are leaked (runtime/traceback.go goroutineheader): states that have only
    such are left out. As exact as `DumpedGoroutine.minutes`.
    """
    waits: dict[str, float] = {}
    for goroutine in dump.goroutines:
        if goroutine.minutes is None and (goroutine.leaked or goroutine.state in _NOT_WAITING):
            continue
        waits[goroutine.state] = max(waits.get(goroutine.state, 0.0), (goroutine.minutes or 0) * 60.0)
    return waits


def _stranger(text: bytes) -> DecodeError:
    if not text.strip():
        return DecodeError(Reason.EMPTY, "no bytes")
    if _BEGIN.startswith(text) or (b"\n" not in text and _CUT_HEADER.match(text)):
        return DecodeError(Reason.TRUNCATED, "the text ends within the header of the first goroutine")
    try:
        refuse(text)
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
    """The goroutine of a block; None for one that is cut or has no header."""
    header = _HEADER.match(block)
    if header is None:
        return None
    # The header may be followed by its creator at once: the stack of a running goroutine is unavailable.
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
    """The last function of Go in whole lines: `name(arguments)`, and its place in the next line.

    A goroutine that did not run yet shows `runtime.goexit`, where every stack ends, below its function.
    """
    lines = stack.split(b"\n")[:-1]
    outermost = b""
    for below in range(len(lines) - 1, 0, -1):
        frame, place = lines[below - 1], lines[below]
        if not (frame.endswith(b")") and place.startswith(b"\t")) or _PLACE_IN_C.match(place):
            continue
        # Names hold parentheses, `(*T).Method`; arguments do not.
        name, _, _ = frame.rpartition(b"(")
        outermost = name or outermost
        if name and name != _GOEXIT:
            break
    return outermost


def _at_root(number: bytes, entry: str) -> bool:
    """Whether a stack without a creator reaches its end, as far as that can be told."""
    return entry in _ROOTS or (number == _MAIN and entry == "main.main")


def _name(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
