"""What the exporter itself lacks is told from what a target does wrong, and is counted once for each fetch."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohappyeyeballs import AddrInfoType
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.config import Authorization, ClientSettings, OAuth2, Proxy, Secret
from pprof_exporter.descriptors import DescriptorLimit
from pprof_exporter.exhaustion import OwnTroubles
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client import dialer
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError
from tests.scrape.client.servers import failure, serving
from tests.scrape.fakes import FakeClock

NOWHERE = URL("http://127.0.0.1:1/")
PLAIN = ClientSettings()
UNIX = pytest.mark.skipif(os.name == "nt", reason="a descriptor of Windows is no small number")


def raising(number: int) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number))

    return fail


class Names:
    """A resolver that is told what to answer."""

    def __init__(self, answers: dict[str, list[AddrInfoType] | OSError]) -> None:
        self.answers = answers

    async def resolve(self, host: str, port: int) -> list[AddrInfoType]:
        answer = self.answers[host]
        if isinstance(answer, OSError):
            raise OSError(*answer.args) if type(answer) is OSError else answer
        return [(family, kind, protocol, name, (at[0], port)) for family, kind, protocol, name, at in answer]


def address(host: str) -> AddrInfoType:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, 0))


@pytest.fixture
def troubles(clock: FakeClock) -> OwnTroubles:
    return OwnTroubles(clock)


@pytest.fixture
def fetcher(clock: FakeClock, troubles: OwnTroubles) -> Fetcher:
    return Fetcher(clock, max_bytes=100_000, troubles=troubles)


async def exhausted(fetcher: Fetcher, url: URL = NOWHERE, settings: ClientSettings = PLAIN) -> ExporterExhausted:
    error = await failure(fetcher, settings, url)
    assert isinstance(error, ExporterExhausted), error.detail
    assert error.reason is Reason.EXHAUSTED
    assert error.counted
    return error


@pytest.mark.parametrize(
    ("number", "resource"),
    [
        (errno.EMFILE, ExhaustedResource.DESCRIPTORS),
        (errno.ENFILE, ExhaustedResource.DESCRIPTORS),
        (errno.ENOMEM, ExhaustedResource.MEMORY),
    ],
)
async def test_a_socket_that_the_system_refuses_is_lack_of_the_exporter(
    fetcher: Fetcher,
    troubles: OwnTroubles,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
    resource: ExhaustedResource,
) -> None:
    monkeypatch.setattr(dialer.Dialer, "_open", raising(number))
    for _ in range(20):
        assert (await exhausted(fetcher)).resource is resource
    assert troubles.exhausted == {resource: 20}
    assert len(caplog.records) == 1
    assert caplog.records[0].levelname == "ERROR"


async def test_it_is_logged_again_with_the_count_when_it_goes_on(
    clock: FakeClock, troubles: OwnTroubles, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3600):
        troubles.count(ExhaustedResource.DESCRIPTORS, "[Errno 24] Too many open files")
        clock.time += 1
    assert len(caplog.records) == 6
    assert caplog.records[-1].__dict__["fields"]["more"] == 599


@UNIX
async def test_the_last_descriptors_are_for_the_pages_of_the_exporter(clock: FakeClock) -> None:
    async with serving() as server:
        with socket.socket() as unused:
            next_number = unused.fileno()
        full = Fetcher(clock, max_bytes=1000, descriptors=DescriptorLimit(next_number / 0.75))
        error = await failure(full, PLAIN, server.url)
        assert isinstance(error, ExporterExhausted)
        assert error.resource is ExhaustedResource.DESCRIPTORS
        assert "the limit of open files is" in error.detail
        with socket.socket() as unused:
            assert unused.fileno() == next_number, "the socket beyond was closed"
        roomy = Fetcher(clock, max_bytes=1000, descriptors=DescriptorLimit(2 * next_number))
        await roomy.get(server.url, timeout=60)


async def test_one_address_without_a_socket_leaves_open_whether_the_target_answers(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = dialer.Dialer._open
    sockets: list[AddrInfoType] = []

    def second_fails(self: dialer.Dialer, where: AddrInfoType) -> socket.socket:
        sockets.append(where)
        if len(sockets) == 2:
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(self, where)

    monkeypatch.setattr(dialer.Dialer, "_open", second_fails)
    fetcher.dialer.resolver = Names({"shop": [address("127.0.0.1"), address("127.0.0.2")]})
    assert (await exhausted(fetcher, URL("http://shop:1/"))).resource is ExhaustedResource.DESCRIPTORS


@pytest.mark.parametrize("number", [errno.EADDRNOTAVAIL, errno.EADDRINUSE])
@pytest.mark.parametrize("hosts", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_an_address_without_a_free_port_is_lack_of_the_exporter(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, number: int, hosts: list[str]
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", raising(number), raising=False)
    fetcher.dialer.resolver = Names({"shop": [address(host) for host in hosts]})
    assert (await exhausted(fetcher, URL("http://shop:1/"))).resource is ExhaustedResource.PORTS


async def test_an_address_that_this_machine_cannot_reach_at_all_is_of_the_target(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`::1` in a container without IPv6 has the same error number."""
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", raising(errno.EADDRNOTAVAIL), raising=False)
    monkeypatch.setattr(dialer, "has_source_address", lambda _: False)
    fetcher.dialer.resolver = Names({"shop": [address("127.0.0.1"), address("127.0.0.2")]})
    for url in (NOWHERE, URL("http://shop:1/")):
        assert (await failure(fetcher, PLAIN, url)).reason is Reason.CONNECT


def test_a_source_address_is_looked_up_without_sending_anything() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        port = receiver.getsockname()[1]
        assert dialer.has_source_address((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)))
        with pytest.raises(BlockingIOError):
            receiver.recv(1)
    assert not dialer.has_source_address((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("0.0.0.256", 1)))


