"""Messages and streams that are made to be read, or refused, for one reason each."""

from __future__ import annotations

import gzip
import zlib

from pprof_exporter.profile.reader.wire import encoded
from tests.profile.made import Message, message

ONLY_WE_REFUSE = ("no sample types",)
"""How our refusals begin where Go accepts: see `Difference`."""


def field(number: int, wire: int, content: bytes = b"") -> bytes:
    """A field as bytes, with its length if it has one."""
    length = encoded(len(content)) if wire == 2 else b""
    return encoded(number << 3 | wire) + length + content


def negative(value: int) -> bytes:
    """A negative number as bytes."""
    return encoded(value + 2**64)


WHOLE = message().SerializeToString()


def changed(**values: int) -> bytes:
    made = message()
    for name, value in values.items():
        setattr(made, name, value)
    return made.SerializeToString()


def with_sample(content: bytes) -> bytes:
    """With a second sample."""
    return WHOLE + field(2, 2, content)


def unpacked() -> bytes:
    made = message()
    del made.sample[:]
    return made.SerializeToString() + field(2, 2, b"\x08\x01\x08\x02\x10\x03\x10\x1e")


def sparse() -> Message:
    """With ids that are no numbers of their places."""
    made = message()
    for table in (made.function, made.location, made.mapping):
        for entry in table:
            entry.id = entry.id * 2**40 + 7
    for place in made.location:
        place.mapping_id = made.mapping[0].id
        place.line[0].function_id = place.line[0].function_id * 2**40 + 7
    ids = [place.id for place in made.location]
    del made.sample[0].location_id[:]
    made.sample[0].location_id.extend(ids)
    return made


def twice_the_same_name() -> bytes:
    made = message()
    made.string_table.append(b"work")
    made.function[1].name = len(made.string_table) - 1
    return made.SerializeToString()


def without_names() -> bytes:
    made = message()
    made.function[0].name = 0
    made.function[1].name = 0
    made.function[1].system_name = 6
    return made.SerializeToString()


def cancelling() -> bytes:
    made = message()
    made.sample.add(location_id=[1, 2], value=[-3, -30])
    return made.SerializeToString()


def overflowing() -> bytes:
    made = message()
    made.sample.add(location_id=[1, 1], value=[2**63 - 1, -(2**63)])
    made.sample.add(location_id=[], value=[2**63 - 1, -(2**63)])
    return made.SerializeToString()


