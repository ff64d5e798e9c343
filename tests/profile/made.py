"""A small profile to spoil, and what the decoder refuses."""

from __future__ import annotations

import pytest

from pprof_exporter.profile import DecodeError, decode
from pprof_exporter.profile.proto import profile_pb2

Message = profile_pb2.Profile


def refused(data: bytes, *, max_bytes: int = 1 << 24) -> DecodeError:
    with pytest.raises(DecodeError) as raised:
        decode(data, max_bytes=max_bytes)
    assert raised.value.detail
    return raised.value


def message() -> Message:
    """One sample of `work` called by `main`, of 3 counts and 30 nanoseconds."""
    made = Message(string_table=[b"", b"samples", b"count", b"cpu", b"nanoseconds", b"work", b"main", b"/bin/program"])
    made.sample_type.add(type=1, unit=2)
    made.sample_type.add(type=3, unit=4)
    made.mapping.add(id=1, filename=7)
    made.function.add(id=1, name=5)
    made.function.add(id=2, name=6)
    made.location.add(id=1, mapping_id=1).line.add(function_id=1, line=10)
    made.location.add(id=2, mapping_id=1).line.add(function_id=2, line=20)
    made.sample.add(location_id=[1, 2], value=[3, 30])
    return made
