"""Checks passwords against bcrypt hashes, which is slow by design, so that guesses do not keep others out.

As in exporter-toolkit (web/handler.go and web/cache.go of 0.14), results are remembered, and an unknown user takes as
long as a known one. There, one check runs at a time, whoever asks first. Here, whose address has the fewest wrong
passwords goes first, and of those the newest; and only so many wait.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from pprof_exporter.threads import Threads

_THREADS = Threads("passwords", 1)
# Right and wrong results that are remembered; exporter-toolkit remembers 100 of both.
_REMEMBERED = 256
_WAITING_OF_ONE = 8
_WAITING = 64
_ADDRESSES = 1024


class Login(Enum):
    """What became of a request with user and password."""

    RIGHT = auto()
    WRONG = auto()
    TOO_MANY = auto()
    """It was not checked: too many others wait to be."""


class PasswordHasher(Protocol):
    """Compares a password with a bcrypt hash, in some time."""

    def __call__(self, password: bytes, hashed_password: bytes) -> bool:
        """Whether the password is that of the hash."""
        ...


class PasswordGate:
    """Decides on requests with user and password. Needs a running event loop."""

    def __init__(self, check: PasswordHasher | None = None) -> None:
        """`check` is bcrypt's unless a test has its own."""
        self._check = check
        self._secret = secrets.token_bytes(16)
        self._results: dict[bool, OrderedDict[bytes, None]] = {True: OrderedDict(), False: OrderedDict()}
        self._results_for: Mapping[str, str] = {}
        self._queue = _Queue()

    async def login(self, headers: Sequence[str], users: Mapping[str, str], address: str | None) -> Login:
        """Whether the one header `Authorization` has user and password of one of `users`, names to bcrypt hashes.

        `address` is that of the client.
        """
        if users != self._results_for:
            self._results = {True: OrderedDict(), False: OrderedDict()}
            self._results_for = users
        given = _credentials(headers)
        if given is None:
            return Login.WRONG
        user, password = given
        mark = self._digest(hashlib.sha256(user).digest() + password)
        for right, known in self._results.items():
            if mark in known:
                known.move_to_end(mark)
                return Login.RIGHT if right else Login.WRONG
        name = user.decode("utf-8", "replace")
        # bcrypt reads 72 bytes at the most, and the library refuses more.
        work = partial(self._compare, password[:72], self._hash_for(name, user, users).encode())
        checked = await self._queue.check(mark, _client(address), work)
        if checked is None:
            return Login.TOO_MANY
        right = checked and name in users
        if users == self._results_for:
            self._remember(mark, right=right)
        return Login.RIGHT if right else Login.WRONG

    def _hash_for(self, name: str, user: bytes, users: Mapping[str, str]) -> str:
        """The hash of a user. An unknown one has another's, always the same: its cost is as good as its own."""
        hashes = sorted(users.values())
        return users.get(name) or hashes[int.from_bytes(self._digest(user)) % len(hashes)]

    def _compare(self, password: bytes, hashed: bytes) -> bool:
        if self._check is None:
            import bcrypt  # noqa: PLC0415 - only where there are passwords

            self._check = bcrypt.checkpw
        return self._check(password, hashed)

    def _remember(self, mark: bytes, *, right: bool) -> None:
        known = self._results[right]
        known[mark] = None
        if len(known) > _REMEMBERED:
            known.popitem(last=False)

    def _digest(self, text: bytes) -> bytes:
        return hmac.digest(self._secret, text, "sha256")


@dataclass(slots=True, eq=False)
class _Check:
    """A password that waits or is being checked. `result` is None for one that has to make room."""

    mark: bytes
    address: str
    work: partial[bool]
    result: asyncio.Future[bool | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Queue:
    """Checks one password after the other. The same one, asked for twice, is checked once."""

    def __init__(self) -> None:
        self._waiting: list[_Check] = []
        self._running: _Check | None = None
        self._task: asyncio.Task[None] | None = None
        self._wrong: OrderedDict[str, int] = OrderedDict()

    async def check(self, mark: bytes, address: str, work: partial[bool]) -> bool | None:
        """Whether a password is right; None if too many wait. Raises what the work raises."""
        one = next((one for one in (self._running, *self._waiting) if one is not None and one.mark == mark), None)
        if one is None:
            one = _Check(mark, address, work)
            self._waiting.append(one)
            self._make_room(address)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._run(), name="passwords")
        # The request may be cancelled, and others wait for the same check.
        return await asyncio.shield(one.result)

    def _make_room(self, address: str) -> None:
        """Drop the oldest of an address with too many, or of the address with the most."""
        counts = Counter(one.address for one in self._waiting)
        crowded = address if counts[address] > _WAITING_OF_ONE else None
        if crowded is None and len(self._waiting) > _WAITING:
            crowded = max(counts, key=lambda each: (self._wrong.get(each, 0), counts[each]))
        if crowded is not None:
            oldest = next(one for one in self._waiting if one.address == crowded)
            self._waiting.remove(oldest)
            oldest.result.set_result(None)

    async def _run(self) -> None:
        while self._waiting:
            # `max` takes the first of equals, and the newest stands last.
            self._running = one = max(reversed(self._waiting), key=lambda one: -self._wrong.get(one.address, 0))
            self._waiting.remove(one)
            try:
                right = await _THREADS.run(one.work)
            except Exception as error:  # noqa: BLE001 - whoever asked gets it
                one.result.set_exception(error)
                # Or nobody: then it is not "never retrieved" either.
                one.result.exception()
                continue
            finally:
                self._running = None
            self._count(one.address, right=right)
            one.result.set_result(right)

    def _count(self, address: str, *, right: bool) -> None:
        wrong = self._wrong.pop(address, 0) + 1
        if not right:
            self._wrong[address] = wrong
            if len(self._wrong) > _ADDRESSES:
                self._wrong.popitem(last=False)


def _client(address: str | None) -> str:
    """What stands for one client: its address, of IPv6 the network of a site; "" for a socket of the file system."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


def _credentials(headers: Sequence[str]) -> tuple[bytes, bytes] | None:
    if len(headers) != 1:
        return None
    scheme, _, encoded = headers[0].partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
