"""Signals on every system: POSIX event loops take handlers, those of Windows do not, and Windows has others."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType


@contextlib.contextmanager
def signal_handlers(stop: Callable[[], None], reload: Callable[[], None] | None) -> Iterator[None]:
    """Call `stop` on SIGINT, SIGTERM and SIGBREAK, `reload` on SIGHUP, as long as the block runs.

    Windows has no SIGHUP. SIGBREAK is only there: Ctrl-Break, which reaches a process that does not hear Ctrl-C, as one
    that was started in a group of its own (`CREATE_NEW_PROCESS_GROUP`).
    """
    loop = asyncio.get_running_loop()
    wanted: dict[int, Callable[[], None]] = {signal.SIGINT: stop, signal.SIGTERM: stop}
    brk = getattr(signal, "SIGBREAK", None)
    if brk is not None:
        wanted[brk] = stop
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None:
        # Without a configuration file a hangup is not a reason to die.
        wanted[hangup] = reload or (lambda: None)
    with contextlib.ExitStack() as undo:
        for number, action in wanted.items():
            undo.callback(_handle(loop, number, action))
        yield


def _handle(loop: asyncio.AbstractEventLoop, number: int, action: Callable[[], None]) -> Callable[[], object]:
    """Take a signal over; returns what gives it back."""
    try:
        loop.add_signal_handler(number, action)
    except NotImplementedError:

        def pass_on(_number: int, _frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(action)

        return partial(signal.signal, number, signal.signal(number, pass_on))
    return partial(loop.remove_signal_handler, number)
