"""What Go's client and ours make of the same servers: encodings, statuses, headers, hosts and certificates.

Where the two differ on purpose, the difference is a row of the test.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import gzip
import json
import ssl
import subprocess
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.clock import SystemClock
from pprof_exporter.config import ClientSettings, TlsSettings
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.errors import FetchError
from tests.lab import PATIENCE, go

# The client of `go tool pprof` (cmd/vendor/github.com/google/pprof/internal/transport) but for its certificates.
CLIENT = """package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
)

type answer struct {
	Status int
	Body   []byte
	Error  string
}

func get(client *http.Client, url string) (found answer) {
	reply, err := client.Get(url)
	if err == nil {
		defer reply.Body.Close()
		found.Status = reply.StatusCode
		found.Body, err = io.ReadAll(reply.Body)
	}
	if err != nil {
		found.Error = err.Error()
	}
	return
}

func main() {
	pem, _ := os.ReadFile(os.Args[1])
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		out.Encode(get(client, lines.Text()))
	}
}
"""
TEXT = b"goroutine profile: total 1\n"
OK = b"HTTP/1.1 200 OK\r\n"


def whole(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"".join(line + b"\r\n" for line in (b"HTTP/1.1 " + status, *lines, b"Content-Length: %d" % len(body)))
    return head + b"\r\n" + body


@dataclass(frozen=True, slots=True)
class Row:
    """A reply; what Go's client reads of it (None: an error), and what ours does: the body, or a reason."""

    reply: bytes
    go: tuple[int, bytes] | None
    ours: bytes | Reason


