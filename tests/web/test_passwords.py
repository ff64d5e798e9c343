"""Passwords: a known good user passes before any number of wrong ones, and nothing tells which users there are."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import bcrypt
import pytest
from aiohttp import web

from pprof_exporter.config.listen_address import Listen
from pprof_exporter.web import WebConfig, WebSecurity
from pprof_exporter.web.authentication import authentication_gates
from pprof_exporter.web.listen import start_sites
from pprof_exporter.web.passwords import Login, PasswordGate
from tests.scrape.fakes import FakeClock

USERS = {"prometheus": "right", "grafana": "other"}
"""The "hash" of a fake check is the password itself."""


def header(user: str, password: str) -> list[str]:
    return [f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"]


def one_address(number: int) -> str:
    return "10.0.0.1"


class SlowCheck:
    """A check that begins only when it is let, and notes what was checked in which order."""

    def __init__(self) -> None:
        self.checked: list[str] = []
        self.may_go = threading.Event()
        self.began = threading.Event()

    def __call__(self, password: bytes, hashed_password: bytes) -> bool:
        self.began.set()
        assert self.may_go.wait(30)
        self.checked.append(password.decode())
        return password == hashed_password


@pytest.fixture
def check() -> SlowCheck:
    return SlowCheck()


async def settled() -> None:
    """Let all tasks run until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


async def guessing(gate: PasswordGate, address: Callable[[int], str]) -> list[asyncio.Task[Login]]:
    """Sixty wrong passwords at once, the first of which is being checked."""
    guesses: list[asyncio.Task[Login]] = []
    for i in range(60):
        guesses.append(asyncio.create_task(gate.login(header("prometheus", f"guess {i}"), USERS, address(i))))
        if i == 0:
            await settled()
    await settled()
    return guesses


@pytest.mark.parametrize(
    ("guesser", "user"),
    [
        (one_address, "10.0.0.2"),
        (one_address, "10.0.0.1"),
        (lambda i: f"10.0.0.{i}", "10.0.1.1"),
        (lambda i: f"2001:db8::{i}", "2001:db8:1::1"),
    ],
    ids=["other address", "same address", "sixty addresses", "one network of IPv6"],
)
async def test_the_first_login_of_a_good_user_waits_for_no_more_than_what_is_checked_already(
    check: SlowCheck, guesser: Callable[[int], str], user: str
) -> None:
    gate = PasswordGate(check)
    guesses = await guessing(gate, guesser)
    good = asyncio.create_task(gate.login(header("prometheus", "right"), USERS, user))
    await settled()
    check.may_go.set()

    assert await good is Login.RIGHT
    assert check.checked.index("right") == 1
    assert {*await asyncio.gather(*guesses)} <= {Login.WRONG, Login.TOO_MANY}


