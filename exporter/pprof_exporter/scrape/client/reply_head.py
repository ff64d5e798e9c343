"""Status line and header of an HTTP/1 reply, as Go's client reads them.

Sources: `ReadResponse` (net/http/response.go), `readMIMEHeader` (net/textproto/reader.go) and `readTransfer`
(net/http/transfer.go) of Go 1.27.3. Go's own words for what it refuses are in the messages, so that they can be found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pprof_exporter.catalog.hints import Hint
from pprof_exporter.scrape.client.errors import HttpError
from pprof_exporter.scrape.client.protocols import protocol_of

# Go takes 10 MiB (http.Transport.MaxResponseHeaderBytes) in a tenth of the memory that Python needs for as many lines.
MAX_HEAD_BYTES = 2**20
MAX_HEAD_LINES = 10_000

# `validHeaderFieldByte` and, for compatibility, a space (golang/go 34540); `validHeaderValueByte`.
_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z ]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_VERSION = re.compile(r"HTTP/([0-9])\.([0-9])")
_STATUS = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[0-9]{1,100}")
_MAX_LENGTH = 2**63 - 1
_SHOWN = 60
_NEVER_TRAILERS = ("transfer-encoding", "trailer", "content-length")
_WITHOUT_BODY = (204, 304)


class MalformedReply(HttpError):
    """What came is no HTTP/1 reply that Go's client would take."""


class NotHttp(MalformedReply):
    """What came does not begin like a reply. `hint` names the protocol, if it was recognised."""

    def __init__(self, message: str, hint: Hint | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class MalformedHeader(MalformedReply):
    """The status line is one, and a header is not."""


class HeadTooLarge(HttpError):
    """The header has more bytes or lines than are read."""


class Framing(Enum):
    """How the end of a body is known."""

    NO_BODY = "no body"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"
    """The server closes the connection."""


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """Status line and header. Names are in lower case; of a name that came more than once, all values in order."""

    status: int
    status_text: str
    headers: Mapping[str, Sequence[str]]
    framing: Framing
    length: int = 0
    """Bytes of the body under `Framing.LENGTH`."""

    def get(self, name: str) -> str:
        """The first value of a header, "" if there is none."""
        values = self.headers.get(name)
        return values[0] if values else ""

    @property
    def content_type(self) -> str:
        """Media type of the body without its parameters, "" if the server names none."""
        return self.get("content-type").partition(";")[0].strip().lower()


def read_head(head: bytes) -> ReplyHead:
    """Read a head up to the line feed before its empty line. Raises `MalformedReply` and `HeadTooLarge`."""
    if head.count(b"\n") > MAX_HEAD_LINES:
        raise HeadTooLarge(f"more than {MAX_HEAD_LINES} lines of headers")
    first, *rest = head.decode("utf-8", "replace").split("\n")
    version, status, text = _status_line(first.removesuffix("\r"))
    headers = _headers(rest)
    framing, length = _framing(version, status, headers)
    return ReplyHead(status, text, headers, framing, length)


def read_headers(block: bytes) -> dict[str, list[str]]:
    """Read header lines, such as those after a chunked body, without the last line feed. Raises `MalformedHeader`."""
    return _headers(block.decode("utf-8", "replace").split("\n"))


def reject_other_protocols(start: bytes) -> None:
    """Raise `NotHttp` if a reply that begins so cannot be HTTP/1."""
    if not start.startswith(b"HTTP/"[: len(start)]):
        raise NotHttp(f"it begins with {quoted(start)}", protocol_of(start))


def quoted(data: bytes | str) -> str:
    """The beginning of what came, for a message."""
    shown = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
    return repr(shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…")


def _status_line(line: str) -> tuple[tuple[int, int], int, str]:
    """Version, status, and the text after "HTTP/1.1 "."""
    protocol, space, text = line.partition(" ")
    if not space:
        raise NotHttp(f"malformed HTTP response {quoted(line)}")
    text = text.lstrip(" ")
    code = text.partition(" ")[0]
    if len(code) != 3 or _STATUS.fullmatch(code) is None or int(code) < 0:
        raise NotHttp(f"malformed HTTP status code {quoted(code)}")
    version = _VERSION.fullmatch(protocol)
    if version is None:
        raise NotHttp(f"malformed HTTP version {quoted(protocol)}")
    return (int(version[1]), int(version[2])), int(code), text


def _headers(lines: Sequence[str]) -> dict[str, list[str]]:
    if lines and lines[0].startswith((" ", "\t")):
        raise MalformedHeader(f"malformed MIME header initial line {quoted(lines[0])}")
    headers: dict[str, list[str]] = {}
    for line in _joined(lines):
        matched = _LINE.fullmatch(line)
        if matched is None:
            raise MalformedHeader(f"malformed MIME header line {quoted(line)}")
        headers.setdefault(matched[1].lower(), []).append(matched[2])
    return headers


def _joined(lines: Sequence[str]) -> Sequence[str]:
    """The lines, each with those that continue it. Raises `MalformedHeader`."""
    found: list[str] = []
    for given in lines:
        line = given.removesuffix("\r")
        if line.startswith((" ", "\t")):
            found[-1] += " " + line.strip(" \t")
        elif ":" in line:
            found.append(line.strip(" \t"))
        else:
            # The colon stands before a line is continued.
            raise MalformedHeader(f"malformed MIME header: missing colon: {quoted(line)}")
    return found


def _framing(version: tuple[int, int], status: int, headers: dict[str, list[str]]) -> tuple[Framing, int]:
    chunked = _is_chunked(version, headers)
    length = _content_length(headers.get("content-length", ()))
    if chunked:
        for name in ",".join(headers.get("trailer", ())).split(","):
            if name.strip().lower() in _NEVER_TRAILERS:
                raise MalformedHeader(f"bad trailer key {quoted(name.strip())}")
    if status // 100 == 1 or status in _WITHOUT_BODY:
        return Framing.NO_BODY, 0
    if chunked:
        # It overrides the length, which net/http and RFC 9112 (section 6.3) agree on.
        return Framing.CHUNKED, 0
    if length is None:
        return Framing.CLOSE, 0
    return (Framing.LENGTH, length) if length else (Framing.NO_BODY, 0)


def _is_chunked(version: tuple[int, int], headers: dict[str, list[str]]) -> bool:
    values = headers.get("transfer-encoding", ())
    if not values or version < (1, 1):
        return False
    if len(values) > 1:
        raise MalformedHeader(f"too many transfer encodings {quoted(', '.join(values))}")
    if values[0].lower() != "chunked":
        raise MalformedHeader(f"unsupported transfer encoding {quoted(values[0])}")
    return True


def _content_length(values: Sequence[str]) -> int | None:
    distinct = {value.strip() for value in values}
    if not distinct:
        return None
    if len(distinct) > 1:
        raise MalformedHeader(f"several Content-Length headers {quoted(', '.join(values))}")
    (value,) = distinct
    if _NUMBER.fullmatch(value) is None or int(value) > _MAX_LENGTH:
        raise MalformedHeader(f"bad Content-Length {quoted(value)}")
    return int(value)
