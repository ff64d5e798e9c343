"""Recognises the two texts of pprof that serve as canaries. Any other page with status 200 proves nothing.

Written by net/http/pprof.Cmdline (os.Args joined by NUL bytes, `text/plain; charset=utf-8`) and by
runtime/pprof.printCountProfile (`NAME profile: total N`), the same from Go 1.16 to 1.27.
"""

from __future__ import annotations

import re

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.page_words import is_blank, is_markup
from pprof_exporter.profile.recognise import other_page

_PLAIN = "text/plain"
_THREADS = re.compile(rb"threadcreate profile: total \d{1,18}\r?\n")


def check_cmdline(body: bytes, content_type: str) -> None:
    """Raise `DecodeError` unless this can be a command line. `content_type` is "" if it is not known."""
    if is_blank(body):
        raise DecodeError(Reason.EMPTY, "no bytes")
    if is_markup(body):
        raise DecodeError(Reason.HTML, "an HTML page in place of the command line")
    if content_type not in ("", _PLAIN):
        raise DecodeError(Reason.TEXT, f"{content_type} in place of the command line")


def check_threads(body: bytes) -> None:
    """Raise `DecodeError` unless this is the text of threadcreate?debug=1."""
    if not _THREADS.match(body):
        raise other_page(body, "not the text of threadcreate?debug=1")
