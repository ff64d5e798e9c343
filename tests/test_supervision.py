"""A task that dies is logged, counted and started again; and no task of the package is started in another way."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pprof_exporter.catalog.own_trouble import BackgroundTask, ExhaustedResource
from pprof_exporter.supervision import Supervisor, unhandled_errors
from tests.lab import PROJECT
from tests.scrape.fakes import FakeClock, settle

PACKAGE = PROJECT / "exporter" / "pprof_exporter"
STARTS = {"create_task", "ensure_future", "run_coroutine_threadsafe", "TaskGroup", "Thread", "Timer", "call_later"}
"""What begins work that nobody needs to wait for. `asyncio.gather` is always awaited, or held by who awaits it."""
ALLOWED = {
    "supervision.py": "the supervisor itself",
    "scrape/target/loop.py": "a task group raises what its tasks raise, and a clock that sleeps; both within the loop",
    "scrape/target/round.py": "of one round, which cancels and awaits them",
    "scrape/probing/prober.py": "a round, awaited by the request that needs it, and a clock that sleeps",
    "scrape/client/resolver.py": "a thread that hands every error to the future that is awaited",
    "capture/recorder.py": "awaited together by the command",
    "capture/matrix_runner.py": "awaited together by the command",
    "cli/record.py": "awaited by the command",
    "web/passwords.py": "each check hands its error to the request that waits, and the next one starts the queue again",
    "scrape/client/bytes_in_flight.py": "a timer that only ends a wait",
    "web/connections.py": "a timer that only cuts a connection",
}
"""Files that start tasks, threads or timers on their own, and why that is no background task."""


class Surprise(Exception):
    """A fault of ours."""


class Failing:
    """Work that fails as often as told, and then runs until it is cancelled."""

    def __init__(self, clock: FakeClock, failures: int, error: Callable[[], BaseException] = Surprise) -> None:
        self.clock = clock
        self.failures = failures
        self.began: list[float] = []
        self.error = error

    async def __call__(self) -> None:
        self.began.append(self.clock.time)
        if len(self.began) <= self.failures:
            raise self.error()
        await asyncio.Event().wait()


@pytest.fixture
def supervisor(clock: FakeClock) -> Supervisor:
    return Supervisor(clock, Random(1))


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_task_that_dies_is_logged_counted_and_started_again(
    clock: FakeClock, supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    work, told = Failing(clock, 3), list[BaseException]()
    task = supervisor.start(BackgroundTask.STORE, work, on_failure=told.append)
    await clock.advance(30)
    assert len(work.began) == 4
    assert not task.done()
    assert supervisor.restarts == {BackgroundTask.STORE: 3}
    assert supervisor.internal_errors == 3
    assert [type(error) for error in told] == [Surprise] * 3
    assert len([record for record in caplog.records if record.exc_info]) == 1, "the first with its traceback"
    await end(task)


async def test_pauses_grow_up_to_five_minutes_and_start_small_after_a_good_time(
    clock: FakeClock, supervisor: Supervisor
) -> None:
    work = Failing(clock, 40)
    task = supervisor.start(BackgroundTask.LOAD, work)
    await clock.advance(6000)
    pauses = [later - sooner for sooner, later in zip(work.began, work.began[1:], strict=False)]
    assert 0.5 <= pauses[0] <= 1
    assert all(pause <= min(300, 2**number) for number, pause in enumerate(pauses))
    assert all(150 <= pause <= 300 for pause in pauses[9:])
    await end(task)


async def test_a_task_that_must_not_end_is_started_again_when_it_does(clock: FakeClock, supervisor: Supervisor) -> None:
    ended: list[float] = []

    async def work() -> None:
        ended.append(clock.time)

    task = supervisor.start(BackgroundTask.GARBAGE, work)
    await clock.advance(2)
    assert len(ended) >= 2
    await end(task)
    task = supervisor.start(BackgroundTask.MERGE, work, endless=False)
    await settle()
    assert task.done()


async def test_a_task_ends_after_its_tries(clock: FakeClock, supervisor: Supervisor) -> None:
    work = Failing(clock, 99)
    task = supervisor.start(BackgroundTask.CAPTURE, work, endless=False, tries=3)
    await clock.advance(600)
    assert task.done()
    assert len(work.began) == 3


async def test_only_a_task_that_is_cancelled_itself_ends(clock: FakeClock, supervisor: Supervisor) -> None:
    work = Failing(clock, 1, asyncio.CancelledError)
    task = supervisor.start(BackgroundTask.PUSH, work)
    await clock.advance(2)
    assert len(work.began) == 2
    await end(task)
    assert task.cancelled()


async def test_what_fails_while_a_failure_is_told_does_not_end_the_task(
    clock: FakeClock, supervisor: Supervisor
) -> None:
    def told(_error: BaseException) -> None:
        raise Surprise

    work = Failing(clock, 1)
    task = supervisor.start(BackgroundTask.DISCOVERY, work, on_failure=told)
    await clock.advance(2)
    assert len(work.began) == 2
    assert supervisor.internal_errors == 2
    await end(task)


@pytest.mark.parametrize(
    ("error", "resource"),
    [
        (MemoryError(), ExhaustedResource.MEMORY),
        (RuntimeError("can't start new thread"), ExhaustedResource.THREADS),
        (OSError(24, "Too many open files"), ExhaustedResource.DESCRIPTORS),
        (ExceptionGroup("tasks", [Surprise(), OSError(23, "Too many open files in system")]), "descriptors"),
    ],
)
async def test_a_task_that_dies_for_lack_of_something_is_no_internal_error(
    clock: FakeClock, supervisor: Supervisor, error: Exception, resource: ExhaustedResource
) -> None:
    work = Failing(clock, 1, lambda: error)
    task = supervisor.start(BackgroundTask.TARGET, work)
    await clock.advance(2)
    assert len(work.began) == 2
    assert supervisor.internal_errors == 0
    assert supervisor.troubles.exhausted == {resource: 1}
    await end(task)


async def test_what_reaches_the_event_loop_is_counted_and_is_one_line(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()

    def surprise() -> None:
        raise Surprise

    with unhandled_errors(supervisor):
        for _ in range(50):
            loop.call_soon(surprise)
            error = OSError(24, "Too many open files")
            loop.call_exception_handler({"message": "socket.accept() out of system resource", "exception": error})
        await settle()
    assert supervisor.internal_errors == 50
    assert supervisor.troubles.exhausted == {ExhaustedResource.DESCRIPTORS: 50}
    assert len(caplog.records) == 2


def starts(source: str) -> set[str]:
    """The names in a file that begin work of their own."""
    return {
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and (name := node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in STARTS
    }


def test_every_task_of_the_package_is_supervised() -> None:
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if starts(file.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED), "start a background task with `Supervisor.start`, or say why it is none"


@pytest.mark.parametrize(
    "line",
    ["asyncio.create_task(work())", "loop.create_task(work())", "asyncio.ensure_future(work())", "Thread(target=work)"],
)
def test_a_task_that_is_not_supervised_is_found(line: str) -> None:
    assert starts(f"async def begin():\n    {line}\n")


def test_every_known_task_is_started_somewhere() -> None:
    package = "".join(file.read_text(encoding="utf-8") for file in sorted(Path(PACKAGE).rglob("*.py")))
    assert [task for task in BackgroundTask if f"BackgroundTask.{task.name}" not in package] == []
