"""Our own pages on real sockets: who gets in, who does not, and what becomes of connections that mean harm."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import bcrypt
import pytest
import trustme
from aiohttp import web

from pprof_exporter.config import ConfigError
from pprof_exporter.config.listen_address import Listen
from pprof_exporter.web import WebConfig, WebSecurity, load_web_config
from pprof_exporter.web.authentication import RateGate, authentication_gates
from pprof_exporter.web.connections import Connections
from pprof_exporter.web.listen import start_sites
from pprof_exporter.web.webconfig import read_web_config
from tests.scrape.fakes import FakeClock

WITHIN = 30.0
HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
GOOD = base64.b64encode(b"prometheus:secret").decode()
Serve = Callable[[WebSecurity], Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts pages behind the guards; returns the port."""
    runners: list[web.AppRunner] = []

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"seen {(await request.read()).decode()}")

    async def begin(security: WebSecurity) -> int:
        app = web.Application(middlewares=authentication_gates(security, FakeClock(), {}))
        app.router.add_route("*", "/{path:.*}", answer)
        runners.append(web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0, lingering_time=0))
        await runners[-1].setup()
        (url,) = await start_sites(runners[-1], [Listen("127.0.0.1", 0)], security.tls)
        return int(url.rpartition(":")[2])

    yield begin
    for runner in runners:
        await runner.cleanup()


async def ask(port: int, request: bytes, tls: ssl.SSLContext | None = None) -> str:
    """The whole reply to these bytes, until the server closes the connection."""
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)
    try:
        writer.write(request)
        return (await asyncio.wait_for(reader.read(), WITHIN)).decode("latin-1")
    finally:
        writer.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


