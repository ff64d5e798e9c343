"""TCP in front of programs: replies that come later on command, or each connection to the next of several programs."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Sequence

_BLOCK = 64 * 1024


class Line:
    """`url` leads to the programs at `upstreams` (HOST:PORT), each connection to the next of them.

    A client that keeps connections would have only its first reply delayed; the exporter keeps none.
    """

    def __init__(self, upstreams: Sequence[str]) -> None:
        self.upstreams = tuple(upstreams)
        self.delay = 0.0
        """Seconds by which each reply is late. May be set at any time, from any thread."""
        self.url = ""
        self._connections = 0
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """HOST:PORT, the name of the target in the metrics."""
        return self.url.removeprefix("http://")

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        # In any case, also when this is cancelled while it ends.
        with contextlib.closing(answers):
            await self._pass_on(client, answers)

    async def _pass_on(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        host, port = self.upstreams[self._connections % len(self.upstreams)].split(":")
        self._connections += 1
        try:
            replies, requests = await asyncio.open_connection(host, int(port))
        except OSError:
            # The program is being replaced: the client gets no reply, as of a load balancer without health checks.
            return
        with contextlib.closing(requests):
            ways = [
                asyncio.ensure_future(_pass(client, requests)),
                asyncio.ensure_future(self._answer(replies, answers)),
            ]
            try:
                # Whoever hangs up ends both ways: a target ends a profile whose client has gone.
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _answer(self, replies: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        first = await replies.read(_BLOCK)
        await asyncio.sleep(self.delay)
        answers.write(first)
        await _pass(replies, answers)


async def _pass(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while block := await source.read(_BLOCK):
            to.write(block)
            await to.drain()


@contextlib.contextmanager
def running(upstreams: Sequence[Sequence[str]]) -> Iterator[list[Line]]:
    """One line for each group of programs (HOST:PORT), all in one thread, ended with the block."""
    lines = [Line(group) for group in upstreams]
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        for line in lines:
            await line._open()
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        serving = loop.create_task(serve())
        loop.run_forever()
        for line in lines:
            line._close()
        serving.cancel()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        # A connection that was closed leaves its socket open until the loop comes around.
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the proxies did not start")
        yield lines
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
