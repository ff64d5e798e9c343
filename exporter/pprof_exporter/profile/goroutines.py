"""What goroutines wait for, by their stacks.

The text of `goroutine?debug=2` names the state, but stops the world for as long as it writes. The binary profile does
not name it, and needs not: who called `runtime.gopark` says why a goroutine is parked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice

from pprof_exporter.profile.model import Location, Profile

_DEPTH = 8
_PARK = "runtime.gopark"
# Inlined into its callers, or a frame of its own: it says nothing.
_PARK_UNLOCK = "runtime.goparkunlock"
_SEMAPHORE = "runtime.semacquire1"
# A coroutine of iter.Pull gives way without parking (runtime/coro.go coroswitch).
_COROUTINE = "runtime.coro"
_LOCKS = ("sync.", "internal/sync.", "internal/poll.")
# On Windows every call of the system, and everywhere every call of C, is runtime.cgocall. os/signal waits in
# runtime.notetsleepg, which the runtime itself counts as a system call.
_OUTSIDE = re.compile(
    r"runtime\.(?:cgocall|notetsleepg)"
    r"|(?:internal/runtime/|runtime/internal/)?syscall(?:/\w+)?\.(?:[rR]aw)?(?:Vfork)?[sS]ys(?:call|vicall)\w*"
)


class State(StrEnum):
    """What a goroutine does. The names follow `goroutine?debug=2` (runtime/runtime2.go waitReasonStrings)."""

    RUNNING = "running"
    """Runs, or is ready to run: the profile does not tell which."""
    SYSCALL = "syscall"
    """In a call of the operating system or of C."""
    IO_WAIT = "io_wait"
    """Waits for the network poller: a connection, a listener, a pipe."""
    CHAN_RECEIVE = "chan_receive"
    CHAN_SEND = "chan_send"
    SELECT = "select"
    MUTEX = "mutex"
    """Waits for a lock: sync.Mutex, sync.RWMutex, or that of a file descriptor."""
    WAIT_GROUP = "wait_group"
    COND = "cond"
    SLEEP = "sleep"
    RUNTIME = "runtime"
    """Parked by the runtime on its own behalf: an assist to the collector, a stop of the world that is awaited."""
    OTHER = "other"
    """Parked by something else, such as iter.Pull, or a stack without symbols."""


_PARKED_BY: dict[str, State] = {
    "runtime.chanrecv": State.CHAN_RECEIVE,
    "runtime.chansend": State.CHAN_SEND,
    "runtime.selectgo": State.SELECT,
    "runtime.block": State.SELECT,
    "runtime.netpollblock": State.IO_WAIT,
    "sync.runtime_notifyListWait": State.COND,
    "runtime.notifyListWait": State.COND,
    "time.Sleep": State.SLEEP,
    "runtime.timeSleep": State.SLEEP,
}


def state_of(stack: Sequence[Location]) -> State:
    """State of a goroutine by the leaf frames of its stack.

    An empty stack is that of a goroutine which is ready, but has not run yet: Go leaves out the wrapper that it starts
    with (golang/go 51550).
    """
    if not stack:
        return State.RUNNING
    frames = list(islice(_names(stack), _DEPTH))
    if not frames or not stack[0].lines:
        return State.OTHER
    leaf = frames[0]
    if leaf == _PARK:
        return _why_parked([name for name in frames[1:] if name != _PARK_UNLOCK])
    if _OUTSIDE.fullmatch(leaf):
        return State.SYSCALL
    return State.OTHER if leaf.startswith(_COROUTINE) else State.RUNNING


def by_state(profile: Profile) -> dict[State, int]:
    """Goroutines per state, of a goroutine or goroutineleak profile; states without any are left out.

    The values sum up to the total of the profile; of a difference of profiles they may be negative.
    """
    counts: dict[State, int] = {}
    for sample in profile.samples:
        state = state_of([profile.locations[place] for place in sample.stack[:_DEPTH]])
        counts[state] = counts.get(state, 0) + sample.values[0]
    return {state: count for state, count in counts.items() if count}


def _names(stack: Sequence[Location]) -> Iterator[str]:
    return (line.function.name for location in stack for line in location.lines)


def _why_parked(callers: list[str]) -> State:
    if not callers:
        return State.OTHER
    known = _PARKED_BY.get(callers[0])
    if known:
        return known
    if callers[0] == _SEMAPHORE:
        return _whose_semaphore(callers[1:])
    return State.RUNTIME if callers[0].startswith("runtime.") else State.OTHER


def _whose_semaphore(callers: list[str]) -> State:
    """Locks and wait groups sleep on the same semaphore; its other users are within the runtime."""
    if not callers or not callers[0].startswith(_LOCKS):
        return State.RUNTIME
    return State.WAIT_GROUP if any("WaitGroup" in name for name in callers[:2]) else State.MUTEX
