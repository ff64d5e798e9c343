"""The state of goroutines, by their stacks.

The text of `goroutine?debug=2` names the state, but stops the world while it is written. The binary profile does not
name it, but the caller of `runtime.gopark` shows why a goroutine is parked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import islice

from pprof_exporter.profile.model import Location, Profile

_DEPTH = 8
_PARK = "runtime.gopark"
# Inlined into its callers, or its own frame; it does not show the reason.
_PARK_UNLOCK = "runtime.goparkunlock"
_SEMAPHORE = "runtime.semacquire1"
# A coroutine of iter.Pull yields without parking (runtime/coro.go coroswitch).
_COROUTINE = "runtime.coro"
# The function that the main goroutine starts with (runtime/proc.go newproc of runtime.mainPC), and no other one.
_MAIN = "runtime.main"
_LOCKS = ("sync.", "internal/sync.", "internal/poll.")
# On Windows every system call, and on all systems every call of C, is runtime.cgocall. os/signal waits in
# runtime.notetsleepg, which the runtime itself counts as a system call.
_OUTSIDE = re.compile(
    r"runtime\.(?:cgocall|notetsleepg)"
    r"|(?:internal/runtime/|runtime/internal/)?syscall(?:/\w+)?\.(?:[rR]aw)?(?:Vfork)?[sS]ys(?:call|vicall)\w*"
)


class GoroutineState(StrEnum):
    """State of a goroutine. The names follow `goroutine?debug=2` (runtime/runtime2.go waitReasonStrings)."""

    RUNNING = "running"
    """Running or runnable: the profile does not show which."""
    SYSCALL = "syscall"
    """In a system call, or in a call of C."""
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
    """Parked by the runtime for its own work: a GC assist, or waiting for the world to stop."""
    OTHER = "other"
    """Parked by something else, such as iter.Pull, or a stack without symbols."""


_PARKED_BY: dict[str, GoroutineState] = {
    "runtime.chanrecv": GoroutineState.CHAN_RECEIVE,
    "runtime.chansend": GoroutineState.CHAN_SEND,
    "runtime.selectgo": GoroutineState.SELECT,
    "runtime.block": GoroutineState.SELECT,
    "runtime.netpollblock": GoroutineState.IO_WAIT,
    "sync.runtime_notifyListWait": GoroutineState.COND,
    "runtime.notifyListWait": GoroutineState.COND,
    "time.Sleep": GoroutineState.SLEEP,
    "runtime.timeSleep": GoroutineState.SLEEP,
}


def goroutine_state(stack: Sequence[Location]) -> GoroutineState:
    """State of a goroutine by the leaf frames of its stack.

    An empty stack belongs to a goroutine that is ready but has not run yet: Go omits its start wrapper
    (golang/go 51550).
    """
    if not stack:
        return GoroutineState.RUNNING
    frames = list(islice(_names(stack), _DEPTH))
    if not frames or not stack[0].lines:
        return GoroutineState.OTHER
    leaf = frames[0]
    if leaf == _PARK:
        return _why_parked([name for name in frames[1:] if name != _PARK_UNLOCK])
    if _OUTSIDE.fullmatch(leaf):
        return GoroutineState.SYSCALL
    return GoroutineState.OTHER if leaf.startswith(_COROUTINE) else GoroutineState.RUNNING


def goroutines_by_state(profile: Profile) -> dict[GoroutineState, int]:
    """Goroutines per state, of a goroutine or goroutineleak profile; states without any are left out.

    The values sum up to the total of the profile. They can be negative for a difference of profiles.
    """
    counts: dict[GoroutineState, int] = {}
    for sample in profile.samples:
        state = goroutine_state([profile.locations[place] for place in sample.stack[:_DEPTH]])
        counts[state] = counts.get(state, 0) + sample.values[0]
    return {state: count for state, count in counts.items() if count}


def proven_leaks(profile: Profile) -> Profile:
    """A goroutineleak profile with the goroutines that are leaks: not the main goroutine, nor records without a frame.

    A program may well do all its work in other goroutines while main waits for ever. Go 1.27 leaves main out only if
    it waits in `select {}`, and counts it nevertheless: its place in the profile stays empty (runtime/mgc.go
    findGoroutineLeaks, runtime/mprof.go goroutineLeakProfileWithLabelsConcurrent). Go 1.26 lists main in any case.
    """
    leaks = tuple([sample for sample in profile.samples if sample.stack and profile.root_name(sample) != _MAIN])
    return profile if len(leaks) == len(profile.samples) else replace(profile, samples=leaks)


def _names(stack: Sequence[Location]) -> Iterator[str]:
    return (line.function.name for location in stack for line in location.lines)


def _why_parked(callers: list[str]) -> GoroutineState:
    if not callers:
        return GoroutineState.OTHER
    known = _PARKED_BY.get(callers[0])
    if known:
        return known
    if callers[0] == _SEMAPHORE:
        return _whose_semaphore(callers[1:])
    return GoroutineState.RUNTIME if callers[0].startswith("runtime.") else GoroutineState.OTHER


def _whose_semaphore(callers: list[str]) -> GoroutineState:
    """Locks and wait groups sleep on the same semaphore; its other users are within the runtime."""
    if not callers or not callers[0].startswith(_LOCKS):
        return GoroutineState.RUNTIME
    return GoroutineState.WAIT_GROUP if any("WaitGroup" in name for name in callers[:2]) else GoroutineState.MUTEX