READ = (200, TEXT)
GZIPPED, DEFLATED = gzip.compress(TEXT), zlib.compress(TEXT)
ROWS: dict[str, Row] = {
    "no encoding": Row(whole(TEXT), READ, TEXT),
    "gzip that was not asked for": Row(whole(GZIPPED, b"Content-Encoding: gzip"), READ, TEXT),
    "GZIP": Row(whole(GZIPPED, b"content-encoding: GZIP"), READ, TEXT),
    "identity": Row(whole(TEXT, b"Content-Encoding: identity"), READ, TEXT),
    # Go hands on what it does not know; a reader of profiles then finds no profile.
    "deflate": Row(whole(DEFLATED, b"Content-Encoding: deflate"), (200, DEFLATED), TEXT),
    "br": Row(whole(b"\x8b\x02\x80abc", b"Content-Encoding: br"), (200, b"\x8b\x02\x80abc"), Reason.ENCODING),
    "zstd": Row(whole(b"\x28\xb5\x2f\xfd", b"Content-Encoding: zstd"), (200, b"\x28\xb5\x2f\xfd"), Reason.ENCODING),
    # Go fails; the proxy that inflated the body and left the header is forgiven.
    "gzip in name only": Row(whole(TEXT, b"Content-Encoding: gzip"), None, TEXT),
    "cut gzip": Row(whole(GZIPPED[:-4], b"Content-Encoding: gzip"), None, Reason.TRUNCATED),
    # `go tool pprof` and Prometheus take status 200 alone.
    "203": Row(whole(TEXT, status=b"203 Non-Authoritative Information"), (203, TEXT), Reason.HTTP_2XX),
    "206": Row(
        whole(TEXT, b"Content-Range: bytes 0-26/27", status=b"206 Partial Content"), (206, TEXT), Reason.HTTP_2XX
    ),
    "204": Row(b"HTTP/1.1 204 No Content\r\n\r\n", (204, b""), Reason.EMPTY),
    "a status without a text": Row(whole(TEXT, status=b"200"), READ, TEXT),
    "HTTP/1.0": Row(b"HTTP/1.0 200 OK\r\n\r\n" + TEXT, READ, TEXT),
    "a header of 500 KB": Row(whole(TEXT, b"X: " + b"y" * 500_000), READ, TEXT),
    "5,000 headers": Row(whole(TEXT, *(b"X-%d: y" % number for number in range(5_000))), READ, TEXT),
    # Go takes 10 MiB.
    "a header of 2 MB": Row(whole(TEXT, b"X: " + b"y" * 2_000_000), READ, Reason.HEADERS),
    "a header of 11 MB": Row(whole(TEXT, b"X: " + b"y" * 11_000_000), None, Reason.HEADERS),
    "a redirect": Row(whole(b"", b"Location: /login", status=b"302 Found"), (302, b""), Reason.HTTP_3XX),
    "101": Row(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", (101, b""), Reason.NOT_HTTP),
    "cut": Row(OK + b"Content-Length: 100\r\n\r\n" + TEXT, None, Reason.TRUNCATED),
    "no reply": Row(b"", None, Reason.CLOSED),
    "SSH": Row(b"SSH-2.0-OpenSSH_9.2p1\r\n", None, Reason.NOT_HTTP),
}


class GoClient:
    """Go's client, which gets each URL once."""

    def __init__(self, program: Path, ca: Path) -> None:
        self._command = [program, ca]

    async def get(self, urls: Sequence[str]) -> list[tuple[int, bytes] | str]:
        """Status and body, or the error."""
        asked = "".join(f"{url}\n" for url in urls)
        done = await asyncio.to_thread(
            subprocess.run, self._command, input=asked, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return [one["Error"] or (one["Status"], base64.b64decode(one["Body"] or "")) for one in found]


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority of certificates, and the file that names it."""

    ca: trustme.CA
    file: Path

    def server(self, name: str, until: dt.datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(name, not_before=until, not_after=until).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    found = Authority(trustme.CA(), tmp_path_factory.mktemp("authority") / "ca.pem")
    found.ca.cert_pem.write_to_path(found.file)
    return found


@pytest.fixture(scope="module")
def go_client(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> GoClient:
    program = go.build_empty(go.VERSIONS[-1], tmp_path_factory.mktemp("client") / "main", source=CLIENT)
    return GoClient(program, authority.file)


@asynccontextmanager
async def sending(reply: bytes, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that sends a reply to whatever comes, and closes the connection. Yields its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    # asyncio logs handshakes that a client refuses at debug level only.
    async with await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context, limit=2**24) as server:
        yield server.sockets[0].getsockname()[1]


async def fetched(url: str, settings: ClientSettings | None = None) -> bytes | tuple[Reason, Hint | None]:
    fetcher = Fetcher(SystemClock(), max_bytes=2**24).bind(settings or ClientSettings())
    try:
        return (await fetcher.get(URL(url), timeout=PATIENCE)).body
    except FetchError as error:
        return error.reason, error.hint


async def test_every_reply_is_read_as_go_reads_it_or_the_difference_is_named(go_client: GoClient) -> None:
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(sending(row.reply)) for row in ROWS.values()]
        urls = [f"http://127.0.0.1:{port}/debug/pprof/goroutine" for port in ports]
        theirs = await go_client.get(urls)
        ours = [await fetched(url) for url in urls]
    read = [None if isinstance(found, str) else found for found in theirs]
    assert dict(zip(ROWS, read, strict=True)) == {name: row.go for name, row in ROWS.items()}
    reasons = [found if isinstance(found, bytes) else found[0] for found in ours]
    assert dict(zip(ROWS, reasons, strict=True)) == {name: row.ours for name, row in ROWS.items()}


PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


async def test_certificates_are_refused_as_go_refuses_them(go_client: GoClient, authority: Authority) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(stranger)
    servers: dict[str, tuple[ssl.SSLContext, Hint | None]] = {
        "good": (authority.server("127.0.0.1"), None),
        "expired": (authority.server("127.0.0.1", until=PAST), Hint.CERTIFICATE_EXPIRED),
        "another name": (authority.server("shop.example"), Hint.CERTIFICATE_NAME),
        "a name for an address": (authority.server("localhost"), Hint.CERTIFICATE_NAME),
        "another authority": (stranger, Hint.CERTIFICATE_AUTHORITY),
    }
    settings = ClientSettings(tls=TlsSettings(ca_file=authority.file))
    async with AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(sending(whole(TEXT), context)) for context, _ in servers.values()]
        urls = [f"https://127.0.0.1:{port}/" for port in ports]
        theirs = await go_client.get(urls)
        ours = [await fetched(url, settings) for url in urls]
    assert [found == READ for found in theirs] == [hint is None for _, hint in servers.values()], theirs
    expected = [(Reason.TLS, hint) if hint else TEXT for _, hint in servers.values()]
    assert ours == expected


async def test_hosts_are_spelled_as_go_takes_them(go_client: GoClient) -> None:
    async with sending(whole(TEXT)) as port:
        urls = [f"http://{host}:{port}/" for host in ("127.0.0.1", "localhost", "LOCALHOST")]
        assert await go_client.get(urls) == [READ] * len(urls)
        assert [await fetched(url) for url in urls] == [TEXT] * len(urls)
