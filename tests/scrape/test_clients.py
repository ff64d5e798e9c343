"""Client settings on real sockets: what goes out, what must not, and the reason when it does not work."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
from aiohttp import web
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.config import (
    Authorization,
    BasicAuth,
    ClientSettings,
    OAuth2,
    Proxy,
    Secret,
    TlsSettings,
)
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.failure import FetchError
from tests.scrape.fakes import FakeClock

Answer = Callable[[web.BaseRequest], web.Response]
SECRET = "s3cret-Xyzzy"
PATIENCE = 20.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def fetcher(clock: FakeClock) -> AsyncIterator[Fetcher]:
    async with Fetcher(clock, max_bytes=100_000) as fetcher:
        yield fetcher


class Server:
    """Notes what it is asked, and answers what `replies` has for the path, or 200."""

    def __init__(self) -> None:
        self.url = URL()
        self.asked: list[web.BaseRequest] = []
        self.forms: list[dict[str, list[str]]] = []
        self.replies: dict[str, Answer] = {}

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request)
        self.forms.append(parse_qs((await request.read()).decode()))
        reply = self.replies.get(request.path)
        return reply(request) if reply else web.Response(text="here")

    @property
    def authorizations(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request in self.asked]


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Server]:
    server = Server()
    runner = web.ServerRunner(web.Server(server.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, host, 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    server.url = URL(f"{'https' if context else 'http'}://{host}:{port}/debug/pprof/heap")
    try:
        yield server
    finally:
        await runner.cleanup()


async def get(fetcher: Fetcher, settings: ClientSettings, url: URL, patience: float = PATIENCE) -> bytes:
    return (await fetcher.of(settings).get(url, patience=patience)).body


async def failure(fetcher: Fetcher, settings: ClientSettings, url: URL, patience: float = PATIENCE) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await get(fetcher, settings, url, patience)
    assert SECRET not in caught.value.detail
    return caught.value


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


BASIC = ClientSettings(BasicAuth(Secret("scott"), Secret(SECRET)))


async def test_each_kind_of_credentials_arrives_as_it_is_written(fetcher: Fetcher) -> None:
    token = ClientSettings(
        Authorization("Token", Secret(SECRET)), headers=(("X-Scope", Secret("a")), ("X-Scope", Secret("b")))
    )
    async with serving() as server:
        await get(fetcher, BASIC, server.url)
        await get(fetcher, token, server.url)
        await get(fetcher, ClientSettings(BasicAuth(Secret("ü€"), Secret("ß"))), server.url)
        await get(fetcher, BASIC, server.url.with_user("own").with_password("p"))
    assert server.authorizations == [
        basic("scott", SECRET),
        f"Token {SECRET}",
        basic("ü€", "ß"),
        basic("own", "p"),
    ]
    assert server.asked[1].headers.getall("X-Scope") == ["a", "b"]


async def test_a_secret_is_read_anew_each_time_and_its_file_is_named_when_it_is_gone(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    settings = ClientSettings(Authorization("Bearer", Secret(file=file)))
    async with serving() as server:
        for text in ("one", "two\n"):
            file.write_text(text)
            await get(fetcher, settings, server.url)
        assert server.authorizations == ["Bearer one", "Bearer two"]
        file.write_text(f"{SECRET}\r\nX-Admin: yes")
        error = await failure(fetcher, settings, server.url)
        assert (error.reason, error.detail) == (
            Reason.UNAUTHORIZED,
            f"{file}: more than one line, or control characters",
        )
        file.unlink()
        error = await failure(fetcher, settings, server.url)
        assert error.reason is Reason.UNAUTHORIZED
        assert f"{file}: No such file" in error.detail
        header = ClientSettings(headers=(("X-Key", Secret(file=file)),))
        assert "http_headers: " in (await failure(fetcher, header, server.url)).detail
        assert len(server.asked) == 2


async def test_parameters_go_along_and_those_of_pprof_win(fetcher: Fetcher) -> None:
    async with serving() as server:
        client = fetcher.of(ClientSettings(), (("tenant", "a b"), ("debug", "9"), ("tenant", "c")))
        await client.get(server.url, query={"debug": "1"}, patience=PATIENCE)
        await client.get(server.url, patience=PATIENCE)
    assert server.asked[0].rel_url.raw_query_string == "debug=1&tenant=a+b&tenant=c"
    assert server.asked[1].rel_url.raw_query_string == "tenant=a+b&debug=9&tenant=c"


@pytest.mark.parametrize("text", ["x\r\nX-Admin: yes", "x\nGET /admin HTTP/1.1", "x y", "\x00"])
async def test_what_a_target_or_a_parameter_brings_cannot_add_a_header(fetcher: Fetcher, text: str) -> None:
    async with serving() as server:
        await fetcher.of(ClientSettings(), (("a", text),)).get(server.url.with_path(f"/{text}/"), patience=PATIENCE)
    (request,) = server.asked
    assert request.query["a"] == text
    assert request.path == f"/{text}/"
    assert "X-Admin" not in request.headers


async def test_a_server_that_repeats_a_secret_does_not_bring_it_into_messages(fetcher: Fetcher) -> None:
    def repeat(request: web.BaseRequest) -> web.Response:
        return web.Response(status=403, text=f"{request.headers['Authorization']} {SECRET}")

    async with serving() as server:
        server.replies[server.url.path] = repeat
        error = await failure(fetcher, BASIC, server.url)
    assert error.detail == "HTTP 403: Basic <secret> <secret>"


# Redirects.


def to(location: str, status: int = 302) -> Answer:
    return lambda _: web.Response(status=status, headers={"Location": location})


async def test_redirects_are_not_followed_unless_asked_for(fetcher: Fetcher) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to("/elsewhere")
        error = await failure(fetcher, BASIC, server.url)
        assert (error.reason, error.detail) == (Reason.NOT_MOUNTED, "HTTP 302: /elsewhere")
        following = ClientSettings(BASIC.auth, follow_redirects=True)
        assert await get(fetcher, following, server.url) == b"here"
    assert [request.path for request in server.asked] == [server.url.path, server.url.path, "/elsewhere"]
    assert server.authorizations[2] == basic("scott", SECRET)


async def test_credentials_never_go_to_another_host_not_even_on_the_way_back(fetcher: Fetcher) -> None:
    settings = ClientSettings(BASIC.auth, headers=(("X-Key", Secret(SECRET)),), follow_redirects=True)
    async with serving() as home, serving(host="127.0.0.2") as stranger:
        home.replies[home.url.path] = to(str(stranger.url.with_path("/a")))
        stranger.replies["/a"] = to(str(home.url.with_path("/back")))
        assert await get(fetcher, settings, home.url) == b"here"
    for request in (*stranger.asked, home.asked[1]):
        assert "Authorization" not in request.headers
        assert "X-Key" not in request.headers
    assert len(home.asked) == 2


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/debug/pprof/heap", "more than 10 redirects, the last was HTTP 302: /debug/pprof/heap"),
        ("file:///etc/passwd", "which is no http or https URL"),
        ("http://[x", "which is no http or https URL"),
        ("gopher://x:1/", "which is no http or https URL"),
    ],
)
async def test_redirects_that_lead_nowhere_end(fetcher: Fetcher, location: str, says: str) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to(location)
        error = await failure(fetcher, ClientSettings(follow_redirects=True), server.url)
    assert error.reason is Reason.NOT_MOUNTED
    assert says in error.detail
    assert len(server.asked) <= 11


async def test_redirects_are_part_of_what_a_fetch_took(fetcher: Fetcher) -> None:
    async with serving() as server:
        server.replies[server.url.path] = to("/next", 307)
        client = fetcher.of(ClientSettings(follow_redirects=True))
        reply = await client.get(server.url, patience=PATIENCE)
        alone = await client.get(server.url.with_path("/next"), patience=PATIENCE)
    assert reply.phases.connect > 0
    assert reply.phases.total > 0
    assert alone.body == reply.body


# TLS.


class Certificates:
    """An authority in a file, and servers that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = trustme.CA()
        self.ca = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)
        self.tls = TlsSettings(ca_file=self.ca)

    def server(self, *names: str, **how: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names, **how).configure_cert(context)
        return context

    def client_pair(self, authority: trustme.CA) -> tuple[Path, Path]:
        pair = authority.issue_cert("exporter.example")
        certificate, key = self.folder / "client.pem", self.folder / "client.key"
        pair.cert_chain_pems[0].write_to_path(certificate)
        pair.private_key_pem.write_to_path(key)
        return certificate, key


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


