"""Reads the rate of the mutex profile, which only its text form has.

Written by runtime/pprof.writeProfileInternal (Go 1.16 to 1.27): `--- mutex:`, cycles per second, `sampling period=N`.
"""

from __future__ import annotations

import re

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.page_words import is_blank

_HEAD = re.compile(rb"--- mutex:\r?\ncycles/second=\d{1,20}\r?\nsampling period=(\d{1,10})\r?\n")


def read_mutex_rate(body: bytes) -> int:
    """The rate: on average one in this number of contentions is recorded; 0: off. Raises `DecodeError`."""
    found = _HEAD.match(body)
    if found is None:
        raise DecodeError(Reason.EMPTY if is_blank(body) else Reason.TEXT, "not the text of mutex?debug=1")
    return int(found[1])