def request(path: str = "/metrics", *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


USERS = WebSecurity(config=WebConfig(users={"prometheus": HASH}))


@pytest.mark.parametrize(
    "header",
    [
        "X: y",
        "Authorization: ",
        "Authorization: Basic",
        "Authorization: Basic ",
        "Authorization: Basic !!!!",
        "Authorization: Basic =",
        f"Authorization: Bearer {GOOD}",
        f"Authorization: Basic {GOOD}=",
        f"Authorization: Basic {GOOD}\r\nAuthorization: Basic {GOOD}",
        f"Authorization: Basic {base64.b64encode(b'prometheus:secret' + bytes(1)).decode()}",
        f"Authorization: Basic {base64.b64encode(b'prometheus').decode()}",
        f"Authorization: Basic {base64.b64encode(b':').decode()}",
        f"Authorization: Basic {base64.b64encode(b'prometheus:').decode()}",
        f"Authorization: Basic {base64.b64encode(b'Prometheus:secret').decode()}",
        f"Authorization: Basic {base64.b64encode(b'x' * 3000 + b':' + b'y' * 3000).decode()}",
        f"Proxy-Authorization: Basic {GOOD}",
    ],
)
async def test_only_the_right_password_in_the_right_form_opens(serve: Serve, header: str) -> None:
    port = await serve(USERS)
    reply = await ask(port, request("/metrics", header))
    # A header that comes twice is no valid request to begin with for newer aiohttp.
    assert reply.startswith(("HTTP/1.1 401 ", "HTTP/1.1 400 "))
    assert "seen" not in reply


@pytest.mark.parametrize(
    "path",
    ["//metrics", "/%2e", "/%2e%2e/metrics", "/./metrics", "/metrics/..", "/-/../metrics", "http://x/metrics", "*"],
)
async def test_no_way_of_writing_a_path_leads_around_the_password(serve: Serve, path: str) -> None:
    port = await serve(USERS)
    assert "seen" not in await ask(port, request(path))
    if path != "*":
        assert "seen" in await ask(port, request(path, f"Authorization: Basic {GOOD}"))


@pytest.mark.parametrize(
    "sent",
    [
        request("/", "X: " + "y" * 20_000),
        request("/" + "x" * 20_000),
        request("/", *(f"X-{number}: {'y' * 90}" for number in range(2000))),
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\r\n" * 40_000,
    ],
    ids=["field", "line", "many", "smuggled", "tls", "empty lines"],
)
async def test_a_request_that_is_too_large_or_none_reaches_no_page(serve: Serve, sent: bytes) -> None:
    port = await serve(USERS)
    try:
        reply = await ask(port, sent + b"\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError):
        reply = ""
    assert not reply or reply.startswith(("HTTP/1.1 4", "HTTP/1.0 4"))
    assert "seen" in await ask(port, request("/", f"Authorization: Basic {GOOD}"))


async def test_a_body_beyond_the_limit_is_refused(serve: Serve) -> None:
    port = await serve(WebSecurity())
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    assert "seen abc" in await ask(port, head % 3 + b"abc")
    try:
        reply = await ask(port, head % 3_000_000 + b"x" * 3_000_000)
    except ConnectionError:
        # It need not take all of it before it goes.
        return
    assert reply.startswith("HTTP/1.1 413 ")


async def test_a_slow_body_is_not_waited_for_for_ever(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pprof_exporter.web.authentication._BODY_WITHIN", 0.2)
    port = await serve(WebSecurity())
    reply = await ask(port, b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc")
    assert reply.startswith("HTTP/1.1 408 ")


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nX: "], ids=["silent", "half"])
async def test_a_connection_that_does_not_ask_in_time_is_cut(first: bytes) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text="seen")

    connections = Connections(web.Server(answer), within=0.2)
    listener = await asyncio.get_running_loop().create_server(connections, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    with contextlib.suppress(ConnectionError):
        assert await ask(port, first) == ""
    assert "seen" in await ask(port, request())
    listener.close()


async def test_more_connections_than_allowed_are_turned_away_and_room_comes_back() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text="seen")

    connections = Connections(web.Server(answer), most=2)
    listener = await asyncio.get_running_loop().create_server(connections, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await until(lambda: connections.open == 2)
    with contextlib.suppress(ConnectionError):
        assert await ask(port, request()) == ""
    for _, writer in held:
        writer.close()
    await until(lambda: not connections.open)
    assert "seen" in await ask(port, request())
    listener.close()


# The web configuration file.


class Files:
    """A web configuration with certificates beside it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "web.yml"
        self.folder = folder
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(folder / "ca.pem")
        self.renew()

    def renew(self) -> None:
        pair = self.authority.issue_cert("localhost")
        pair.private_key_and_cert_chain_pem.write_to_path(self.folder / "both.pem")

    def write(self, text: str) -> Path:
        self.path.write_text(text)
        os.utime(self.path, ns=(len(text), len(text)))
        return self.path

    def client(self, *names: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if names:
            self.authority.issue_cert(*names).configure_cert(context)
        return context


TLS = "tls_server_config:\n  cert_file: both.pem\n  key_file: both.pem\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def test_users_and_headers_are_those_of_the_file_now(serve: Serve, files: Files) -> None:
    port = await serve(load_web_config(files.write("basic_auth_users: {}\n")))
    assert "seen" in await ask(port, request())
    files.write(
        f"basic_auth_users: {{prometheus: {HASH}}}\nhttp_server_config: {{headers: {{X-Frame-Options: deny}}}}\n"
    )
    refused = await ask(port, request())
    assert refused.startswith("HTTP/1.1 401 ")
    assert "X-Frame-Options: deny\r\n" in refused
    assert "seen" in await ask(port, request("/", f"Authorization: Basic {GOOD}"))
    other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
    files.write(f"basic_auth_users: {{prometheus: {other}}}\n")
    assert (await ask(port, request("/", f"Authorization: Basic {GOOD}"))).startswith("HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "text",
    [
        *("", "basic_auth_users: [", "basic_auth_users: {a: b}", TLS),
        *("rate_limit: {burst: 2024-02-30}", "rate_limit: {burst: !!bool foo}", "rate_limit: {burst: *a}"),
        *(f"rate_limit: {{burst: {'9' * 5_000}}}", "[" * 5_000, 'basic_auth_users: {"\\ud800": x}', "a: \x07"),
    ],
)
async def test_a_file_that_cannot_be_used_leaves_the_password_in_place(
    serve: Serve, files: Files, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = f"basic_auth_users: {{prometheus: {HASH}}}\n"
    security = load_web_config(files.write(good))
    port = await serve(security)
    files.write(text)
    for _ in range(2):
        assert (await ask(port, request())).startswith("HTTP/1.1 401 ")
    assert "seen" in await ask(port, request("/", f"Authorization: Basic {GOOD}"))
    assert caplog.text.count("web configuration reload failed, the previous one stays in use") == 1
    assert str(files.path) in caplog.records[-1].getMessage() + str(vars(caplog.records[-1]))
    assert security.successful is False
    files.path.unlink()
    assert (await ask(port, request())).startswith("HTTP/1.1 401 ")
    files.write(good)
    assert (await ask(port, request())).startswith("HTTP/1.1 401 ")
    assert security.successful is True


async def test_a_renewed_certificate_is_shown_to_the_next_connection(serve: Serve, files: Files) -> None:
    port = await serve(load_web_config(files.write(TLS)))
    shown: list[bytes] = []
    for _ in range(2):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=files.client(), server_hostname="localhost")
        shown.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.close()
        files.renew()
    assert shown[0] != shown[1]
    (files.folder / "both.pem").write_text("half")
    assert "seen" in await ask(port, request(), files.client())


async def test_a_client_has_to_show_a_certificate_for_an_allowed_name(serve: Serve, files: Files) -> None:
    wants = f"{TLS}  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n"
    port = await serve(load_web_config(files.write(f"{wants}  client_allowed_sans: [prometheus.example, 10.0.0.1]\n")))
    assert "seen" in await ask(port, request(), files.client("prometheus.example"))
    assert "seen" in await ask(port, request(), files.client("10.0.0.1", "x.example"))
    assert (await ask(port, request(), files.client("other.example"))).startswith("HTTP/1.1 403 ")
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        assert await ask(port, request(), files.client()) == ""


async def test_an_old_version_of_tls_and_plain_http_are_refused(serve: Serve, files: Files) -> None:
    port = await serve(load_web_config(files.write(f"{TLS}  min_version: TLS13\n")))
    old = files.client()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await ask(port, request(), old)
    with contextlib.suppress(ConnectionError):
        assert await ask(port, request()) == ""


def test_suites_are_those_that_are_named(files: Files) -> None:
    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    config = read_web_config(
        files.write(
            f"{TLS}  cipher_suites: [{suite}, TLS_AES_128_GCM_SHA256]\n  curve_preferences: [CurveP256]\n"
            "  prefer_server_cipher_suites: false\n"
        )
    )
    assert config.context is not None
    below = [known["name"] for known in config.context.get_ciphers() if known["protocol"] != "TLSv1.3"]
    assert below == ["ECDHE-ECDSA-AES256-GCM-SHA384"]
    assert not config.context.options & ssl.OP_CIPHER_SERVER_PREFERENCE


def test_so_many_requests_at_once_and_then_one_an_interval() -> None:
    clock = FakeClock()
    gate = RateGate(clock)
    assert [gate.allows(10, 2) for _ in range(3)] == [True, True, False]
    clock.time += 10
    assert [gate.allows(10, 2) for _ in range(2)] == [True, False]
    clock.time += 1000
    assert [gate.allows(10, 2) for _ in range(3)] == [True, True, False]


async def test_requests_beyond_the_rate_are_told_so(serve: Serve, files: Files) -> None:
    port = await serve(load_web_config(files.write("rate_limit: {interval: 1h, burst: 1}\n")))
    assert "seen" in await ask(port, request())
    assert (await ask(port, request())).startswith("HTTP/1.1 429 ")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            f"{TLS}  client_auth_type: RequestClientCert\n",
            4,
            "'RequestClientCert' is not supported",
        ),
        (f"{TLS}  client_auth_type: RequireAnyClientCert\n", 4, "Python's ssl verifies every certificate"),
        (f"{TLS}  client_auth_type: Sometimes\n", 4, "write one of NoClientCert"),
        (f"{TLS}  client_auth_type: RequireAndVerifyClientCert\n", 1, "needs a client_ca_file"),
        (f"{TLS}  client_ca_file: ca.pem\n", 1, "requests no certificate"),
        (f"{TLS}  client_allowed_sans: [a]\n", 1, "client_allowed_sans needs client_auth_type"),
        (f"{TLS}  min_version: TLS11\n", 4, "input should be 'TLS12' or 'TLS13'"),
        (f"{TLS}  cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]\n", 4, "is not one of TLS_ECDHE"),
        (f"{TLS}  curve_preferences: [CurveP1]\n", 4, "is not one of CurveP256"),
        (f"{TLS}  cert: abc\n", 1, "use cert_file instead of cert"),
        (TLS.replace("key_file: both.pem", "key_file: absent.pem"), 3, "absent.pem: No such file"),
        (TLS.replace("key_file: both.pem", "key_file: ca.pem"), 1, "not a certificate with its key"),
        ("basic_auth_users:\n  a: secret-Xyzzy\n", 1, "the password of 'a' is not a bcrypt hash"),
        ("basic_auth_user: {}\n", 1, "did you mean 'basic_auth_users'?"),
        ("http_server_config:\n  headers: {X-Else: a}\n", 2, "'X-Else' is not one of"),
        (
            "http_server_config:\n  headers: {X-Frame-Options: maybe}\n",
            2,
            "X-Frame-Options must be deny or same",
        ),
        ('http_server_config:\n  headers: {Content-Security-Policy: "a\\r\\nb"}\n', 2, "more than one line"),
        ("rate_limit: {interval: 1s}\n", 1, "a burst of 0 refuses every request"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(files: Files, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_web_config(files.write(text))
    assert str(caught.value).startswith(f"{files.path}:{line}: ")
    assert says in str(caught.value)
    assert "secret-Xyzzy" not in str(caught.value)


async def test_an_error_of_ours_while_the_file_is_read_leaves_the_password_in_place(
    serve: Serve, files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    security = load_web_config(files.write(f"basic_auth_users: {{prometheus: {HASH}}}\n"))
    errors: list[BaseException] = []
    security.on_internal_error = errors.append
    port = await serve(security)

    def surprise(_path: object) -> None:
        raise KeyError("never seen")

    monkeypatch.setattr("pprof_exporter.web.webconfig.read_web_config", surprise)
    files.write("basic_auth_users: {}\n")
    for _ in range(2):
        assert (await ask(port, request())).startswith("HTTP/1.1 401 ")
    assert security.successful is False
    assert [type(error) for error in errors] == [KeyError]
    assert caplog.text.count("web configuration reload failed, the previous one stays in use") == 1
