"""The gateway answers as the scenarios say, and otherwise as the service does."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pprof_exporter.profile import System, decode, modules
from pprof_exporter.profile.system import system_of
from tests.conftest import RECORDINGS
from tests.detection import replies
from tests.detection.gateway import EVERYTHING, PPROF, Gateway
from tests.detection.profiles import on_windows
from tests.proto.profile_pb2 import Profile

HEAP = (RECORDINGS / "linux-go1.27.3" / "heap.pb.gz").read_bytes()


class Service(BaseHTTPRequestHandler):
    """Answers every path with a heap profile."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(HEAP)))
        self.end_headers()
        self.wfile.write(HEAP)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def gateway(service: str) -> Iterator[Gateway]:
    found = Gateway((service,))
    found.open()
    yield found
    found.close()


def get(gateway: Gateway, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(gateway.address, timeout=10)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def test_it_answers_as_the_service_does(gateway: Gateway) -> None:
    assert get(gateway, "/debug/pprof/heap") == (200, HEAP)


def test_a_mode_is_for_one_profile_for_pprof_or_for_everything(gateway: Gateway) -> None:
    gateway.answer(replies.status(403), "heap")
    assert get(gateway, "/debug/pprof/heap")[0] == 403
    assert get(gateway, "/debug/pprof/allocs")[0] == 200
    gateway.answer(replies.status(404), PPROF)
    assert [get(gateway, path)[0] for path in ("/debug/pprof/heap", "/debug/pprof/", "/metrics")] == [403, 404, 200]
    gateway.answer(replies.login_page, EVERYTHING)
    assert get(gateway, "/metrics") == (200, replies.LOGIN)
    gateway.heal()
    assert get(gateway, "/debug/pprof/heap") == (200, HEAP)


def test_one_reply_in_so_many_is_cut(gateway: Gateway) -> None:
    gateway.answer(replies.one_in(3, replies.cut), "heap")
    assert [get(gateway, "/debug/pprof/heap")[0] for _ in range(2)] == [200, 200]
    with pytest.raises(http.client.IncompleteRead):
        get(gateway, "/debug/pprof/heap")
    assert get(gateway, "/debug/pprof/heap") == (200, HEAP)


def test_connections_are_refused_when_it_is_closed_and_accepted_again(gateway: Gateway) -> None:
    gateway.close()
    with pytest.raises(ConnectionRefusedError):
        get(gateway, "/debug/pprof/heap")
    gateway.open()
    assert get(gateway, "/debug/pprof/heap")[0] == 200


def test_a_profile_looks_like_one_of_windows(gateway: Gateway) -> None:
    gateway.change(on_windows("2026-10-14 09:12:41.5 +0000 UTC", "C:\\AV\\hook.dll"), "heap")
    profile = decode(get(gateway, "/debug/pprof/heap")[1])
    assert system_of(profile) is System.WINDOWS
    found = {module.file.rpartition("\\")[2]: module.modified for module in modules(profile.mapped_files)}
    assert next(iter(found)) == "service.exe"
    assert all(found[name] for name in ("service.exe", "ntdll.dll", "hook.dll"))


def test_another_build_is_another_program_on_windows_too() -> None:
    names = set()
    for build in (b"aa11", b"bb22"):
        profile = Profile.FromString(gzip.decompress(HEAP))
        profile.string_table[profile.mapping[0].build_id] = build
        on_windows()(profile)
        names.add(bytes(profile.string_table[profile.mapping[0].build_id]))
    assert len(names) == 2
