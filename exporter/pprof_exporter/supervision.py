"""Background tasks: what dies is logged, counted, and started again after a pause.

Nothing else starts a task of a running exporter. A task that nobody waits for would end in silence with its first
error, while its last success is still shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any

from pprof_exporter.catalog.own_trouble import BackgroundTask
from pprof_exporter.clock import Clock
from pprof_exporter.event_log import LOG
from pprof_exporter.exhaustion import OwnTroubles, exhausted_resource
from pprof_exporter.log_limits import LogLimit, repeats

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 300.0
# A task that ran for so long was well: its next error is a first one.
_WELL_AFTER = 2 * _LONGEST_PAUSE

Work = Callable[[], Awaitable[None]]
OnFailure = Callable[[BaseException], None]


class Supervisor:
    """Runs the background tasks of one exporter, and counts its internal errors."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.troubles = OwnTroubles(clock)
        self.internal_errors = 0
        """Errors of the exporter itself, in tasks and elsewhere."""
        self.restarts: Counter[BackgroundTask] = Counter()
        """How often each task died of an error and was started again."""
        self._clock = clock
        self._random = random
        self._limit = LogLimit(clock.steady)
        # The event loop holds its tasks by weak references only.
        self._running: set[asyncio.Task[None]] = set()

    def start(
        self,
        task: BackgroundTask,
        work: Work,
        *,
        endless: bool = True,
        tries: int | None = None,
        on_failure: OnFailure | None = None,
        about: str = "",
    ) -> asyncio.Task[None]:
        """Run work in the background until it is cancelled, and again after each internal error.

        `endless`: it must never return; otherwise a return ends the task. `tries`: how often it is run at most; None:
        without end. `on_failure` is called with each error, so that what shows the success of the task says otherwise.
        `about` is the target, job or file that the task is for.
        """

        async def supervised() -> None:
            pauses, tried = 0, 0
            while True:
                tried += 1
                began = self._clock.steady()
                try:
                    await work()
                    if not endless:
                        return
                    raise RuntimeError(f"the task {task} ended")  # noqa: TRY301 - handled like every other error
                except (Exception, asyncio.CancelledError) as error:
                    if _is_cancelled(error):
                        raise
                    self._died(task, error, about)
                    self._tell(on_failure, error)
                if tried == tries:
                    return
                if self._clock.steady() - began >= _WELL_AFTER:
                    pauses = 0
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**pauses)
                pauses = min(pauses + 1, 16)
                await self._clock.sleep(pause * self._random.uniform(0.5, 1))
                self.restarts[task] += 1

        running = asyncio.create_task(supervised(), name=f"{task} {about}".rstrip())
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running

    def internal_error(self, error: BaseException, **fields: str) -> None:
        """Count an internal error, and log it: the first of its kind with its traceback, later ones with a count.

        One for lack of memory, threads or descriptors is no fault of the program, and counts as `troubles`.
        """
        resource = exhausted_resource(error)
        if resource is not None:
            self.troubles.count(resource, str(error) or type(error).__name__)
            return
        self.internal_errors += 1
        more = self._limit.admit((fields.get("task"), *_kind_of(error)))
        if more is None:
            return
        LOG.error("internal error, please report it", exc_info=error, **{**fields, **repeats(more)})

    def _died(self, task: BackgroundTask, error: BaseException, about: str) -> None:
        fields = {"target" if task is BackgroundTask.TARGET else "about": about} if about else {}
        self.internal_error(error, task=str(task), **fields)

    def _tell(self, on_failure: OnFailure | None, error: BaseException) -> None:
        if on_failure is None:
            return
        try:
            on_failure(error)
        except Exception as another:  # noqa: BLE001 - a second error must not end what the first did not
            self.internal_error(another)


@contextlib.contextmanager
def unhandled_errors(supervisor: Supervisor) -> Iterator[None]:
    """Count each error that reaches the event loop, and log it as one event, as long as the block runs.

    asyncio itself logs a traceback each time: 50 a second while `accept` finds no free descriptor.
    """
    loop = asyncio.get_running_loop()

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        message = str(context.get("message", ""))
        error = context.get("exception")
        supervisor.internal_error(error if isinstance(error, BaseException) else RuntimeError(message), during=message)

    before = loop.get_exception_handler()
    loop.set_exception_handler(handle)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def _is_cancelled(error: BaseException) -> bool:
    """Whether the current task itself was cancelled, and not something that it waited for."""
    current = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and current is not None and current.cancelling() > 0


def _kind_of(error: BaseException) -> tuple[object, ...]:
    """Equal for errors that were raised in the same place."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    return type(error), *((frames[-1].filename, frames[-1].lineno) if frames else (str(error),))
