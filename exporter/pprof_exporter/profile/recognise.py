"""Recognises bodies that are not profile.proto: HTML, text and other profile formats."""

from __future__ import annotations

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError

_HEAD_BYTES = 512
_TEXT = bytes(range(0x20, 0x100)) + b"\t\n\r\f\x1b"
_LEGACY = {
    b"heap profile:": "the text format of heap?debug=1",
    b"goroutine profile:": "the text format of goroutine?debug=1",
    b"threadcreate profile:": "the text format of threadcreate?debug=1",
    b"goroutineleak profile:": "the text format of goroutineleak?debug=1",
    b"--- contention:": "the text format of block?debug=1",
    b"--- mutex:": "the text format of mutex?debug=1",
    b"goroutine ": "the text format of goroutine?debug=2",
}
# gperftools' binary CPU profile: machine words 0, 3, 0, sampling period, 0.
_GPERFTOOLS = (b"\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", b"\0\0\0\0\3\0\0\0\0\0\0\0")


def reject_other_formats(body: bytes) -> None:
    """Raise `DecodeError` (empty, html, text, proto) for a body in another format.

    A profile.proto message starts with a field tag and a small length, both control characters in practice. So a body
    that starts without control characters is text.
    """
    if not body:
        raise DecodeError(Reason.EMPTY, "no bytes")
    head = body[:_HEAD_BYTES]
    if head.startswith(b"go 1.") and b" trace\0" in head[:16]:
        raise DecodeError(Reason.PROTO, f"an execution trace ({head[:16].rstrip(bytes(1)).decode('latin-1')})")
    if head.startswith(_GPERFTOOLS):
        raise DecodeError(Reason.PROTO, "the binary format of gperftools; convert it with `pprof -proto`")
    if head.translate(None, _TEXT):
        return
    if head.lstrip().startswith(b"<"):
        raise DecodeError(Reason.HTML, f"an HTML page: {_quote(head)}")
    form = next((form for start, form in _LEGACY.items() if head.startswith(start)), None)
    raise DecodeError(Reason.TEXT, form or f"text: {_quote(head)}")


def other_page(body: bytes, said: str) -> DecodeError:
    """The error for a body that is another text than the expected one: empty, html or text."""
    if not body.strip():
        return DecodeError(Reason.EMPTY, "no bytes")
    return DecodeError(Reason.HTML if body.lstrip().startswith(b"<") else Reason.TEXT, said)


def _quote(head: bytes) -> str:
    return repr(" ".join(head.decode("utf-8", "replace").split())[:60])