async def test_a_certificate_is_believed_if_the_given_authority_vouches_for_the_name(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    async with serving(certificates.server("shop.example")) as server:
        named = TlsSettings(ca_file=certificates.ca, server_name="shop.example", min_version="TLS13")
        reply = await fetcher.of(ClientSettings(tls=named)).get(server.url, patience=PATIENCE)
        assert reply.body == b"here"
        assert reply.phases.tls > 0
        error = await failure(fetcher, ClientSettings(tls=certificates.tls), server.url)
        assert error.reason is Reason.TLS
        assert "not valid for '127.0.0.1'" in error.detail
        assert "0x" not in error.detail
        anything = ClientSettings(tls=TlsSettings(insecure_skip_verify=True))
        assert await get(fetcher, anything, server.url) == b"here"


async def test_an_unknown_authority_and_an_expired_certificate_are_told_apart(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    async with serving(certificates.server("127.0.0.1", not_before=past, not_after=past)) as server:
        expired = await failure(fetcher, ClientSettings(tls=certificates.tls), server.url)
    async with serving(certificates.server("127.0.0.1")) as server:
        unknown = await failure(fetcher, ClientSettings(), server.url)
    assert (expired.reason, unknown.reason) == (Reason.TLS, Reason.TLS)
    assert "certificate has expired" in expired.detail
    assert "unable to get local issuer certificate" in unknown.detail


@contextmanager
def guarded(context: ssl.SSLContext) -> Iterator[URL]:
    """A server that answers whoever has a certificate, and tells others why not: asyncio's would say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                plain.settimeout(PATIENCE)
                with plain, suppress(OSError):
                    try:
                        connection = context.wrap_socket(plain.dup(), server_side=True)
                    except ssl.SSLError:
                        # To close at once would reset the connection, and the client might not see why.
                        plain.shutdown(socket.SHUT_WR)
                        while plain.recv(4096):
                            pass
                        raise
                    with connection:
                        connection.recv(4096)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield URL(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


@pytest.mark.parametrize("version", ["TLS12", "TLS13"])
async def test_a_server_that_wants_a_certificate_gets_the_one_of_the_job(
    fetcher: Fetcher, certificates: Certificates, version: str
) -> None:
    guard = certificates.server("127.0.0.1")
    certificates.authority.configure_trust(guard)
    guard.verify_mode = ssl.CERT_REQUIRED
    with guarded(guard) as url:
        error = await failure(fetcher, ClientSettings(tls=TlsSettings(certificates.ca, max_version=version)), url)
        assert error.reason is Reason.TLS, error.detail
        pair = certificates.client_pair(certificates.authority)
        shown = ClientSettings(tls=TlsSettings(certificates.ca, *pair, max_version=version))
        assert await get(fetcher, shown, url) == b"here"


async def test_a_client_certificate_is_not_shown_to_another_host(fetcher: Fetcher, certificates: Certificates) -> None:
    curious = certificates.server("127.0.0.1")
    certificates.authority.configure_trust(curious)
    curious.verify_mode = ssl.CERT_OPTIONAL
    shown: list[object] = []

    def note(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        shown.append(request.transport.get_extra_info("peercert"))
        return web.Response()

    pair = certificates.client_pair(certificates.authority)
    settings = ClientSettings(tls=TlsSettings(certificates.ca, *pair), follow_redirects=True)
    async with serving(curious) as home, serving(curious) as stranger:
        stranger.replies["/a"] = note
        await get(fetcher, settings, stranger.url.with_path("/a"))
        home.replies[home.url.path] = to(str(stranger.url.with_path("/a")))
        await get(fetcher, settings, home.url)
    assert shown[0]
    assert not shown[1]


async def test_certificates_are_read_anew_when_they_change_and_a_missing_one_is_a_tls_failure(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    settings = ClientSettings(tls=certificates.tls)
    client = fetcher.of(settings)
    async with serving(certificates.server("127.0.0.1")) as server:
        assert (await client.get(server.url, patience=PATIENCE)).body == b"here"
        good = certificates.ca.read_bytes()
        trustme.CA().cert_pem.write_to_path(certificates.ca)
        os.utime(certificates.ca, ns=(1, 1))
        assert (await failure(fetcher, settings, server.url)).reason is Reason.TLS
        certificates.ca.unlink()
        gone = await failure(fetcher, settings, server.url)
        assert gone.reason is Reason.TLS
        assert f"tls_config: {certificates.ca}: No such file" in gone.detail
        certificates.ca.write_bytes(good)
        assert (await client.get(server.url, patience=PATIENCE)).body == b"here"


# Proxies.


@asynccontextmanager
async def proxying(refuse: bytes = b"") -> AsyncIterator[tuple[URL, list[str]]]:
    """A proxy that sends everything on to the port that was asked for, on loopback; with what it was asked."""
    heads: list[str] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            heads.append(head)
            method, goal, _ = head.split(" ", 2)
            if refuse:
                writer.write(refuse)
                writer.close()
                return
            port = int(goal.rpartition(":")[2]) if method == "CONNECT" else URL(goal).port
            onward, back = await asyncio.open_connection("127.0.0.1", port)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                back.write(head.replace(goal, URL(goal).path_qs, 1).encode())
            await asyncio.gather(_pump(reader, back), _pump(onward, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    listener = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    try:
        yield URL(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"), heads
    finally:
        listener.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_requests_go_through_the_proxy_with_its_password_and_tls_to_the_target(
    fetcher: Fetcher, certificates: Certificates
) -> None:
    async with serving() as plain, serving(certificates.server("shop.test")) as secure, proxying() as (url, heads):
        proxy = url.with_user("me").with_password(SECRET)
        settings = ClientSettings(BASIC.auth, tls=certificates.tls, proxy=Proxy(proxy, proxy))
        assert await get(fetcher, settings, plain.url.with_host("shop.test")) == b"here"
        reply = await fetcher.of(settings).get(secure.url.with_host("shop.test"), patience=PATIENCE)
        assert reply.body == b"here"
        assert reply.phases.tls > 0
    assert heads[0].startswith("GET http://shop.test:")
    assert heads[1].startswith("CONNECT shop.test:")
    assert all(f"Proxy-Authorization: {basic('me', SECRET)}" in head for head in heads)
    assert basic("scott", SECRET) not in heads[1]


async def test_a_proxy_that_refuses_or_is_away_is_a_connection_that_failed(fetcher: Fetcher) -> None:
    async with proxying(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as (url, _):
        proxy = url.with_user("me").with_password(SECRET)
        settings = ClientSettings(proxy=Proxy(proxy, proxy))
        error = await failure(fetcher, settings, URL("https://shop.test/"))
    assert (error.reason, error.detail) == (
        Reason.CONNECT,
        "the proxy answered 407 Proxy Authentication Required",
    )
    assert (await failure(fetcher, settings, URL("http://shop.test/"))).reason is Reason.CONNECT


# OAuth 2.


def oauth2(url: URL, **more: Any) -> ClientSettings:
    return ClientSettings(OAuth2("exporter", Secret(SECRET), str(url), **more))


class Login:
    """A server of tokens, and a target that takes only the latest."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.issued = 0
        self.taken = ""
        self.expires: object = 3600
        server.replies["/token"] = self.token
        server.replies["/debug/pprof/heap"] = self.target

    @property
    def token_url(self) -> URL:
        return self.server.url.with_path("/token")

    def token(self, request: web.BaseRequest) -> web.Response:
        self.issued += 1
        self.taken = f"token-{self.issued}"
        return web.json_response({"access_token": self.taken, "token_type": "bearer", "expires_in": self.expires})

    def target(self, request: web.BaseRequest) -> web.Response:
        good = request.headers.get("Authorization") == f"Bearer {self.taken}"
        return web.Response(status=200 if good else 401, text="here")


@pytest.fixture
async def login() -> AsyncIterator[Login]:
    async with serving() as server:
        yield Login(server)


async def test_a_token_is_asked_for_once_and_kept_until_shortly_before_it_ends(
    fetcher: Fetcher, login: Login, clock: FakeClock
) -> None:
    settings = oauth2(login.token_url, scopes=("a", "b"), endpoint_params=(("audience", "shop"),))
    client = fetcher.of(settings)
    await asyncio.gather(*(client.get(login.server.url, patience=PATIENCE) for _ in range(20)))
    assert login.issued == 1
    asked = login.server.asked[0]
    assert asked.headers["Authorization"] == basic("exporter", SECRET)
    assert login.server.forms[0] == {"grant_type": ["client_credentials"], "scope": ["a b"], "audience": ["shop"]}
    clock.time += 3589
    await client.get(login.server.url, patience=PATIENCE)
    assert login.issued == 1
    clock.time += 2
    await client.get(login.server.url, patience=PATIENCE)
    assert login.issued == 2


async def test_a_token_that_is_refused_is_renewed_once(fetcher: Fetcher, login: Login) -> None:
    client = fetcher.of(oauth2(login.token_url))
    await client.get(login.server.url, patience=PATIENCE)
    login.taken = "another"
    assert (await client.get(login.server.url, patience=PATIENCE)).body == b"here"
    assert login.issued == 2
    login.server.replies["/debug/pprof/heap"] = lambda _: web.Response(status=401, text="never")
    with pytest.raises(FetchError, match="HTTP 401: never") as caught:
        await client.get(login.server.url, patience=PATIENCE)
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert login.issued == 3


async def test_a_server_that_takes_the_secret_in_the_form_only_gets_it_there(fetcher: Fetcher, login: Login) -> None:
    def only_form(request: web.BaseRequest) -> web.Response:
        if "Authorization" in request.headers:
            return web.json_response({"error": "invalid_client"}, status=401)
        return login.token(request)

    login.server.replies["/token"] = only_form
    client = fetcher.of(oauth2(login.token_url))
    await client.get(login.server.url, patience=PATIENCE)
    assert login.server.forms[1]["client_secret"] == [SECRET]
    login.taken = "another"
    await client.get(login.server.url, patience=PATIENCE)
    asked = [request for request in login.server.asked if request.path == "/token"]
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (
            lambda: web.json_response({"error": "invalid_client", "error_description": SECRET}, status=400),
            "HTTP 400: invalid_client, <secret>",
        ),
        (lambda: web.Response(status=503, text="no"), "HTTP 503"),
        (lambda: web.json_response({"token": "a"}), "holds no access_token"),
        (lambda: web.json_response({"access_token": "a\r\nX-Admin: 1"}), "holds no access_token"),
        (lambda: web.Response(text="[" * 100_000), "holds no access_token"),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.2:1/"}), "HTTP 302"),
    ],
    ids=["refused", "down", "other", "lines", "deep", "redirect"],
)
async def test_no_token_is_unauthorized_with_the_cause_and_is_not_asked_for_again_at_once(
    fetcher: Fetcher, login: Login, clock: FakeClock, reply: Callable[[], web.Response], says: str
) -> None:
    login.server.replies["/token"] = lambda _: reply()
    settings = oauth2(login.token_url)
    client = fetcher.of(settings)
    error = await failure(fetcher, settings, login.server.url)
    assert error.reason is Reason.UNAUTHORIZED
    assert error.detail.startswith("no token from oauth2.token_url: ")
    assert says in error.detail
    asked = len(login.server.asked)
    await failure(fetcher, settings, login.server.url)
    assert len(login.server.asked) == asked
    clock.time += 11
    login.server.replies["/token"] = login.token
    assert (await client.get(login.server.url, patience=PATIENCE)).body == b"here"


async def test_a_login_server_that_hangs_does_not_take_longer_than_the_fetch_may(fetcher: Fetcher) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = URL(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/token")
    error = await failure(fetcher, oauth2(url), URL("http://127.0.0.1:1/"), patience=0.3)
    assert error.reason is Reason.UNAUTHORIZED
    assert "no answer within 0.3 s" in error.detail
    listener.close()


async def test_a_client_that_nobody_holds_any_longer_is_let_go(fetcher: Fetcher) -> None:
    async with serving() as server:
        for number in range(5):
            await get(fetcher, ClientSettings(Authorization("Bearer", Secret(str(number)))), server.url)
    assert len(fetcher._clients._held) == 1