CRAFTED: dict[str, tuple[bool, bytes]] = {
    "a small profile": (True, WHOLE),
    "stacks and values not packed": (True, unpacked()),
    "ids far apart": (True, sparse().SerializeToString()),
    "one name twice in the string table": (True, twice_the_same_name()),
    "functions without names": (True, without_names()),
    "values that cancel": (True, cancelling()),
    "sums beyond 64 bits": (True, overflowing()),
    "a sample without a stack": (True, with_sample(b"\x12\x02\x01\x01")),
    "a stack in two pieces": (True, with_sample(b"\x0a\x01\x01\x12\x02\x01\x01\x08\x02\x0a\x01\x02")),
    "a field of number 0": (True, WHOLE + b"\x00\x07"),
    "an unknown field": (True, WHOLE + field(99, 2, b"what") + field(98, 0, b"\x07") + field(97, 5, bytes(4))),
    "an unknown field of eight bytes": (True, WHOLE + field(97, 1, bytes(8))),
    "an id in ten bytes": (True, with_sample(b"\x08" + b"\x81" + b"\x80" * 8 + b"\x00" + b"\x12\x02\x01\x01")),
    "bits beyond the 64th": (True, with_sample(b"\x08" + b"\x81" + b"\x80" * 8 + b"\x7e" + b"\x12\x02\x01\x01")),
    "the type of the period twice": (True, WHOLE + field(11, 2, b"\x08\x01") + field(11, 2, b"\x08\x03\x10\x04")),
    "a period twice": (True, WHOLE + field(12, 0, b"\x05") + field(12, 0, b"\x07")),
    "a time stamp of 0, then another": (True, WHOLE + field(9, 0, b"\x00") + field(9, 0, b"\x07")),
    "a negative duration": (True, WHOLE + field(10, 0, negative(-5))),
    "a label without anything": (True, with_sample(b"\x12\x02\x01\x01\x1a\x00")),
    "a text of a label, and a unit that does not exist": (
        True,
        with_sample(b"\x12\x02\x01\x01\x1a\x04\x10\x01\x20\x63"),
    ),
    "a mapping that does not exist": (True, WHOLE + field(4, 2, b"\x08\x03\x10\x09")),
    "no samples": (True, Message(string_table=[b"", b"x"], sample_type=[{"type": 1}]).SerializeToString()),
    "a packed list of no comments": (True, WHOLE + field(13, 2)),
    "comments of both forms": (True, WHOLE + field(13, 2, b"\x01\x02") + field(13, 0, b"\x03")),
    "no sample types": (False, Message(string_table=[b""]).SerializeToString()),
    "nothing at all": (False, b""),
    "no string table": (False, field(1, 2)),
    "a first string that is not empty": (False, field(6, 2, b"x") + WHOLE),
    "a time stamp twice": (False, WHOLE + field(9, 0, b"\x07") + field(9, 0, b"\x07")),
    "a number where a message belongs": (False, WHOLE + field(2, 0, b"\x01")),
    "a message where a number belongs": (False, WHOLE + field(12, 2, b"\x01")),
    "a period of eight bytes": (False, WHOLE + field(12, 1, bytes(8))),
    "a group": (False, WHOLE + field(99, 3) + field(99, 4)),
    "a location id of eight bytes": (False, with_sample(b"\x09" + bytes(8) + b"\x12\x02\x01\x01")),
    "an id in eleven bytes": (False, with_sample(b"\x08" + b"\x81" + b"\x80" * 9 + b"\x00" + b"\x12\x02\x01\x01")),
    "a tag that is cut": (False, WHOLE + b"\xff"),
    "a length that is cut": (False, WHOLE + b"\x12\xff"),
    "a length beyond the end": (False, WHOLE + b"\x12\x05\x00"),
    "a length of 64 bits": (False, WHOLE + b"\x12" + encoded(2**64 - 1)),
    "a packed number that is cut": (False, with_sample(b"\x0a\x01\x80\x12\x02\x01\x01")),
    "a line that is no message": (False, WHOLE + field(4, 2, b"\x08\x03\x20\x01")),
    "a label that is no message": (False, with_sample(b"\x12\x02\x01\x01\x18\x01")),
    "a key that does not exist": (False, with_sample(b"\x12\x02\x01\x01\x1a\x02\x08\x63")),
    "a document that does not exist": (False, changed(doc_url=99)),
    "frames to drop that do not exist": (False, changed(drop_frames=-1)),
}
"""By what is special: whether it is valid, and the message."""

_CONTENTS = zlib.compressobj(wbits=-15)
_DEFLATED = _CONTENTS.compress(WHOLE) + _CONTENTS.flush()
_TRAILER = zlib.crc32(WHOLE).to_bytes(4, "little") + len(WHOLE).to_bytes(4, "little")


def stream(flags: int, header: bytes = b"", contents: bytes = _DEFLATED + _TRAILER) -> bytes:
    """A gzip stream with flags, and what they announce."""
    return b"\x1f\x8b\x08" + bytes((flags,)) + bytes(6) + header + contents


def _checked(flags: int, header: bytes = b"") -> bytes:
    start = b"\x1f\x8b\x08" + bytes((flags,)) + bytes(6) + header
    return start + (zlib.crc32(start) & 0xFFFF).to_bytes(2, "little") + _DEFLATED + _TRAILER


STREAMS: dict[str, bytes] = {
    "plain": stream(0),
    "reserved flags": stream(0xE0),
    "text": stream(1),
    "a name": stream(8, b"heap\0"),
    "a name of 511 bytes": stream(8, b"n" * 511 + b"\0"),
    "a name of 512 bytes": stream(8, b"n" * 512 + b"\0"),
    "a name without an end": stream(8, b"n" * 40, b""),
    "a comment": stream(16, b"heap\0"),
    "something extra": stream(4, b"\x03\x00abc"),
    "something extra that is cut": stream(4, b"\xff\x7fabc", b""),
    "all of them": _checked(2 | 4 | 8 | 16, b"\x03\x00abcname\0comment\0"),
    "a checksum of the header": _checked(2),
    "a wrong checksum of the header": stream(2, b"\x00\x00"),
    "another method": b"\x1f\x8b\x07" + stream(0)[3:],
    "two members": stream(0) + stream(8, b"two\0"),
    "two members, the second cut": stream(0) + stream(0)[:5],
    "zeros behind the end": stream(0) + bytes(20),
    "a wrong length": stream(0, b"", _DEFLATED + _TRAILER[:4] + b"\x01\0\0\0"),
    "a wrong checksum": stream(0, b"", _DEFLATED + b"\0\0\0\0" + _TRAILER[4:]),
    "no trailer": stream(0, b"", _DEFLATED),
    "many members": gzip.compress(b"") * 100 + gzip.compress(WHOLE),
}
