"""Recognises other protocols by the first bytes that a server sends."""

from __future__ import annotations

from pprof_exporter.catalog.hints import Hint

# An alert or a handshake of TLS 1.0 to 1.3, all of which write version 3.x (RFC 8446, section 5.1).
_TLS = (b"\x15\x03", b"\x16\x03")
_SETTINGS, _GOAWAY = 4, 7
_FRAME_HEADER = 9
# What servers of other protocols greet with, before the client has said anything, or answer to a line of HTTP.
_BANNERS = (
    b"220 ",  # FTP, SMTP
    b"220-",
    b"* OK",  # IMAP
    b"+OK",  # POP3
    b"-ERR",  # Redis, POP3
    b"AMQP",
    b"RFB ",  # VNC
    b"@RSYNCD:",
    b"ERROR\r\n",  # memcached
)
_MYSQL = (b"\x0a5.", b"\x0a8.", b"\x0a9.", b"\x0a1")


def protocol_of(start: bytes) -> Hint | None:
    """The protocol of a server that sends these bytes first; None if it is not recognised."""
    if start.startswith(_TLS):
        return Hint.TLS_PORT
    if _is_http2(start):
        return Hint.HTTP2
    if start.startswith(b"SSH-"):
        return Hint.SSH
    if start.startswith(_BANNERS) or (start[3:4] == b"\0" and start[4:].startswith(_MYSQL)):
        return Hint.BANNER
    return None


def _is_http2(start: bytes) -> bool:
    """Whether they are SETTINGS, which a server has to send first, or GOAWAY, of the connection itself.

    Go's server answers an HTTP/1 request with SETTINGS and GOAWAY (golang.org/x/net/http2, server.go).
    """
    if len(start) < _FRAME_HEADER:
        return False
    length, kind, stream = int.from_bytes(start[:3]), start[3], int.from_bytes(start[5:_FRAME_HEADER])
    return not stream and ((kind == _SETTINGS and length % 6 == 0) or (kind == _GOAWAY and length >= 8))
