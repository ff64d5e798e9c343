"""A small profile to spoil, and what readers refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from pprof_exporter.profile import DecodeError, decode
from tests.proto import profile_pb2

Message = profile_pb2.Profile
Body = TypeVar("Body", str, bytes)


def refusal(read: Callable[[Body], object], body: Body) -> DecodeError:
    """Why a reader refuses a reply, in words too."""
    with pytest.raises(DecodeError) as raised:
        read(body)
    assert raised.value.detail
    return raised.value


def refused(data: bytes, *, max_bytes: int = 1 << 24) -> DecodeError:
    return refusal(lambda body: decode(body, max_bytes=max_bytes), data)


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
