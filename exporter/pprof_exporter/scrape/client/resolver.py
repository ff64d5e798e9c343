"""Name resolution by the system, in threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading

from aiohttp.abc import AbstractResolver, ResolveResult


class SystemResolver(AbstractResolver):
    """Asks the system for the addresses of a name.

    While no name server answers, `getaddrinfo` blocks its thread until the system gives up. In the thread pool of
    asyncio it would delay decoding, everything else, and the end of the program.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of a name. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def settle(addresses: list[ResolveResult], error: OSError | None) -> None:
            if found.done():
                return
            if error is None:
                found.set_result(addresses)
            else:
                found.set_exception(error)

        def look_up() -> None:
            addresses: list[ResolveResult] = []
            problem: OSError | None = None
            try:
                addresses = _addresses(host, port, family)
            except OSError as error:
                problem = error
            except UnicodeError as error:
                problem = OSError(str(error))
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, addresses, problem)

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        return await found

    async def close(self) -> None:
        """There is nothing to close."""


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    # Without a network, Windows does not resolve localhost under this flag.
    local = sys.platform == "win32" and host.rstrip(".").casefold() == "localhost"
    flags = 0 if local else socket.AI_ADDRCONFIG
    return [
        ResolveResult(
            hostname=host,
            # getnameinfo: the first part of the address lacks the scope of a link-local one.
            host=socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0],
            port=port,
            family=found,
            proto=proto,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for found, _, proto, _, address in socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=flags
        )
    ]
