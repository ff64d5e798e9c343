"""Decodes a profile.proto body into a `Profile`, by the rules of Go's reader; see `Difference` for what differs."""

from __future__ import annotations

from enum import Enum

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.inflate import inflate
from pprof_exporter.profile.profile import Profile
from pprof_exporter.profile.reader.bounds import check_size
from pprof_exporter.profile.reader.choice import READER, Reader
from pprof_exporter.profile.recognise import hint_of_binary, reject_other_formats

MAX_INFLATED_BYTES = 64 * 1024 * 1024


class Difference(Enum):
    """What is deliberately not as in Go's reader (google/pprof, profile.ParseData, as vendored in Go 1.27).

    A test of each has its name.
    """

    NO_SAMPLE_TYPES = "A profile without sample types is refused: it has nothing to watch. Go accepts an empty one."
    TOO_LARGE = "A message that would become too large is refused (reader/bounds.py). Go takes what memory there is."
    TWO_LAYERS = "Two layers of gzip are undone: a compressing proxy adds one. Go undoes one, and refuses the rest."
    TEXT_FORMATS = "The text formats are refused: Go writes them for people. Go's reader falls back on them."


def decode(data: bytes, *, max_bytes: int = MAX_INFLATED_BYTES, reader: Reader = READER) -> Profile:
    """Decode a profile, gzip or plain, of at most `max_bytes` inflated bytes.

    Raises only `DecodeError`, for bytes that are not a valid profile.
    """
    body = inflate(data, max_bytes)
    reject_other_formats(body)
    check_size(len(body))
    try:
        columns = reader.read(body)
    except DecodeError as error:
        if error.reason in (Reason.PROTO, Reason.INVALID):
            error.hint = hint_of_binary(body)
        raise
    return Profile(columns, reader)
