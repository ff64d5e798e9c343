"""Name resolution by the system, in threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
import threading

from aiohappyeyeballs import AddrInfoType


class SystemResolver:
    """Asks the system for the addresses of a name.

    While no name server answers, `getaddrinfo` blocks its thread until the system gives up. In the thread pool of
    asyncio it would delay decoding, everything else, and the end of the program.
    """

    async def resolve(self, host: str, port: int) -> list[AddrInfoType]:
        """All addresses of a name. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[AddrInfoType] | OSError] = loop.create_future()

        def settle(answer: list[AddrInfoType] | OSError) -> None:
            if not found.done():
                found.set_result(answer)

        def look_up() -> None:
            answer: list[AddrInfoType] | OSError
            try:
                answer = _addresses(host, port)
            except socket.gaierror as error:
                answer = _lack_of_descriptors() or error
            except OSError as error:
                answer = error
            except UnicodeError as error:
                answer = OSError(str(error))
            except MemoryError:
                answer = OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, answer)

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        answer = await found
        if isinstance(answer, OSError):
            raise answer
        return answer


def _lack_of_descriptors() -> OSError | None:
    """The error of a process without descriptors, in which glibc reads no file, asks no server and knows no name."""
    try:
        socket.socket().close()
    except OSError as error:
        return error
    return None


def _addresses(host: str, port: int) -> list[AddrInfoType]:
    # Without a network, Windows does not resolve localhost under this flag.
    local = sys.platform == "win32" and host.rstrip(".").casefold() == "localhost"
    flags = 0 if local else socket.AI_ADDRCONFIG
    # A dict: where the hosts file has ::1 for localhost too, glibc names 127.0.0.1 twice.
    return list(dict.fromkeys(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)))