async def test_a_thread_that_cannot_be_started_for_a_name_is_lack_of_the_exporter(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert (await exhausted(fetcher, URL("http://shop:1/"))).resource is ExhaustedResource.THREADS


async def test_memory_that_runs_out_within_a_reply_is_lack_of_the_exporter(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pprof_exporter.scrape.client.body.ReplyBody.add", no_memory)
    async with serving() as server:
        assert (await exhausted(fetcher, server.url)).resource is ExhaustedResource.MEMORY


async def test_other_errors_of_ours_stay_errors_of_ours(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(dialer.Dialer, "_open", surprise)
    with pytest.raises(NotImplementedError):
        await fetcher.get(NOWHERE, timeout=5)


async def test_a_name_that_is_unknown_for_lack_of_descriptors_is_none_that_does_not_exist(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a descriptor, glibc reads neither its configuration nor the hosts file, and says that there is none."""

    def unknown(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert (await failure(fetcher, PLAIN, URL("http://shop:1/"))).reason is Reason.RESOLVE
    monkeypatch.setattr(socket, "socket", raising(errno.EMFILE))
    assert (await exhausted(fetcher, URL("http://shop:1/"))).resource is ExhaustedResource.DESCRIPTORS


async def test_a_secret_that_cannot_be_opened_for_lack_of_descriptors_is_no_refusal_of_the_target(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    settings = ClientSettings(Authorization("Bearer", Secret(file=file)))
    assert (await failure(fetcher, settings, NOWHERE)).reason is Reason.UNAUTHORIZED
    file.write_text("secret")
    for name in ("open", "read_text", "read_bytes"):
        monkeypatch.setattr(Path, name, raising(errno.EMFILE))
    assert (await exhausted(fetcher, NOWHERE, settings)).resource is ExhaustedResource.DESCRIPTORS


async def test_a_token_that_cannot_be_had_for_lack_of_descriptors_is_no_refusal_either(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialer.Dialer, "_open", raising(errno.EMFILE))
    settings = ClientSettings(OAuth2("me", Secret("secret"), "http://127.0.0.1:1/token"))
    assert (await exhausted(fetcher, NOWHERE, settings)).resource is ExhaustedResource.DESCRIPTORS


async def test_a_proxy_that_does_not_answer_the_connection_is_trouble_of_the_exporter(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never, raising=False)
    proxy = URL("http://127.0.0.1:3128")
    with pytest.raises(ExporterExhausted) as raised:
        await fetcher.bind(ClientSettings(proxy=Proxy(proxy, proxy))).get(URL("https://shop.test/"), timeout=0.01)
    assert raised.value.resource is ExhaustedResource.PROXY
    with pytest.raises(FetchError) as direct:
        await fetcher.get(NOWHERE, timeout=0.01)
    assert direct.value.reason is Reason.CONNECT


AGAIN = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
NO_SUCH_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
FAR = [address("192.0.2.1")]
SHOPS = [URL(f"http://{name}:1/") for name in ("shop.a", "shop.b", "shop.c")]


async def reasons(fetcher: Fetcher, *urls: URL) -> list[str]:
    for url in urls:
        fetcher.expect(url)
    errors = [await failure(fetcher, PLAIN, url) for url in urls]
    return [str(error.resource if isinstance(error, ExporterExhausted) else error.reason) for error in errors]


async def test_a_name_server_that_answers_for_no_name_is_trouble_of_the_exporter(
    fetcher: Fetcher, troubles: OwnTroubles, caplog: pytest.LogCaptureFixture
) -> None:
    fetcher.dialer.resolver = Names(dict.fromkeys(("shop.a", "shop.b", "shop.c"), AGAIN))
    assert await reasons(fetcher, *SHOPS) == ["resolver"] * 3
    assert troubles.exhausted == {ExhaustedResource.RESOLVER: 3}
    assert len(caplog.records) == 1


@pytest.mark.parametrize("other", [FAR, NO_SUCH_NAME])
async def test_a_name_server_that_answers_for_another_name_leaves_the_failure_to_the_target(
    fetcher: Fetcher, other: list[AddrInfoType] | OSError
) -> None:
    fetcher.dialer.resolver = Names({"shop.a": AGAIN, "shop.b": AGAIN, "shop.c": other})
    for url in SHOPS:
        fetcher.expect(url)
    assert await reasons(fetcher, SHOPS[0]) == ["resolve"]


async def test_a_name_that_does_not_exist_is_of_its_target_even_if_none_does(fetcher: Fetcher) -> None:
    fetcher.dialer.resolver = Names(dict.fromkeys(("shop.a", "shop.b", "shop.c"), NO_SUCH_NAME))
    assert await reasons(fetcher, *SHOPS) == ["resolve"] * 3


async def test_two_names_are_too_few_to_blame_the_name_server(fetcher: Fetcher) -> None:
    fetcher.dialer.resolver = Names(dict.fromkeys(("shop.a", "shop.b", "localhost"), AGAIN))
    fetcher.expect(URL("http://localhost:1/"))
    assert await reasons(fetcher, *SHOPS[:2], NOWHERE) == ["resolve"] * 2 + ["connect"]


async def test_a_domain_whose_servers_fail_is_not_the_name_server_of_the_exporter(fetcher: Fetcher) -> None:
    names = [f"shop-{number}.broken.test" for number in range(5)]
    fetcher.dialer.resolver = Names({**dict.fromkeys(names, AGAIN), "db.well.test": FAR})
    urls = [URL(f"http://{name}:1/") for name in names]
    fetcher.expect(URL("http://db.well.test:1/"))
    assert await reasons(fetcher, *urls) == ["resolve"] * 5
