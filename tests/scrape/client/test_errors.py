"""What a reply other than 200 means: the texts are those of net/http/pprof."""

from __future__ import annotations

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.scrape.client.errors import ErrorReply, classify_response

IN_USE = b"Could not enable CPU profiling: cpu profiling already in use\n"
TRACING = b"Could not enable tracing: execution tracer already enabled\n"
OLD_TRACING = b"Could not enable tracing: tracing is already enabled\n"
WRITE_TIMEOUT = b"profile duration exceeds server's WriteTimeout\n"


@pytest.mark.parametrize(
    ("status", "from_pprof", "body", "reason"),
    [
        (404, True, b"Unknown profile\n", Reason.UNKNOWN_PROFILE),
        (404, False, b"404 page not found\n", Reason.NOT_MOUNTED),
        (404, False, b"Unknown profile\n", Reason.NOT_MOUNTED),
        (405, False, b"Method Not Allowed\n", Reason.METHOD),
        (500, True, IN_USE, Reason.BUSY),
        (500, True, TRACING, Reason.BUSY),
        (500, True, OLD_TRACING, Reason.BUSY),
        (500, False, IN_USE, Reason.HTTP_5XX),
        (500, True, b"failed to collect profile\n", Reason.HTTP_5XX),
        (400, True, WRITE_TIMEOUT, Reason.WRITE_TIMEOUT),
        (400, False, b"Client sent an HTTP request to an HTTPS server.\n", Reason.HTTP_4XX),
        (400, True, b"seconds and debug params are incompatible\n", Reason.HTTP_4XX),
        (401, False, b"", Reason.UNAUTHORIZED),
        (403, False, b"", Reason.UNAUTHORIZED),
        (408, True, b"", Reason.HTTP_4XX),
        (429, False, b"", Reason.HTTP_4XX),
        (502, False, b"<html>Bad gateway", Reason.HTTP_5XX),
        (503, False, b"", Reason.HTTP_5XX),
        (301, False, b"", Reason.HTTP_3XX),
        (302, False, b"", Reason.HTTP_3XX),
        (204, False, b"", Reason.EMPTY),
        (205, False, b"", Reason.EMPTY),
        (203, False, b"profile", Reason.HTTP_2XX),
        (206, False, b"profile", Reason.HTTP_2XX),
        (101, False, b"", Reason.NOT_HTTP),
    ],
)
def test_every_refusal_has_its_reason(status: int, from_pprof: bool, body: bytes, reason: Reason) -> None:  # noqa: FBT001 - a table
    assert classify_response(ErrorReply(status, from_pprof, body)).reason is reason


def test_the_text_quotes_the_reply_in_one_short_line() -> None:
    reply = ErrorReply(500, from_pprof=False, body=b"no\r\n\n way \xff" + b"x" * 5000)
    told = classify_response(reply).detail
    assert told.startswith('HTTP 500: "no way ')
    assert len(told) < 220
    assert "\n" not in told


def test_the_text_of_a_redirect_says_where_to() -> None:
    assert (
        classify_response(ErrorReply(302, from_pprof=False, body=b"", location="/login")).detail == "HTTP 302: /login"
    )
