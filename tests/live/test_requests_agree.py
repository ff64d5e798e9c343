"""Which requests our pages take: those that Go's net/http takes, and where they differ, why."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.lab import PATIENCE, free_port, go
from tests.web.test_malformed import HOST, REFUSED, TAKEN, reply_to, status_of

SERVER = """
package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	http.ListenAndServe(os.Args[1], nil)
}
"""
DIFFERENT: dict[bytes, int] = {
    # Go looks at no host of an absolute target; ours has to be one that yarl can split and decode.
    **dict.fromkeys((b"GET http://xn--/ ", b"GET http://xn--a-ecp.ru/targets ", b"GET http://x:99999/ "), 200),
    b"GET http:// ": 307,
    # Go takes any byte in a path, llhttp ASCII.
    b"GET /\xff ": 200,
    # Go ends a line at a bare line feed too (net/textproto). A proxy may not: ours refuses (RFC 9112, 2.2).
    **dict.fromkeys((b"GET /targets HTTP/1.1\n", b"GET /targets HTTP/1.1" + HOST + b"X: y\n"), 200),
    # Go has a status of its own for versions.
    **dict.fromkeys((b"GET / HTTP/9.9", b"GET / HTTP/0.9", b"GET / HTTP/2.0"), 505),
    # Go waits for the end of a line, which a hello of TLS need not have.
    b"\x16\x03\x01": 0,
    # Both headers at once are what request smuggling is made of: Go drops the length, ours refuses (RFC 9112, 6.1).
    b"POST /-/alert HTTP/1.1" + HOST + b"Content-Length: 3": 200,
}
"""Status of Go for requests that begin so, where ours is another; 0 for no reply."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = go.build_empty(go.VERSIONS[-1], tmp_path_factory.mktemp("server") / "build", source=SERVER)
    port = free_port()
    process = subprocess.Popen([program, f"127.0.0.1:{port}"])
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            asyncio.run(reply_to(port, b"GET / HTTP/1.0\r\n\r\n"))
            break
        except OSError:
            time.sleep(0.1)
    yield port
    process.kill()
    process.wait()


@pytest.mark.parametrize(("sent", "status"), [*REFUSED, *TAKEN])
async def test_a_request_is_taken_or_refused_as_by_go(port: int, sent: bytes, status: int) -> None:
    reply = await reply_to(port, sent, within=5)
    found = status_of(reply) if reply else 0
    different = next((other for begin, other in DIFFERENT.items() if sent.startswith(begin)), None)
    if different is not None:
        assert found == different
    elif status in (403, 404):
        # Of our routes, Go's server has none.
        assert found in (200, 307)
    else:
        assert found == status