async def test_a_known_good_user_waits_for_nothing(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    check.may_go.set()
    assert await gate.login(header("prometheus", "right"), USERS, "10.0.0.1") is Login.RIGHT
    check.may_go.clear()
    guesses = await guessing(gate, one_address)

    assert await gate.login(header("prometheus", "right"), USERS, "10.0.0.1") is Login.RIGHT
    assert check.checked == ["right"]
    check.may_go.set()
    await asyncio.gather(*guesses)


async def test_guesses_of_one_address_are_bounded_and_those_of_all(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    of_one = await guessing(gate, one_address)
    assert sum(task.done() for task in of_one) == 60 - 8 - 1
    of_many = [asyncio.create_task(gate.login(header("x", f"guess {i}"), USERS, f"10.1.{i}.1")) for i in range(200)]
    await settled()
    assert sum(not task.done() for task in (*of_one, *of_many)) == 64 + 1
    check.may_go.set()
    results = await asyncio.gather(*of_one, *of_many)
    assert len(check.checked) == 65
    assert results.count(Login.WRONG) == 65
    assert results.count(Login.TOO_MANY) == 195


async def test_who_guessed_wrong_waits_behind_who_did_not(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    check.may_go.set()
    assert await gate.login(header("prometheus", "wrong"), USERS, "10.0.0.1") is Login.WRONG
    check.may_go.clear()
    asks = [("10.0.0.9", "first"), ("10.0.0.2", "second"), ("10.0.0.3", "third"), ("10.0.0.1", "last")]
    tasks = [asyncio.create_task(gate.login(header("prometheus", text), USERS, address)) for address, text in asks]
    await settled()
    check.may_go.set()
    await asyncio.gather(*tasks)
    assert check.checked == ["wrong", "third", "second", "first", "last"]


async def test_the_same_password_is_checked_once_right_or_wrong(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    check.may_go.set()
    for password, result in (("right", Login.RIGHT), ("wrong", Login.WRONG)):
        asked = [gate.login(header("prometheus", password), USERS, f"10.0.0.{i}") for i in range(40)]
        assert {*await asyncio.gather(*asked)} == {result}
        assert await gate.login(header("prometheus", password), USERS, "10.0.0.1") is result
    assert check.checked == ["right", "wrong"]


async def test_a_change_of_the_file_forgets_what_was_right(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    check.may_go.set()
    assert await gate.login(header("prometheus", "right"), USERS, None) is Login.RIGHT
    assert await gate.login(header("prometheus", "right"), {"prometheus": "new"}, None) is Login.WRONG
    assert await gate.login(header("prometheus", "new"), {"prometheus": "new"}, None) is Login.RIGHT


async def test_wrong_passwords_push_no_right_one_out_and_memory_is_bounded(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    check.may_go.set()
    assert await gate.login(header("prometheus", "right"), USERS, None) is Login.RIGHT
    for i in range(600):
        assert await gate.login(header("prometheus", f"guess {i}"), USERS, f"10.0.{i // 250}.{i % 250}") is Login.WRONG
    assert {right: len(known) for right, known in gate._results.items()} == {True: 1, False: 256}


async def test_an_unknown_user_costs_what_one_of_the_users_costs_always_the_same() -> None:
    asked: list[bytes] = []

    def check(password: bytes, hashed_password: bytes) -> bool:
        asked.append(hashed_password)
        return True

    gate = PasswordGate(check)
    for i in range(40):
        for password in ("a", "b"):
            assert await gate.login(header(f"unknown {i}", password), USERS, None) is Login.WRONG
    assert asked[::2] == asked[1::2]
    assert {*asked} == {b"right", b"other"}


async def test_a_check_that_fails_ends_neither_the_queue_nor_others() -> None:
    def check(password: bytes, hashed_password: bytes) -> bool:
        if password == b"bad":
            raise ValueError("Invalid salt")
        return password == hashed_password

    gate = PasswordGate(check)
    bad, good = await asyncio.gather(
        gate.login(header("prometheus", "bad"), USERS, None),
        gate.login(header("prometheus", "right"), USERS, None),
        return_exceptions=True,
    )
    assert isinstance(bad, ValueError)
    assert good is Login.RIGHT


async def test_a_request_that_ends_takes_no_check_from_others(check: SlowCheck) -> None:
    gate = PasswordGate(check)
    gone = asyncio.create_task(gate.login(header("prometheus", "right"), USERS, "10.0.0.1"))
    stays = asyncio.create_task(gate.login(header("prometheus", "right"), USERS, "10.0.0.2"))
    await settled()
    gone.cancel()
    check.may_go.set()
    assert await stays is Login.RIGHT
    assert check.checked == ["right"]


async def status(port: int, password: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    (authorization,) = header("prometheus", password)
    writer.write(f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\n\r\n".encode())
    reply = await reader.read()
    writer.close()
    return reply.split(b" ")[1].decode()


async def test_with_real_hashes_and_sockets_guesses_are_refused_and_the_good_user_is_not() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="seen")

    users = {"prometheus": bcrypt.hashpw(b"secret", bcrypt.gensalt(6)).decode()}
    gates: list[Any] = authentication_gates(WebSecurity(config=WebConfig(users=users)), FakeClock(), {})
    app = web.Application(middlewares=gates)
    app.router.add_get("/", answer)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0)
    await runner.setup()
    (url,) = await start_sites(runner, [Listen("127.0.0.1", 0)])
    port = int(url.rpartition(":")[2])
    asked: list[Awaitable[str]] = [status(port, f"guess {i}") for i in range(60)]
    guesses = asyncio.gather(*asked)
    assert await status(port, "secret") == "200"
    assert {*await guesses} <= {"401", "429"}
    await runner.cleanup()
