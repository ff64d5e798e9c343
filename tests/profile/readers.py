"""Everything that a reader finds in a message, in one value to compare; and what readers are tried on."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from pprof_exporter.profile import DecodeError
from pprof_exporter.profile.function_names.traits import Trait
from pprof_exporter.profile.reader.choice import NATIVE, PYTHON, Reader, Sums
from pprof_exporter.profile.reader.columns import Columns
from pprof_exporter.profile.reader.wire import encoded, varint
from tests.lab import Missing

EACH_READER = [PYTHON, *([NATIVE] if NATIVE else [])]
_ENDS = Trait.LOST | Trait.OPAQUE | Trait.RUNTIME
_ANY = (Trait.COLLECTOR, Trait.BLIND, Trait.PLUMBING)


def native() -> Reader:
    """The compiled reader; a machine without a compiler has none."""
    if NATIVE is None:
        raise Missing("the compiled reader: there was no C compiler when the project was installed")
    return NATIVE


def everything(columns: Columns, sums: Sums) -> list[object]:
    """All that columns have and all that can be summed up."""
    found: list[object] = [
        columns.header,
        (columns.samples, columns.locations, columns.functions, columns.mappings, columns.strings, columns.width),
        (columns.inlined, columns.start_lines, columns.traits, list(columns.names)),
        columns.mapped_files(),
        columns.source_files(),
        sums.every_total(columns),
    ]
    for index in range(columns.width):
        found += [
            sums.weights(columns, index),
            sums.chosen(columns, index, 0, False),
            sums.chosen(columns, index, Trait.PLUMBING.value, False),
            sums.chosen(columns, index, Trait.GOEXIT.value, True),
            sums.with_leaf(columns, index, Trait.BLOCKED.value),
            [sums.with_any(columns, index, trait.value) for trait in _ANY],
            sums.ends(columns, index, _ENDS.value),
            sums.depths(columns, index),
            sums.beginnings(columns, index),
        ]
    return found


def outcome(reader: Reader, body: bytes) -> list[object]:
    """What a reader finds in a message, without the main goroutine too; or why it refuses it."""
    try:
        columns = reader.read(body)
    except DecodeError as refusal:
        return [refusal.reason, refusal.detail]
    fewer, kept = columns.without_root(Trait.MAIN.value)
    return [*everything(columns, reader.sums), kept, *everything(fewer, reader.sums)]


def is_refusal(outcome: Sequence[object]) -> bool:
    """Whether a message was refused."""
    return len(outcome) == len(("reason", "detail"))


def damaged(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """A message with a few bytes changed, cut out, put in, or taken from another one."""
    made = bytearray(body)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(made) + 1)
        length = chance.randrange(1, 12)
        match chance.randrange(6):
            case 0 | 1 if made:
                made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
            case 2:
                del made[at : at + length]
            case 3:
                made[at:at] = chance.randbytes(length)
            case 4:
                made[at:at] = made[max(0, at - length) : at]
            case _:
                other = chance.choice(others)
                begin = chance.randrange(len(other))
                made[at : at + length] = other[begin : begin + length]
    return bytes(made)


def rebuilt(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """A message with one of its fields, at any depth, left out, doubled, moved, or written in another way."""
    pieces = _fields_of(body)
    chosen = chance.randrange(len(pieces))
    number, wire, content = pieces[chosen]
    if wire == _BYTES and number in _NESTED and content and chance.random() < 0.8:
        try:
            inner = rebuilt(chance, content, others)
        except DecodeError:  # Numbers and not fields.
            inner = content
        pieces[chosen] = number, wire, inner
    else:
        _change(chance, pieces, chosen)
    return b"".join(_written(*piece) for piece in pieces)


CHANGES: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (damaged, rebuilt)

_BYTES = 2
_NESTED = (1, 2, 3, 4, 5, 11)
_SPECIAL = (0, 1, 2, 127, 128, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1)


def _fields_of(body: bytes) -> list[tuple[int, int, bytes]]:
    """Number, wire type and bytes of each field of a message."""
    pieces = []
    at = 0
    while at < len(body):
        tag, at = varint(body, at, len(body))
        begin = at
        match tag & 7:
            case 0:
                _, at = varint(body, at, len(body))
            case 2:
                length, begin = varint(body, at, len(body))
                at = begin + length
            case 1:
                at += 8
            case _:
                at += 4
        pieces.append((tag >> 3, tag & 7, body[begin:at]))
    return pieces


def _change(chance: random.Random, pieces: list[tuple[int, int, bytes]], chosen: int) -> None:
    number, wire, content = piece = pieces[chosen]
    match chance.randrange(7):
        case 0:
            del pieces[chosen]
        case 1:
            pieces.insert(chosen, piece)
        case 2:
            pieces.append(pieces.pop(chosen))
        case 3:
            pieces[chosen] = number, chance.randrange(8), content
        case 4:
            pieces[chosen] = chance.choice((0, number + 1, 15, 16, 2**28, 2**61 - 1)), wire, content
        case 5:
            pieces[chosen] = number, 0, encoded(chance.choice(_SPECIAL))
        case _:
            pieces[chosen] = number, _BYTES, b"".join(encoded(chance.choice(_SPECIAL)) for _ in range(3))


def _written(number: int, wire: int, content: bytes) -> bytes:
    length = encoded(len(content)) if wire == _BYTES else b""
    return encoded(number << 3 | wire) + length + content
