"""A name server that does not answer holds up nothing but the names that it is asked for."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading

import pytest
from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import SystemClock
from pprof_exporter.scrape import Fetcher
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.resolver import SystemResolver

# More than asyncio has threads for everybody.
MANY = 50

STUCK = """
import socket, sys, time
from pprof_exporter.cli import main
real = socket.getaddrinfo
def getaddrinfo(host, *rest, **more):
    return time.sleep(600) if host == "shop.invalid" else real(host, *rest, **more)
socket.getaddrinfo = getaddrinfo
sys.exit(main(["shop.invalid:6060", "--web.listen-address=127.0.0.1:0"]))
"""


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(SystemClock(), max_bytes=1000)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """No name server answers until this is set."""
    answers = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> object:
        answers.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


async def test_a_name_has_the_addresses_that_the_system_knows() -> None:
    found = await SystemResolver().resolve("localhost", 6060)

    assert (socket.AF_INET, ("127.0.0.1", 6060)) in [(family, address) for family, _, _, _, address in found]
    # Where the hosts file has ::1 for localhost too, glibc tells 127.0.0.1 twice.
    assert len(set(found)) == len(found)


async def test_names_that_hang_take_no_thread_from_anybody(fetcher: Fetcher, stuck: threading.Event) -> None:
    async def reason(number: int) -> Reason:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(URL(f"http://shop-{number}.invalid:6060/"), timeout=1)
        return caught.value.reason

    fetches = [asyncio.create_task(reason(number)) for number in range(MANY)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "read"), timeout=30) == "read"
    assert set(await asyncio.gather(*fetches)) == {Reason.RESOLVE}
    stuck.set()


async def test_a_name_that_cannot_be_one_does_not_resolve(fetcher: Fetcher) -> None:
    with pytest.raises(FetchError) as caught:
        await fetcher.get(URL(f"http://{'x' * 70}.invalid:6060/"), timeout=10)
    assert caught.value.reason is Reason.RESOLVE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program could handle")
def test_stopping_does_not_wait_for_a_name_server() -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK], stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        while "listening" not in program.stderr.readline():
            assert program.poll() is None
        program.send_signal(signal.SIGTERM)
        try:
            assert program.wait(timeout=60) == 0
        finally:
            program.kill()
